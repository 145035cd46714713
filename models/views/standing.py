"""SQL for what lists say of a customer: standing, health in force, attention. Means what the domain means."""

import datetime as dt

from sqlalchemy import ColumnElement, and_, case, false, func, literal, or_, true

from domain.attention import WITHOUT_HUNDREDTHS, ArrBand, AttentionPolicy, AttentionRule, Standing
from domain.time import BusinessInstant
from domain.vocabulary import Attention, HealthStatus, RiskTier
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
    units = case((CustomerRow.currency.in_(WITHOUT_HUNDREDTHS), 1), else_=100)
    return CustomerRow.arr_minor >= policy.high_arr * units


def renews_within(days: int, today: dt.date) -> ColumnElement[bool]:
    """Select customers whose renewal lies in the next `days` days, today included."""
    return CustomerRow.renewal_on.between(today, today + dt.timedelta(days=days))


def _fits(
    rule: AttentionRule, high: ColumnElement[bool], standing: ColumnElement[str], today: dt.date
) -> ColumnElement[bool]:
    cells: list[ColumnElement[bool]] = [true()]
    if rule.arr is not None:
        cells.append(high if rule.arr is ArrBand.HIGH else ~high)
    if rule.standing is not None:
        cells.append(standing == rule.standing.value)
    if rule.renewal_within_days is not None:
        cells.append(func.coalesce(renews_within(rule.renewal_within_days, today), false()))
    return and_(*cells)


def attention_is(policy: AttentionPolicy, now: BusinessInstant) -> ColumnElement[str]:
    """Return the attention of each customer as the table has it; the first fitting row decides."""
    high, standing, today = arr_is_high(policy), standing_is(now), now.date()
    whens = [(_fits(rule, high, standing, today), literal(rule.attention.value)) for rule in policy.rules]
    nothing = literal(Attention.NONE.value)
    return case(*whens, else_=nothing) if whens else nothing
