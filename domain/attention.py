"""What to look at first: an editable table from revenue, standing and renewal to attention and its reason."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from domain.money import minor_per_unit
from domain.vocabulary import Attention, HealthStatus, RiskTier


class ArrBand(StrEnum):
    """Whether a customer's ARR reaches the table's threshold."""

    HIGH = "high"
    LOW = "low"


class Standing(StrEnum):
    """Health and risk in one word; the worse of the two counts."""

    AT_RISK = "at_risk"
    NEUTRAL = "neutral"
    STRONG = "strong"


class AttentionRule(BaseModel):
    """One row of the table. An empty cell means any; the first row that fits decides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arr: ArrBand | None = None
    standing: Standing | None = None
    renewal_within_days: int | None = Field(None, ge=1, le=730)
    attention: Attention
    reason: str = Field(min_length=3, max_length=120)


class AttentionPolicy(BaseModel):
    """The whole table. `high_arr` is in whole units of the customer's own currency, per year."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    high_arr: int = Field(50_000, ge=0, le=1_000_000_000)
    rules: tuple[AttentionRule, ...] = Field(max_length=20)


DEFAULT_ATTENTION = AttentionPolicy(
    rules=(
        AttentionRule(
            arr=ArrBand.HIGH,
            standing=Standing.AT_RISK,
            attention=Attention.NOW,
            reason="High ARR at risk",
        ),
        AttentionRule(
            arr=ArrBand.HIGH,
            standing=Standing.STRONG,
            renewal_within_days=30,
            attention=Attention.PROACTIVE,
            reason="Value conversation before the renewal",
        ),
        AttentionRule(
            standing=Standing.AT_RISK,
            attention=Attention.SCHEDULED,
            reason="At risk with lower ARR: check in this week",
        ),
        AttentionRule(
            standing=Standing.NEUTRAL,
            attention=Attention.SCHEDULED,
            reason="Neutral: scheduled check-in",
        ),
    )
)
NOTHING_FITS = "No rule asks for attention"


@dataclass(frozen=True)
class CustomerStanding:
    """What the table looks at. `renewal_on` in the past counts as no renewal ahead."""

    arr_minor: int
    currency: str
    health: HealthStatus | None
    tier: RiskTier | None
    renewal_on: dt.date | None


def standing_of(health: HealthStatus | None, tier: RiskTier | None) -> Standing:
    """Join health and risk: one bad is at risk, both good is strong, what is unknown is neutral."""
    if tier in {RiskTier.HIGH, RiskTier.CRITICAL}:
        return Standing.AT_RISK
    if health in {HealthStatus.NEEDS_ATTENTION, HealthStatus.AT_RISK}:
        return Standing.AT_RISK
    if health is not None and health.is_good and tier in {RiskTier.LOW, None}:
        return Standing.STRONG
    return Standing.NEUTRAL


def arr_band(policy: AttentionPolicy, arr_minor: int, currency: str) -> ArrBand:
    """Tell high from low ARR in the customer's own currency."""
    threshold = policy.high_arr * minor_per_unit(currency)
    return ArrBand.HIGH if arr_minor >= threshold else ArrBand.LOW


def _fits(rule: AttentionRule, arr: ArrBand, standing: Standing, days: int | None) -> bool:
    if rule.arr not in {None, arr} or rule.standing not in {None, standing}:
        return False
    return rule.renewal_within_days is None or (days is not None and 0 <= days <= rule.renewal_within_days)


def attention_for(
    policy: AttentionPolicy, customer: CustomerStanding, today: dt.date
) -> tuple[Attention, str]:
    """Return what the first fitting row says, and why."""
    arr = arr_band(policy, customer.arr_minor, customer.currency)
    standing = standing_of(customer.health, customer.tier)
    days = (customer.renewal_on - today).days if customer.renewal_on else None
    for rule in policy.rules:
        if _fits(rule, arr, standing, days):
            return rule.attention, rule.reason
    return Attention.NONE, NOTHING_FITS
