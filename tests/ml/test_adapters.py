"""What activities are given to learn with: light until it is asked, and plain rows in and out."""

import datetime as dt
import math
import subprocess
import sys
import uuid
from array import array

import numpy as np
import pytest

from domain.labels import Relation
from domain.learning_port import Gathered, TooLittleError
from domain.learning_rows import Outcome, Sample, Snapshot, World
from domain.model_features import COLUMNS
from domain.time import business
from domain.trained_model import ModelTarget
from domain.vocabulary import Segment
from ml.adapters import CatBoostLearner, NumpyStatistician
from ml.samples import samples_of
from ml.training_rows import rows_of

ACME, GONE = uuid.UUID(int=1), uuid.UUID(int=2)
BEGAN = business(dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
DATE = dt.date(2025, 6, 1)
FIRST, SECOND, THIRD = COLUMNS[:3]
WORLD = World(
    relations={ACME: Relation(BEGAN, (), ())},
    codes={ACME: 7},
    since={},
    columns=(SECOND, THIRD, FIRST),
    known_until=business(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
)


def snapshot(customer_id: uuid.UUID, *values: float) -> Snapshot:
    return Snapshot(customer_id, DATE, array("f", values), 1200.0, Segment.SMALL, 0.04)


def test_a_process_that_is_given_who_learns_carries_none_of_it_until_it_is_asked() -> None:
    told = "import sys, workers.registry; print({'catboost', 'sklearn'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, check=True, text=True)
    assert run.stdout.strip() == "set()"


def test_what_was_kept_under_other_columns_is_put_in_place_and_else_unknown() -> None:
    kept = CatBoostLearner().pack((FIRST.name, SECOND.name), [snapshot(ACME, 1, 2), snapshot(GONE, 3, 4)])
    rows = rows_of(Gathered(WORLD, (kept,)), ModelTarget.CHURN)
    assert rows.samples.columns == (SECOND.name, THIRD.name, FIRST.name)
    np.testing.assert_array_equal(rows.samples.matrix, np.array([[2, math.nan, 1]], dtype=np.float32))
    assert rows.samples.customers.tolist() == [7]
    assert (rows.scorecard.tolist(), rows.segments) == ([0.04], ("small",))


def test_dates_on_which_nobody_was_a_customer_teach_nothing_and_that_is_said() -> None:
    nobody = CatBoostLearner().pack([FIRST.name], [])
    with pytest.raises(TooLittleError, match="nobody was a customer"):
        rows_of(Gathered(WORLD, (nobody, nobody)), ModelTarget.CHURN)


def test_plain_rows_become_arrays_in_their_order() -> None:
    row = Sample(7, DATE, array("f", (1.5, math.nan)), 1200.0, Outcome(45.0, 90.0))
    samples = samples_of(("a", "b"), [row, row])
    assert samples.matrix.dtype == np.float32
    assert samples.matrix.shape == (2, 2)
    assert samples.happened(90).all()
    assert len(samples_of(("a", "b"), [])) == 0


def test_rows_that_changed_are_told_from_those_that_did_not() -> None:
    statistician = NumpyStatistician()
    before = [[float(place), float(place)] for place in range(200)]
    then = statistician.describe(("same", "moved"), before)
    found = statistician.changes(then, ("same", "moved"), [[one, two + 500] for one, two in before])
    assert found["same"].psi < 0.01
    assert found["moved"].psi > 1
    assert statistician.look_back([True, False], [0.5, 0.5]).observed == 1
