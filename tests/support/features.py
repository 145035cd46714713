"""Features of a customer in good standing, of whom every kind of fact is told."""

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

from domain.features import (
    KINDS,
    CommercialNumbers,
    CustomerFeatures,
    KindFreshness,
    OutcomeNumbers,
    RelationshipNumbers,
    SentimentNumbers,
    SupportNumbers,
    UsageNumbers,
)
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, Segment, TouchTier

AS_OF = BusinessInstant(dt.datetime(2026, 6, 15, 2, 0, tzinfo=dt.UTC))
LONG_AGO = BusinessInstant(AS_OF - dt.timedelta(days=400))
GROUPS: dict[str, Any] = {
    "usage": UsageNumbers(
        weeks=(70.0,) * 13, active_days_7=7, usual_gap_days=1.0, users_28=3, users_before=3, users_peak_28=8,
        features_28=4, features_before=4, used_7=frozenset({"report"}), days_since_last=1,
    ),
    "support": SupportNumbers(opened_30=1, opened_usual=1.0, satisfaction=4.2),
    "sentiment": SentimentNumbers(tickets=0.2, tickets_before=0.2, nps=8, nps_on=AS_OF.date()),
    "relationship": RelationshipNumbers(
        contacts=3, champions=1, executives=1, touch_in_days=10, touch_out_days=5, executive_days=20
    ),
    "commercial": CommercialNumbers(
        active_subscriptions=1, past_subscriptions=1, mrr_minor=50000, mrr_before_minor=50000, seats=10,
        auto_renew=True, renewal_days=120,
    ),
    "outcomes": OutcomeNumbers(goals=2, achieved=0, progress=0.6),
}  # fmt: skip


def everything_told(last_on: dt.date | None = None) -> dict[str, KindFreshness]:
    """Every kind is told, and talked yesterday."""
    day = last_on or (AS_OF - dt.timedelta(days=1)).date()
    return {kind: KindFreshness(provided=True, connected_at=LONG_AGO, last_on=day) for kind in KINDS}


def customer(**changes: Any) -> CustomerFeatures:
    """A customer; `usage={"days_since_last": 9}` changes numbers of a group, anything else a field."""
    groups = {name: replace(group, **changes.pop(name, {})) for name, group in GROUPS.items()}
    base = CustomerFeatures(
        customer_id=uuid.UUID(int=1), as_of=AS_OF, segment=Segment.MID_MARKET, touch_tier=TouchTier.MANAGED,
        status=CustomerStatus.ACTIVE, known_on=LONG_AGO.date(), tenure_days=400, is_onboarded=True,
        has_first_value=True, freshness=everything_told(), **groups,
    )  # fmt: skip
    return replace(base, **changes)


def week(value: float, usual: float = 70.0) -> dict[str, Any]:
    """Usage numbers of a week that differs from the usual one."""
    return {"weeks": (value, *([usual] * 12))}
