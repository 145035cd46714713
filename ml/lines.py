"""A logistic regression beside the trees: what grows evenly over many columns, trees see only in steps.

Columns are taken as signed logarithms of 1 and their size, since ten more uses say less of a customer with a
thousand of them than of one with ten; what is unknown is taken as the middle of what is known.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from ml.samples import Flags, Floats, Matrix

FARTHEST = 3.0
"""Standard deviations from the mean beyond which a value says no more."""
ROUNDS, PRECISION = 200, 1e-6
"""Of the solver."""
ARRAYS = ("middles", "means", "scales", "weights")


@dataclass(frozen=True)
class Line:
    """Log-odds that are a weighted sum of columns. All arrays have one entry per column that is read."""

    places: tuple[int, ...]
    """Which columns of a matrix are read."""
    middles: Floats
    means: Floats
    scales: Floats
    weights: Floats
    intercept: float

    def parts(self, matrix: Matrix) -> Floats:
        """Return what each column that is read adds to each row's log-odds."""
        return standardised(bent(matrix[:, self.places]), self) * self.weights

    def log_odds(self, matrix: Matrix) -> Floats:
        """Return the log-odds; of a row the same to the bit in whatever company (no product of matrices)."""
        summed: Floats = np.ascontiguousarray(self.parts(matrix)).sum(axis=1)
        return summed + self.intercept

    def weighted(self, weight: float) -> "Line":
        """Return a share of it."""
        return Line(
            self.places, self.middles, self.means, self.scales, self.weights * weight, self.intercept * weight
        )

    def document(self) -> dict[str, Any]:
        """Return it as plain numbers, which read back to the same bits."""
        arrays = {name: getattr(self, name).tolist() for name in ARRAYS}
        return {"places": list(self.places), **arrays, "intercept": self.intercept}


def line_from(document: dict[str, Any]) -> Line:
    """Return a line that was kept."""
    arrays = {name: np.array(document[name], dtype=np.float64) for name in ARRAYS}
    return Line(tuple(document["places"]), intercept=float(document["intercept"]), **arrays)


def bent(matrix: Matrix) -> Floats:
    """Return signed logarithms."""
    values = matrix.astype(np.float64)
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)), dtype=np.float64)


def standardised(values: Floats, line: Line) -> Floats:
    """Return deviations from the mean in standard deviations, held within what says something."""
    known = np.where(np.isfinite(values), values, line.middles)
    found: Floats = np.clip((known - line.means) / line.scales, -FARTHEST, FARTHEST)
    return found


def fit_line(
    matrix: Matrix, happened: Flags, places: tuple[int, ...], signs: tuple[int, ...] | None, ridge: float
) -> Line:
    """Fit by plain log-loss with a ridge; a column that would get the wrong sign is left out.

    `signs`: one per place, 0 where none is known. `ridge`: half of it times the squares of the weights is
    added to the summed log-loss.
    """
    values = bent(matrix[:, places])
    middles = _middles(values)
    filled = np.where(np.isfinite(values), values, middles)
    spread = filled.std(axis=0)
    scales = np.where(spread > 0, spread, 1.0)
    line = Line(places, middles, filled.mean(axis=0), scales, np.zeros(len(places)), 0.0)
    rows, read = standardised(values, line), np.flatnonzero(spread > 0)
    asked = np.array(signs or (0,) * len(places))
    while True:
        weights, intercept = _solved(rows[:, read], happened, ridge)
        wrong = weights * asked[read] < 0
        if not wrong.any():
            break
        read = read[~wrong]
    every = np.zeros(len(places))
    every[read] = weights
    return Line(places, middles, line.means, scales, every, intercept)


def _middles(values: Floats) -> Floats:
    known = np.isfinite(values).any(axis=0)
    found = np.zeros(values.shape[1])
    found[known] = np.nanmedian(values[:, known], axis=0)
    return found


def _solved(rows: Floats, happened: Flags, ridge: float) -> tuple[Floats, float]:
    if not rows.shape[1]:
        rate = float(happened.mean())
        return np.zeros(0), float(np.log(rate / (1 - rate)))
    solver = LogisticRegression(C=1 / ridge, solver="newton-cholesky", max_iter=ROUNDS, tol=PRECISION)
    solver.fit(rows, happened)
    return np.asarray(solver.coef_[0], dtype=np.float64), float(solver.intercept_[0])
