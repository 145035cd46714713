"""Estimates of untried policies against logs whose truth is known, and shares that follow the evidence."""

import numpy as np
import pytest

from domain.interval import Interval
from ml.bandit import best_shares, lifted
from ml.off_policy import (
    Estimator,
    Log,
    best_per_context,
    doubly_robust,
    gain_over_constant,
    ips,
    policy_of,
    snips,
    value,
)
from ml.uplift import EMPTY, Rate

MEANS = np.array([[0.2, 0.5], [0.6, 0.3], [0.4, 0.4]])
"""Reward of each arm in each context."""
ESTIMATORS = pytest.mark.parametrize("estimator", [ips, snips, doubly_robust])


def logged(rows: int, seed: int, means: np.ndarray = MEANS, per_customer: int = 1) -> Log:
    random = np.random.default_rng(seed)
    context = random.integers(0, len(means), rows)
    chance = np.where(context == 0, 0.7, 0.4)
    arm = (random.random(rows) >= chance).astype(np.int64)
    propensity = np.where(arm == 0, chance, 1 - chance)
    reward = (random.random(rows) < means[context, arm]).astype(float)
    return Log(np.arange(rows) // per_customer, context, arm, propensity, reward, 2)


def best(log: Log) -> np.ndarray:
    return policy_of(np.array([1, 0, 0])[log.context], 2)


TRUTH = float(np.mean([0.5, 0.6, 0.4]))


@ESTIMATORS
def test_estimates_are_right_on_average_and_cover_the_truth_at_their_rate(estimator: Estimator) -> None:
    found = [value(log, best(log), estimator) for log in (logged(900, seed) for seed in range(200))]
    assert np.mean([one.value for one in found]) == pytest.approx(TRUTH, abs=0.006)
    covered = np.mean([one.low <= TRUTH <= one.high for one in found])
    assert covered == pytest.approx(0.95, abs=0.045)


def test_a_guess_that_is_wrong_leaves_the_doubly_robust_estimate_right() -> None:
    wrong = [
        doubly_robust(log, best(log), np.full((len(log), 2), 0.9)).mean()
        for log in (logged(900, seed) for seed in range(100))
    ]
    assert np.mean(wrong) == pytest.approx(TRUTH, abs=0.01)


def test_a_good_guess_makes_the_doubly_robust_estimate_narrower() -> None:
    log = logged(3_000, 1)
    assert width(value(log, best(log))) < width(value(log, best(log), ips))


def width(found: Interval) -> float:
    return found.high - found.low


def test_rows_of_one_customer_are_no_independent_evidence() -> None:
    one = logged(600, 2)
    doubled = Log(
        np.repeat(one.customer, 2),
        np.repeat(one.context, 2),
        np.repeat(one.arm, 2),
        np.repeat(one.propensity, 2),
        np.repeat(one.reward, 2),
        2,
    )
    assert width(value(doubled, best(doubled), ips)) > 0.9 * width(value(one, best(one), ips))


def test_personal_treatment_is_taken_up_where_groups_truly_differ() -> None:
    log = logged(4_000, 3)
    assert gain_over_constant(log, policy_of(best_per_context(log), 2)).low > 0


def test_personal_treatment_is_hardly_ever_taken_up_where_groups_are_alike() -> None:
    alike = np.array([[0.4, 0.5], [0.4, 0.5], [0.4, 0.5]])
    logs = [logged(1_000, seed, alike) for seed in range(100)]
    taken = [gain_over_constant(log, policy_of(best_per_context(log), 2)).low > 0 for log in logs]
    assert np.mean(taken) < 0.05


def test_a_variant_is_dealt_as_often_as_it_may_be_the_best() -> None:
    rates = [Rate(0.5, 40), Rate(0.6, 40), Rate(0.3, 40)]
    random = np.random.default_rng(6)
    draws = np.stack([random.beta(one.good + 1, one.bad + 1, 200_000) for one in rates])
    often = np.bincount(draws.argmax(axis=0), minlength=3) / 200_000
    assert best_shares(rates) == pytest.approx(list(often), abs=0.005)
    assert best_shares(rates) == best_shares(rates)


def test_without_evidence_all_variants_are_alike_and_with_much_the_least_share_stays() -> None:
    assert best_shares([EMPTY, EMPTY]) == pytest.approx([0.5, 0.5])
    assert best_shares([Rate(0.9, 5_000), Rate(0.1, 5_000), EMPTY], 0.1)[1] == pytest.approx(0.1)


@pytest.mark.parametrize(
    "shares", [[0.97, 0.02, 0.01], [0.5, 0.5, 0.0], [0.36, 0.33, 0.31], [0.89, 0.11, 0.0]]
)
def test_lifted_shares_add_up_and_none_is_below_the_least(shares: list[float]) -> None:
    found = lifted(shares, 0.1)
    assert sum(found) == pytest.approx(1)
    assert min(found) >= 0.1 - 1e-9


def test_dealing_by_shares_finds_the_better_variant_and_loses_little() -> None:
    random = np.random.default_rng(7)
    truth, good, dealt = np.array([0.3, 0.5]), np.zeros(2), np.zeros(2)
    for _ in range(40):
        rates = [Rate(good[arm] / max(dealt[arm], 1), dealt[arm]) for arm in range(2)]
        arms = random.choice(2, 25, p=best_shares(rates, 0.1))
        for arm in range(2):
            size = int((arms == arm).sum())
            dealt[arm] += size
            good[arm] += random.binomial(size, truth[arm])
    assert dealt[1] / dealt.sum() > 0.8
