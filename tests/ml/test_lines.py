"""A line beside the trees: its weights, its signs, what it makes of the unknown, its way through bytes."""

import numpy as np
import pytest
from catboost import CatBoostClassifier, Pool

from ml.lines import Line, fit_line
from ml.mean_model import MeanModel, read, written
from ml.samples import Flags, Matrix

ROWS, RIDGE = 3000, 1.0


def made(seed: int = 1) -> tuple[Matrix, Flags]:
    """Return three columns of which the logarithm of the second doubles the odds of leaving per 1, of 0.2."""
    dice = np.random.default_rng(seed)
    matrix = dice.lognormal(size=(ROWS, 3)).astype(np.float32)
    odds = 0.25 * 2 ** np.log1p(matrix[:, 1].astype(np.float64))
    return matrix, dice.random(ROWS) < odds / (1 + odds)


def line_of(signs: tuple[int, ...] | None = None) -> Line:
    return fit_line(*made(), (0, 1, 2), signs, RIDGE)


def test_weights_come_near_the_truth() -> None:
    line = line_of()
    per_logarithm = line.weights / line.scales
    assert per_logarithm[1] == pytest.approx(np.log(2), abs=0.25)
    assert np.abs(per_logarithm[[0, 2]]).max() < 0.2


def test_a_column_that_would_get_the_wrong_sign_is_left_out() -> None:
    held = line_of((0, -1, 0))
    assert held.weights[1] == 0.0
    assert line_of((0, 1, 0)).weights[1] > 0


def test_without_a_column_to_read_it_says_the_base_rate() -> None:
    matrix, happened = made()
    nothing = fit_line(np.ones_like(matrix), happened, (0, 1), None, RIDGE)
    assert 1 / (1 + np.exp(-nothing.log_odds(matrix))) == pytest.approx(np.full(ROWS, happened.mean()))


def test_what_is_unknown_is_taken_as_the_middle_and_what_is_far_no_farther() -> None:
    matrix, _ = made()
    line = line_of()
    middle = np.median(matrix, axis=0)[None, :].astype(np.float32)
    unknown = np.full((1, 3), np.nan, dtype=np.float32)
    assert line.log_odds(unknown) == pytest.approx(line.log_odds(middle), abs=1e-5)
    far, farther = (line.log_odds(np.full((1, 3), value, dtype=np.float32)) for value in (1e6, 1e9))
    assert far == farther


def test_trees_and_lines_add_up_alone_as_in_company_and_survive_the_registry() -> None:
    matrix, happened = made()
    trees = CatBoostClassifier(iterations=20, depth=2, verbose=False, allow_writing_files=False)
    trees.fit(Pool(matrix, happened.astype(int)))
    model = MeanModel(trees, (line_of().weighted(0.5), fit_line(*made(), (1,), None, RIDGE)))
    again = read(written(model))
    odds = again.log_odds(matrix)
    assert (odds == model.log_odds(matrix)).all()
    for place in range(0, 200, 7):
        assert again.log_odds(matrix[place : place + 1])[0] == odds[place]
    left = odds - again.contributions(matrix).sum(axis=1)
    assert np.ptp(left) < 1e-6, "what is left is the average customer"
    by_trees = trees.predict(matrix, prediction_type="RawFormulaVal")
    assert odds - by_trees == pytest.approx(sum(line.log_odds(matrix) for line in model.lines))
