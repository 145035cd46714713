from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from ml.bootstrap import interval, resamples
from ml.calibration import IDENTITY, Calibration, choose_calibration
from ml.metrics import (
    auc,
    calibration_bins,
    calibration_line,
    expected_calibration_error,
    figures,
    from_log_odds,
    lift,
    log_losses,
    log_odds,
)

pairs = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=60)


@given(pairs)
def test_the_area_is_that_of_the_textbook_ties_included(rows: list[tuple[bool, int]]) -> None:
    happened = np.array([one for one, _ in rows])
    score = np.array([float(two) for _, two in rows])
    if happened.all() or not happened.any():
        assert np.isnan(auc(happened, score))
    else:
        assert auc(happened, score) == pytest.approx(roc_auc_score(happened, score))


def honest(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities, and outcomes drawn with exactly those."""
    random = np.random.default_rng(seed)
    probability = from_log_odds(random.normal(-2, 1, rows))
    return random.random(rows) < probability, probability


def test_what_is_drawn_from_the_probabilities_is_calibrated() -> None:
    happened, probability = honest(200_000)
    intercept, slope = calibration_line(happened, probability)
    assert intercept == pytest.approx(0, abs=0.05)
    assert slope == pytest.approx(1, abs=0.03)
    assert expected_calibration_error(happened, probability) < 0.004


def test_overconfidence_shows_as_a_slope_below_one_and_timidity_above() -> None:
    happened, probability = honest(50_000)
    bold, shy = (from_log_odds(factor * (log_odds(probability) + 2) - 2) for factor in (2.0, 0.5))
    assert calibration_line(happened, bold)[1] == pytest.approx(0.5, abs=0.05)
    assert calibration_line(happened, shy)[1] == pytest.approx(2.0, abs=0.2)


def test_the_figures_of_a_perfect_ranking() -> None:
    happened = np.array([False] * 90 + [True] * 10)
    found = figures(happened, np.linspace(0.01, 0.9, 100), constant=0.1)
    assert (found.auc, found.pr_auc, found.lift_top_decile) == pytest.approx((1.0, 1.0, 10.0))
    assert found.constant_log_loss == pytest.approx(-(0.1 * np.log(0.1) + 0.9 * np.log(0.9)))
    assert lift(happened, -np.linspace(0, 1, 100)) == 0.0


def test_calibration_bins_hold_all_rows_lowest_first() -> None:
    happened, probability = honest(1_003)
    bins = calibration_bins(happened, probability)
    assert sum(one.rows for one in bins) == 1_003
    assert [one.predicted for one in bins] == sorted(one.predicted for one in bins)


def test_a_drawn_customer_comes_with_all_its_rows() -> None:
    customers = np.array([5, 5, 7, 9, 9, 9])
    for places in resamples(customers, seed=1, rounds=50):
        drawn = customers[places]
        assert (drawn == 5).sum() % 2 == 0
        assert (drawn == 9).sum() % 3 == 0


def mean_of(values: np.ndarray) -> Callable[[np.ndarray], float]:
    return lambda rows: float(values[rows].mean())


def test_intervals_cover_the_truth_at_about_their_rate() -> None:
    covered = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        level = random.normal(0, 1, 100)
        customers = np.repeat(np.arange(100), 5)
        values = np.repeat(level, 5)
        found = interval(customers, mean_of(values), seed=seed, rounds=200)
        covered += found.low <= 0 <= found.high
    assert covered >= 50


def test_rows_as_evidence_of_their_own_would_be_too_sure() -> None:
    values = np.repeat(np.random.default_rng(0).normal(0, 1, 100), 20)
    by_customer = interval(np.repeat(np.arange(100), 20), lambda rows: float(values[rows].mean()))
    by_row = interval(np.arange(2_000), lambda rows: float(values[rows].mean()))
    assert by_customer.high - by_customer.low > 3 * (by_row.high - by_row.low)


def test_probabilities_that_are_right_are_left_alone() -> None:
    happened, probability = honest(6_000)
    customers, as_of = np.arange(6_000), np.repeat(np.arange(6), 1_000)
    assert choose_calibration(happened, probability, customers, as_of) == IDENTITY


def test_what_is_wrong_in_the_same_way_later_is_corrected() -> None:
    happened, probability = honest(6_000)
    wrong = from_log_odds(2 * log_odds(probability) + 1)
    chosen = choose_calibration(happened, wrong, np.arange(6_000), np.repeat(np.arange(6), 1_000))
    assert chosen.slope == pytest.approx(0.5, abs=0.1)
    assert log_losses(happened, chosen.apply(wrong)).mean() < log_losses(happened, wrong).mean()


def test_few_labels_correct_nothing() -> None:
    happened, probability = honest(300)
    wrong = from_log_odds(2 * log_odds(probability))
    assert choose_calibration(happened, wrong, np.arange(300), np.repeat(np.arange(6), 50)) == IDENTITY


def test_a_correction_keeps_the_order() -> None:
    _, probability = honest(100)
    corrected = Calibration(0.3, 0.7).apply(probability)
    assert (np.argsort(corrected) == np.argsort(probability)).all()
