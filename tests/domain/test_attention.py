import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attention import (
    DEFAULT_ATTENTION,
    NOTHING_FITS,
    AttentionPolicy,
    CustomerStanding,
    Standing,
    attention_for,
    standing_of,
)
from domain.vocabulary import Attention, HealthStatus, RiskTier

TODAY = dt.date(2026, 11, 20)
HIGH, LOW = 6_000_000, 900_000
HEALTHS = st.sampled_from([None, *HealthStatus])
TIERS = st.sampled_from([None, *RiskTier])


def standing(
    arr_minor: int,
    health: HealthStatus | None,
    tier: RiskTier | None,
    days: int | None = None,
    currency: str = "USD",
) -> CustomerStanding:
    renewal = None if days is None else TODAY + dt.timedelta(days=days)
    return CustomerStanding(arr_minor, currency, health, tier, renewal)


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        (standing(HIGH, HealthStatus.AT_RISK, RiskTier.CRITICAL), Attention.NOW),
        (standing(HIGH, HealthStatus.THRIVING, RiskTier.HIGH), Attention.NOW),
        (standing(LOW, HealthStatus.NEUTRAL, RiskTier.LOW), Attention.SCHEDULED),
        (standing(LOW, HealthStatus.AT_RISK, RiskTier.LOW), Attention.SCHEDULED),
        (standing(HIGH, HealthStatus.THRIVING, RiskTier.LOW, 30), Attention.PROACTIVE),
        (standing(HIGH, HealthStatus.ENGAGED, None, 0), Attention.PROACTIVE),
        (standing(HIGH, HealthStatus.THRIVING, RiskTier.LOW, 31), Attention.NONE),
        (standing(HIGH, HealthStatus.THRIVING, RiskTier.LOW, -1), Attention.NONE),
        (standing(LOW, HealthStatus.THRIVING, RiskTier.LOW, 10), Attention.NONE),
    ],
)
def test_the_default_table_says_what_the_design_says(customer: CustomerStanding, expected: Attention) -> None:
    assert attention_for(DEFAULT_ATTENTION, customer, TODAY)[0] is expected


def test_every_verdict_comes_with_its_reason() -> None:
    attention, reason = attention_for(DEFAULT_ATTENTION, standing(HIGH, None, RiskTier.CRITICAL), TODAY)
    assert (attention, reason) == (Attention.NOW, "High ARR at risk")
    quiet = standing(LOW, HealthStatus.THRIVING, RiskTier.LOW)
    assert attention_for(DEFAULT_ATTENTION, quiet, TODAY) == (Attention.NONE, NOTHING_FITS)


def test_a_currency_without_minor_units_is_compared_in_whole_units() -> None:
    yen = standing(6_000_000, HealthStatus.AT_RISK, RiskTier.HIGH, currency="JPY")
    table = AttentionPolicy(high_arr=5_000_000, rules=DEFAULT_ATTENTION.rules)
    dollars = standing(6_000_000, HealthStatus.AT_RISK, RiskTier.HIGH)
    francs = standing(6_000_000, HealthStatus.AT_RISK, RiskTier.HIGH, currency="RWF")
    assert attention_for(table, yen, TODAY)[0] is Attention.NOW
    assert attention_for(table, francs, TODAY)[0] is Attention.NOW
    assert attention_for(table, dollars, TODAY)[0] is Attention.SCHEDULED


@given(health=HEALTHS, tier=TIERS)
def test_standing_follows_the_worse_of_health_and_risk(
    health: HealthStatus | None, tier: RiskTier | None
) -> None:
    found = standing_of(health, tier)
    bad = tier in {RiskTier.HIGH, RiskTier.CRITICAL} or health in {
        HealthStatus.AT_RISK,
        HealthStatus.NEEDS_ATTENTION,
    }
    assert (found is Standing.AT_RISK) == bad
    if found is Standing.STRONG:
        assert health is not None
        assert health.is_good


def test_an_empty_table_asks_for_nothing() -> None:
    table = AttentionPolicy(rules=())
    assert attention_for(table, standing(HIGH, None, RiskTier.CRITICAL), TODAY)[0] is Attention.NONE
