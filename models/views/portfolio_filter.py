"""What a person chose to see of the portfolio, and what that is in SQL."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select

from domain.time import BusinessInstant
from domain.vocabulary import Attention, CustomerStatus, HealthStatus, RiskTier, Segment, TouchTier
from models.standing import health_in_force, renews_within
from models.tables.customers import CustomerRow
from models.tables.people import UserRow
from models.tables.scoring import ScoreRow

MOVE_DAYS = 7
TOUCH = func.coalesce(CustomerRow.touch_tier_override, CustomerRow.touch_tier)


@dataclass(frozen=True)
class PortfolioFilter:
    """What a person chose to see; empty means everything. `owner` None is everyone's."""

    search: str = ""
    tiers: tuple[RiskTier, ...] = ()
    health: tuple[HealthStatus, ...] = ()
    segments: tuple[Segment, ...] = ()
    touch_tiers: tuple[TouchTier, ...] = ()
    attention: tuple[Attention, ...] = ()
    owner: uuid.UUID | None = None
    renewal_days: int | None = None
    moved: str | None = None
    """`worse` or `better`: risk tier against the one a week ago."""
    churned: bool = False
    sort: str = "attention"
    descending: bool = False
    page: int = 1


def tier_rank(tier: Any) -> ColumnElement[int]:
    """Return 0 for low to 3 for critical, null for unknown."""
    return case(*((tier == each, each.rank) for each in RiskTier))


def health_rank(health: Any) -> ColumnElement[int]:
    """Return 0 for thriving to 4 for at risk, null for unknown."""
    return case(*((health == each, rank) for rank, each in enumerate(HealthStatus)))


def attention_rank(attention: Any) -> ColumnElement[int]:
    """Return 0 for now to 3 for none."""
    return case(*((attention == each.value, rank) for rank, each in enumerate(Attention)))


def tier_a_week_ago(today: dt.date) -> ColumnElement[Any]:
    """Return the tier of the last score at least a week old."""
    return (
        select(ScoreRow.churn_risk_tier)
        .where(
            ScoreRow.customer_id == CustomerRow.id,
            ScoreRow.as_of <= today - dt.timedelta(days=MOVE_DAYS),
        )
        .order_by(ScoreRow.as_of.desc())
        .limit(1)
        .scalar_subquery()
    )


def _escaped(search: str) -> str:
    return search.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _moved(direction: str, today: dt.date) -> ColumnElement[bool]:
    before, after = tier_rank(tier_a_week_ago(today)), tier_rank(CustomerRow.churn_risk_tier)
    return after > before if direction == "worse" else after < before


def conditions(chosen: PortfolioFilter, now: BusinessInstant) -> list[ColumnElement[bool]]:
    """Return the WHERE of a filter, all but the attention, which needs the table."""
    found: list[ColumnElement[bool]] = [
        CustomerRow.status == CustomerStatus.CHURNED
        if chosen.churned
        else CustomerRow.status != CustomerStatus.CHURNED
    ]
    choices: tuple[tuple[Any, tuple[Any, ...]], ...] = (
        (CustomerRow.churn_risk_tier, chosen.tiers),
        (health_in_force(now), chosen.health),
        (CustomerRow.segment, chosen.segments),
        (TOUCH, chosen.touch_tiers),
    )
    found += [column.in_(values) for column, values in choices if values]
    if chosen.search.strip():
        found.append(_searched(_escaped(chosen.search)))
    if chosen.owner is not None:
        found.append(CustomerRow.csm_id == chosen.owner)
    if chosen.renewal_days is not None:
        found.append(renews_within(chosen.renewal_days, now.date()))
    if chosen.moved is not None:
        found.append(_moved(chosen.moved, now.date()))
    return found


def _searched(text: str) -> ColumnElement[bool]:
    return or_(
        func.lower(CustomerRow.name).like(f"%{text}%", escape="\\"),
        func.lower(CustomerRow.domain).like(f"%{text}%", escape="\\"),
        func.lower(CustomerRow.external_id) == text,
    )


def sort_key(chosen: PortfolioFilter, now: BusinessInstant) -> Any:
    """Return the column to sort by, None for the attention, which needs the table."""
    columns: dict[str, Any] = {
        "name": func.lower(CustomerRow.name),
        "health": health_rank(health_in_force(now)),
        "risk": CustomerRow.churn_risk_score,
        "arr": CustomerRow.arr_minor,
        "renewal": CustomerRow.renewal_on,
        "touch": CustomerRow.last_touch_at,
        "owner": func.lower(UserRow.name),
    }
    return columns.get(chosen.sort)
