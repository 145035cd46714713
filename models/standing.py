"""SQL for what lists say of a customer: standing, health in force, attention. Means what the domain means."""

import datetime as dt

from sqlalchemy import ColumnElement, Date, Integer, and_, case, cast, false, func, literal, or_, true

from domain.attention import ArrBand, AttentionPolicy, AttentionRule, Standing
from domain.time import BusinessInstant
from domain.vocabulary import Attention, HealthStatus, RiskTier
from models.field_columns import MINOR_PER_UNIT
from models.tables.customers import CustomerRow

BAD_HEALTH = (HealthStatus.NEEDS_ATTENTION, HealthStatus.AT_RISK)
GOOD_HEALTH = (HealthStatus.THRIVING, HealthStatus.ENGAGED)
BAD_TIERS = (RiskTier.HIGH, RiskTier.CRITICAL)


def health_in_force(now: BusinessInstant) -> ColumnElement[HealthStatus | None]:
    """Return the status that holds: a person's override until it expires, else the rules' own."""
    override = and_(
        CustomerRow.health_override.is_not(None),
        or_(CustomerRow.health_override_until.is_(None), CustomerRow.health_override_until > now),
    )
    return case((override, CustomerRow.health_override), else_=CustomerRow.health_status)


def standing_is(now: BusinessInstant) -> ColumnElement[str]:
    """Say in SQL what `standing_of` says: an unknown value makes no branch true."""
    health, tier = health_in_force(now), CustomerRow.churn_risk_tier
    return case(
        (or_(tier.in_(BAD_TIERS), health.in_(BAD_HEALTH)), Standing.AT_RISK.value),
        (
            and_(health.in_(GOOD_HEALTH), or_(tier.is_(None), tier == RiskTier.LOW)),
            Standing.STRONG.value,
        ),
        else_=Standing.NEUTRAL.value,
    )


def arr_is_high(policy: AttentionPolicy) -> ColumnElement[bool]:
    """Say in SQL what `arr_band` says."""
    return CustomerRow.arr_minor >= policy.high_arr * MINOR_PER_UNIT


def renews_within(days: int, today: dt.date) -> ColumnElement[bool]:
    """Select customers whose renewal lies in the next `days` days, today included."""
    return CustomerRow.renewal_on.between(today, today + dt.timedelta(days=days))


def days_to_renewal(today: dt.date) -> ColumnElement[int]:
    """Return the days from today to the renewal; null without a date, negative for the past."""
    return cast(CustomerRow.renewal_on - literal(today, Date), Integer)


def _fits(
    rule: AttentionRule, high: ColumnElement[bool], standing: ColumnElement[str], days: ColumnElement[int]
) -> ColumnElement[bool]:
    cells: list[ColumnElement[bool]] = [true()]
    if rule.arr is not None:
        cells.append(high if rule.arr is ArrBand.HIGH else ~high)
    if rule.standing is not None:
        cells.append(standing == rule.standing.value)
    if rule.renewal_within_days is not None:
        cells.append(func.coalesce(days.between(0, rule.renewal_within_days), false()))
    return and_(*cells)


def attention_is(
    policy: AttentionPolicy,
    high: ColumnElement[bool],
    standing: ColumnElement[str],
    days: ColumnElement[int],
) -> ColumnElement[str]:
    """Return the attention of each row as the table has it; the first fitting rule decides."""
    whens = [(_fits(rule, high, standing, days), literal(rule.attention.value)) for rule in policy.rules]
    nothing = literal(Attention.NONE.value)
    return case(*whens, else_=nothing) if whens else nothing
