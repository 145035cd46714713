"""Loads the features of many customers in two statements, as of an instant."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.commercial import next_period_end
from domain.features import (
    CommercialNumbers,
    CustomerFeatures,
    FeatureUse,
    KindFreshness,
    OutcomeNumbers,
    RelationshipNumbers,
    SentimentNumbers,
    SupportNumbers,
    UsageNumbers,
)
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, Segment, TouchTier
from models.feature_queries import RELATIONS_AS_KNOWN, RELATIONS_NOW
from models.newest_facts import Told
from models.standing_as_known import standings_as_known
from models.usage_queries import USAGE_AS_KNOWN, USAGE_NOW, WEEKS

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Reader:
    """The statements that features are read with."""

    relations: str
    usage: str
    derives: bool
    """Whether what is derived of customers is derived anew, as of the same instant."""


PRESENT = Reader(RELATIONS_NOW, USAGE_NOW, derives=False)
AS_KNOWN = Reader(RELATIONS_AS_KNOWN, USAGE_AS_KNOWN, derives=True)
HABIT_DAYS = 56
"""Days up to the last use from which the usual gap is taken."""


async def load_features(
    session: AsyncSession,
    ids: Sequence[uuid.UUID],
    as_of: BusinessInstant,
    freshness: Mapping[str, KindFreshness],
    *,
    exact: bool = False,
) -> list[CustomerFeatures]:
    """Return one row per customer, in order of id. `freshness`: of the installation, as of the same instant.

    `exact` sees a past instant as it was known then: single usage events instead of the daily rollup, facts
    without what was told of them later, and what is derived of a customer derived from those. Without it,
    what is stored counts, which at the present instant is equal to the bit, and much quicker; what is
    derived is then as of the last refresh (models.customer_standing).
    """
    return await read_features(session, ids, as_of, freshness, AS_KNOWN if exact else PRESENT)


async def read_features(
    session: AsyncSession,
    ids: Sequence[uuid.UUID],
    as_of: BusinessInstant,
    freshness: Mapping[str, KindFreshness],
    reader: Reader,
) -> list[CustomerFeatures]:
    """Return features as one reader sees them; leak checks try a reader that sees too much."""
    values = {"ids": list(ids), "as_of": as_of, "today": as_of.date()}
    rows = await _rows(session, reader.relations, values)
    if reader.derives:
        then = await standings_as_known(session, ids, as_of)
        rows = [{**row, **then[row["id"]]} for row in rows]
    usage = {row["customer_id"]: row for row in await _rows(session, reader.usage, values)}
    told = Told(freshness)
    return [_features(row, usage.get(row["id"]), told, as_of) for row in rows]


async def _rows(session: AsyncSession, statement: str, values: Mapping[str, Any]) -> list[Row]:
    """Return rows as plain dicts: each of their hundred columns is looked up once or more."""
    found = await session.execute(text(statement), values)
    names = tuple(found.keys())
    return [dict(zip(names, row, strict=True)) for row in found]


def _days(as_of: BusinessInstant, instant: BusinessInstant | None) -> int | None:
    return None if instant is None else max(0, (as_of - instant).days)


def _features(row: Row, usage: Row | None, told: Told, as_of: BusinessInstant) -> CustomerFeatures:
    commercial = _commercial(row, as_of)
    return CustomerFeatures(
        customer_id=row["id"],
        as_of=as_of,
        segment=Segment(row["segment"]),
        touch_tier=TouchTier(row["touch_tier"]),
        status=CustomerStatus(row["status"]),
        known_on=row["known_at"].date(),
        tenure_days=_days(as_of, row["started_at"] or row["known_at"]) or 0,
        is_onboarded=row["is_onboarded"],
        has_first_value=row["has_first_value"],
        usage=UsageNumbers() if usage is None else _usage(usage, as_of.date(), commercial.seats),
        support=_support(row, as_of),
        sentiment=_sentiment(row),
        relationship=_relationship(row, as_of),
        commercial=commercial,
        outcomes=OutcomeNumbers(
            row["goals"] or 0, row["achieved"] or 0, row["goals_overdue"] or 0, _float(row["progress"])
        ),
        plan=row["plan"],
        freshness=told.of(row, usage),
    )


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _usage(row: Row, today: dt.date, seats: int | None) -> UsageNumbers:
    last_on, first_on, peak = row["last_on"], row["first_on"], row["users_peak_28"]
    age = (today - first_on).days
    weeks = max(0, min(WEEKS, age // 7))
    metric, share = row["limit_metric"], _float(row["limit_share"])
    if seats and peak is not None and peak / seats > (share or 0.0):
        metric, share = "seats", peak / seats
    return UsageNumbers(
        weeks=tuple(float(week) for week in row["weeks"][:weeks]),
        active_days_7=row["active_days_7"],
        active_days_28=row["active_days_28"],
        active_days_91=row["active_days_91"],
        usual_gap_days=_usual_gap(last_on, first_on, row["active_days_56"]),
        users_28=_float(row["users_28"]),
        users_before=_float(row["users_before"]),
        users_peak_28=peak,
        features_28=row["features_28"],
        features_before=row["features_before"],
        dropped=tuple(row["dropped"] or ()),
        used_7=frozenset(row["used_7"] or ()),
        used_91=frozenset(row["used_91"] or ()),
        half_year_ago=_float(row["half_year_ago"]),
        by_feature=_by_feature(row),
        days_since_last=(today - last_on).days,
        first_on=first_on,
        limit_metric=metric,
        limit_share=share,
        limits_used=_float(row["limits_used"]),
    )


def _by_feature(row: Row) -> dict[str, FeatureUse]:
    columns = (row[name] or () for name in ("known_91", "quantities_28", "quantities_91", "values_91"))
    return {
        feature: FeatureUse(float(month), float(quarter), float(value))
        for feature, month, quarter, value in zip(*columns, strict=True)
    }


def _usual_gap(last_on: dt.date, first_on: dt.date, active_days: int) -> float:
    """Return days per active day, over at most eight weeks up to the last use, and at least a fortnight."""
    return max(14, min(HABIT_DAYS, (last_on - first_on).days + 1)) / max(active_days, 1)


def _support(row: Row, as_of: BusinessInstant) -> SupportNumbers:
    overdue_for: dt.timedelta | None = row["overdue_for"]
    open_for: dt.timedelta | None = row["open_for"]
    return SupportNumbers(
        open=row["ticket_open"] or 0,
        overdue=row["overdue"] or 0,
        oldest_overdue_days=overdue_for.days if overdue_for else 0,
        opened_30=row["opened_30"] or 0,
        opened_usual=float(row["opened_usual"] or 0),
        escalated=row["escalated"] or 0,
        satisfaction=_float(row["satisfaction"]),
        breached_30=row["breached_30"] or 0,
        breached_days=_days(as_of, row["breached_at"]),
        oldest_open_days=open_for.days if open_for else 0,
        reopened_open=row["reopened_open"] or 0,
    )


def _sentiment(row: Row) -> SentimentNumbers:
    return SentimentNumbers(
        tickets=_float(row["tone"]),
        tickets_before=_float(row["tone_before"]),
        nps=_float(row["nps"]),
        nps_on=row["nps_at"].date() if row["nps_at"] else None,
        nps_before=_float(row["nps_before"]),
        csat=_float(row["csat"]),
        csat_on=row["csat_at"].date() if row["csat_at"] else None,
    )


def _relationship(row: Row, as_of: BusinessInstant) -> RelationshipNumbers:
    spoken = [at for at in (row["last_in"], row["last_out"], row["held_at"]) if at is not None]
    heard = [at for at in (row["last_in"], row["held_at"]) if at is not None]
    return RelationshipNumbers(
        contacts=row["contacts"] or 0,
        champions=row["champions"] or 0,
        executives=row["executives"] or 0,
        champion_left_days=_days(as_of, row["champion_left_at"]),
        touch_in_days=_days(as_of, max(heard, default=None)),
        touch_out_days=_days(as_of, row["last_out"]),
        executive_days=_days(as_of, row["executive_at"]),
        last_touch_at=max(spoken, default=None),
        meetings_90=row["meetings_90"] or 0,
        qbr_missed=row["qbr_missed"] or 0,
        qbr_missed_days=_days(as_of, row["missed_at"]),
    )


def _commercial(row: Row, as_of: BusinessInstant) -> CommercialNumbers:
    past_due_for: dt.timedelta | None = row["past_due_for"]
    renewal_on: dt.date | None = row["renewal_on"]
    return CommercialNumbers(
        active_subscriptions=row["active"] or 0,
        past_subscriptions=row["subscriptions"] or 0,
        mrr_minor=int(row["mrr"] or 0),
        mrr_before_minor=int(row["mrr_before"] or 0),
        currency=row["currency"],
        seats=int(row["seats"]) if row["seats"] else None,
        discount=_float(row["discount"]),
        auto_renew=row["auto_renew"],
        renewal_days=(renewal_on - as_of.date()).days if renewal_on else None,
        billing_months=row["billing_months"],
        period_days=_period_days(row, as_of),
        ending_days=(row["ending_at"] - as_of).days if row["ending_at"] else None,
        unchanged_days=_days(as_of, row["changed_at"]),
        past_due_minor=int(row["past_due"] or 0),
        past_due_days=past_due_for.days if past_due_for else 0,
        failed_attempts=row["failed"] or 0,
    )


def _period_days(row: Row, as_of: BusinessInstant) -> int | None:
    """Return days to the end of the period that ends next, of the terms that are paid for."""
    today, periods = as_of.date(), zip(row["begun"] or (), row["billed"] or (), strict=True)
    ends = [next_period_end(begun.date(), months, today) for begun, months in periods]
    return min(((end - today).days for end in ends), default=None)
