import numpy as np
import pytest

from domain.retention_figures import Held, Wait
from ml.retention_intervals import churn_figure, figures


def cohort(customers: int, left: int) -> list[Held]:
    return [Held(100, 0 if place < left else 100, left=place < left) for place in range(customers)]


def test_the_interval_of_churn_is_wilsons() -> None:
    figure = churn_figure(cohort(30, 6))
    assert (figure.value, figure.low, figure.high) == pytest.approx((0.2, 0.095, 0.373), abs=0.001)


def test_few_customers_of_whom_nobody_left_are_no_proof_of_no_churn() -> None:
    found = figures(cohort(20, 0), [])
    assert (found["churn"].value, found["grr"].value) == (0.0, 1.0)
    assert found["churn"].high is not None
    assert found["churn"].high > 0.1
    assert found["grr"].low is not None
    assert found["grr"].low < 0.9


def test_nobody_has_no_figure() -> None:
    found = figures([], [])
    assert {one.value for one in found.values()} == {None}
    assert found["churn"].document() == {"value": None, "low": None, "high": None, "customers": 0}


def test_a_wait_that_half_may_never_end_has_no_upper_bound() -> None:
    waits = [Wait(0, 10 * place, reached=place <= 6) for place in range(1, 12)]
    figure = figures([], waits)["time_to_value_days"]
    assert (figure.value, figure.high) == (60, None)
    assert figure.low is not None


def test_intervals_of_revenue_cover_the_truth_as_often_as_they_say() -> None:
    random, covered = np.random.default_rng(1), 0
    truth = 0.8 * 0.9
    for seed in range(60):
        kept = random.random(80) < 0.8
        rows = [Held(1000, 900 if stays else 0, left=not stays) for stays in kept]
        figure = figures(rows, [], seed=seed)["grr"]
        assert figure.low is not None
        assert figure.high is not None
        covered += figure.low <= truth <= figure.high
    assert covered >= 52


def test_the_same_seed_gives_the_same_interval() -> None:
    rows = cohort(40, 9)
    assert figures(rows, [], seed=3) == figures(rows, [], seed=3)
