"""A trained model in use: the same to the bit alone and in company, held by the scorecard, in words."""

import math
import random
from typing import Any

import pytest

from domain.features import CustomerFeatures
from domain.outlook import chance_to_stay, outlook_of
from domain.risk import Scorecard, log_odds
from domain.scoring_policy import RiskPolicy
from domain.trained_model import evidence_weight
from ml.blend import together
from ml.trained import read_model
from ml.trained_risk import TrainedRisk
from tests.support.features import customer, everything_told, week
from tests.support.learned import stored

POLICY = RiskPolicy()


def risk(**changes: Any) -> TrainedRisk:
    return TrainedRisk(POLICY, read_model(stored(**changes)))


def many(count: int) -> list[CustomerFeatures]:
    dice = random.Random(5)
    return [
        customer(
            usage=week(dice.uniform(0, 90)) | {"days_since_last": dice.randint(0, 40)},
            support={"overdue": dice.randint(0, 4)},
            commercial={"mrr_minor": dice.randint(0, 90_000)},
            freshness=everything_told() if dice.random() < 0.8 else {},
        )
        for _ in range(count)
    ]


def test_a_customer_is_scored_alone_as_in_a_batch_to_the_bit() -> None:
    model, features = risk(), many(333)
    together_ = model.assess_all(features)
    assert [model.assess_all([one])[0] for one in features] == together_
    assert model.assess_all(features[100:170]) == together_[100:170]


@pytest.mark.parametrize(("churners", "weight"), [(0, 0.0), (25, 1 / 3), (50, 0.5), (450, 0.9)])
def test_a_model_weighs_as_much_as_it_has_learned_from(churners: int, weight: float) -> None:
    assert evidence_weight(churners, 50) == pytest.approx(weight)
    assert risk(churners=churners).weight == pytest.approx(weight)


def test_odds_lie_between_the_scorecards_and_the_models_and_the_version_says_where() -> None:
    features = customer(usage=week(9, usual=41), support={"overdue": 2, "oldest_overdue_days": 3})
    card = Scorecard(POLICY).assess(features)
    moved = log_odds(card.churn_probability) - log_odds(POLICY.base_rate) + log_odds(0.1)
    alone = log_odds(risk(churners=10**9).assess_all([features])[0].churn_probability)
    half = risk().assess_all([features])[0]
    assert log_odds(half.churn_probability) == pytest.approx((moved + alone) / 2)
    assert half.model_version == "scorecard-2 and churn-2026-06-15-1, 50 % model"
    unpaid = read_model(stored(name="involuntary-2026-06-15-1"))
    both = TrainedRisk(POLICY, read_model(stored()), unpaid)
    assert both.version == "scorecard-2 and churn-2026-06-15-1 with involuntary-2026-06-15-1, 50 % model"


def test_reasons_are_one_per_family_in_words_with_what_protects_last() -> None:
    features = customer(
        usage=week(9, usual=41), support={"overdue": 3, "oldest_overdue_days": 3}, sentiment={"nps": 10}
    )
    drivers = risk(churners=450).assess_all([features])[0].drivers
    families = [driver.family for driver in drivers]
    assert len(set(families)) == len(families)
    assert "use fell from 41 to 9 actions a week" in [driver.sentence for driver in drivers]
    points = [driver.points for driver in drivers]
    assert points == sorted(points, reverse=True)
    assert points[0] > 0 > points[-1]


def test_what_is_unknown_is_no_reason() -> None:
    verdict = risk(churners=10**9).assess_all([customer(freshness={})])[0]
    assert all(driver.now is not None for driver in verdict.drivers)


def test_points_of_reasons_are_log_odds_in_the_scorecards_measure() -> None:
    model = read_model(stored(churners=10**9))
    features = many(50)
    matrix = model.matrix(features)
    contributions = model.contributions(matrix).sum(axis=1)
    odds = [log_odds(float(one)) for one in model.chances(matrix)]
    spread = {round(one - float(each), 9) for one, each in zip(odds, contributions, strict=True)}
    assert len(spread) == 1  # what is left is the average customer


def test_ways_to_leave_are_combined_as_if_independent() -> None:
    assert together(0.2, 0.1) == pytest.approx(1 - 0.8 * 0.9)
    without, beside = (risk(other_rate=rate, churners=10**9).chances(many(5)) for rate in (0.0, 0.05))
    for one, other in zip(without, beside, strict=True):
        assert other.probability == pytest.approx(together(one.probability, 0.05), abs=1e-6)
        assert one.voluntary_share == pytest.approx(1.0)
        assert other.voluntary_share < 1.0


def test_the_chance_of_a_renewal_only_falls_with_the_days_to_it() -> None:
    chances = [chance_to_stay(0.2, 90, days) for days in range(0, 800, 10)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] == 1.0
    assert chance_to_stay(0.2, 90, 90) == pytest.approx(0.8)


def test_what_is_not_foretold_has_its_reason() -> None:
    features = customer(commercial={"renewal_days": None, "period_days": None})
    found = outlook_of(features, 0.2, 90, None)
    assert found.renewal_probability is None
    assert found.reason == (
        "no end of a term is known, so no renewal is foretold; no model of expansion is in use yet"
    )
    assert Scorecard(POLICY).assess(features).outlook.reason is not None
    known = outlook_of(customer(commercial={"renewal_days": 45}), 0.2, 90, 0.3)
    assert known.reason is None
    assert known.renewal_probability == pytest.approx(math.sqrt(0.8))
