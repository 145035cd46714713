import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.points_table import FACTORS, FAMILY_CAPS
from domain.risk import ANCHORS, Scorecard, log_odds, risk_score, score_of_doublings, tier_of
from domain.scoring_policy import RiskPolicy
from domain.vocabulary import HealthComponent, RiskTier
from tests.support.features import customer, everything_told, week

CARD = Scorecard(RiskPolicy())
RISING: dict[str, tuple[str, int, int]] = {
    "days_since_last": ("usage", 0, 300),
    "overdue": ("support", 0, 20),
    "opened_30": ("support", 0, 50),
    "escalated": ("support", 0, 9),
    "past_due_days": ("commercial", 0, 200),
    "failed_attempts": ("commercial", 0, 9),
    "executive_days": ("relationship", 0, 400),
    "qbr_missed": ("relationship", 0, 5),
}
FALLING: dict[str, tuple[str, int, int]] = {
    "features_28": ("usage", 0, 12),
    "users_peak_28": ("usage", 0, 30),
    "nps": ("sentiment", 0, 10),
    "satisfaction": ("support", 1, 5),
    "tickets": ("sentiment", -1, 1),
    "mrr_minor": ("commercial", 0, 200_000),
    "champions": ("relationship", 0, 3),
}


@pytest.mark.parametrize(("doublings", "score"), ANCHORS)
def test_the_score_hits_its_anchors(doublings: float, score: float) -> None:
    assert score_of_doublings(doublings) == score


@given(st.floats(-20, 20), st.floats(-20, 20))
def test_the_score_never_falls_when_the_odds_rise(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= score_of_doublings(low) <= score_of_doublings(high) <= 100


@given(st.floats(0.0001, 0.9999), st.floats(0.001, 0.5))
def test_a_probability_has_the_tier_of_its_odds_against_the_base_rate(share: float, base: float) -> None:
    ratio = math.exp(log_odds(share) - log_odds(base))
    tier = tier_of(risk_score(share, base))
    if ratio > 4.001:
        assert tier is RiskTier.CRITICAL
    elif 2.001 < ratio < 3.999:
        assert tier is RiskTier.HIGH
    elif ratio < 0.999:
        assert tier is RiskTier.LOW


def test_the_base_rate_is_the_floor_of_medium_and_twice_the_odds_that_of_high() -> None:
    assert risk_score(0.05, 0.05) == 25
    twice = 2 * 0.05 / 0.95
    assert risk_score(twice / (1 + twice), 0.05) == 50


@pytest.mark.parametrize("points", [-40, -20, 0, 20, 40, 60, 100])
def test_points_double_the_odds_as_published(points: float) -> None:
    odds = [CARD.probability(p) / (1 - CARD.probability(p)) for p in (points, points + 20)]
    assert odds[1] / odds[0] == pytest.approx(2)


@pytest.mark.parametrize("factor", FACTORS, ids=lambda factor: factor.key)
def test_the_bands_of_a_factor_are_in_order_and_worse_is_never_cheaper(factor: Any) -> None:
    limits, points = zip(*factor.bands, strict=True)
    order = list(limits) if factor.worse == "low" else [-limit for limit in limits]
    assert order == sorted(order)
    assert list(points) == sorted(points, reverse=True)


@pytest.mark.parametrize("name", RISING)
@given(data=st.data())
def test_more_of_what_is_bad_never_lowers_the_risk(name: str, data: st.DataObject) -> None:
    group, low, high = RISING[name]
    better, worse = sorted(data.draw(st.tuples(st.integers(low, high), st.integers(low, high))))
    assert _points(group, name, better) <= _points(group, name, worse)


@pytest.mark.parametrize("name", FALLING)
@given(data=st.data())
def test_less_of_what_is_good_never_lowers_the_risk(name: str, data: st.DataObject) -> None:
    group, low, high = FALLING[name]
    worse, better = sorted(data.draw(st.tuples(st.integers(low, high), st.integers(low, high))))
    assert _points(group, name, better) <= _points(group, name, worse)


@given(st.floats(0, 500), st.floats(0, 500))
def test_less_use_in_a_week_never_lowers_the_risk(one: float, other: float) -> None:
    worse, better = sorted((one, other))
    assert CARD.assess(customer(usage=week(better))).points <= CARD.assess(customer(usage=week(worse))).points


def _points(group: str, name: str, value: float) -> float:
    changes: dict[str, Any] = {name: value}
    if name == "champions":
        changes["champion_left_days"] = 10
    return CARD.assess(customer(**{group: changes})).points


def test_a_customer_in_good_standing_is_low() -> None:
    verdict = CARD.assess(customer())
    assert verdict.churn_risk_tier is RiskTier.LOW
    assert verdict.horizon_days == 90
    assert verdict.model_version == "scorecard-2"


def test_the_heaviest_reason_comes_first_and_speaks_of_the_own_baseline() -> None:
    verdict = CARD.assess(customer(usage=week(9, usual=41), support={"overdue": 1, "oldest_overdue_days": 3}))
    first, *_others, last = verdict.drivers
    assert first.sentence == "use fell from 41 to 9 actions a week"
    assert (first.family, first.now, first.baseline) == (HealthComponent.USAGE, 9, 41)
    assert last.points <= first.points
    assert "1 ticket is overdue, the oldest by 3 days" in [driver.sentence for driver in verdict.drivers]


def test_a_week_within_the_usual_range_is_no_fall() -> None:
    jumpy = {"weeks": (30.0, 100.0, 20.0, 90.0, 25.0, 100.0, 80.0, 20.0, 90.0, 80.0, 90.0, 70.0, 80.0)}
    assert "usage_week" not in [driver.key for driver in CARD.assess(customer(usage=jumpy)).drivers]


@pytest.mark.parametrize("silent", [True, False])
def test_a_factor_without_a_talking_source_abstains(silent: bool) -> None:  # noqa: FBT001 - a parameter of the test
    told = everything_told()
    told["usage"] = replace(told["usage"], provided=silent, silent=silent)
    verdict = CARD.assess(customer(usage=week(0) | {"days_since_last": 40}, freshness=told))
    assert not [driver for driver in verdict.drivers if driver.family is HealthComponent.USAGE]


def test_a_family_adds_no_more_than_its_cap() -> None:
    dead = week(0) | {"days_since_last": 40, "weeks": (0.0,) * 4 + (70.0,) * 9}
    verdict = CARD.assess(customer(usage=dead))
    for family, cap in FAMILY_CAPS.items():
        added = [driver.points for driver in verdict.drivers if driver.family is family and driver.points > 0]
        assert sum(added) <= cap + 1e-9


def test_the_points_of_the_drivers_add_up_to_the_verdict() -> None:
    verdict = CARD.assess(customer(usage=week(10), commercial={"past_due_days": 20}))
    assert verdict.points == pytest.approx(sum(driver.points for driver in verdict.drivers))
    assert verdict.churn_probability == CARD.probability(verdict.points)


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=9))
def test_scores_order_customers_as_probabilities_do(shares: list[float]) -> None:
    scores = [risk_score(share, 0.05) for share in sorted(shares)]
    assert all(one <= other for one, other in pairwise(scores))
