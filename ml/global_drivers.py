"""What a model's chances rest on over a whole portfolio: mean absolute SHAP values, by part of health."""

from typing import Any

import numpy as np

from domain.model_features import column_named
from domain.vocabulary import HealthComponent
from ml.learning import Learned
from ml.samples import Floats, Matrix

MOST_ROWS = 2000
"""Rows that are looked at, evenly over all: a mean over more says the same."""
MOST_COLUMNS = 5
"""Columns of a family that are named."""
SOME_DIRECTION = 0.3
"""From this correlation of values and contributions on, a column is said to raise or lower the chance."""


def global_drivers(learned: Learned, matrix: Matrix) -> dict[str, Any]:
    """Return families and their columns by how far they move the log-odds in the mean (Lundberg, Lee 2017).

    Columns of a family are added up before the mean is taken, as the reasons of each score are. `matrix`:
    rows of the model's columns.
    """
    rows = matrix[:: max(1, -(-len(matrix) // MOST_ROWS))]
    if not len(rows):
        return {"rows": 0, "families": []}
    moved = learned.model.contributions(rows) * learned.calibration.slope
    families = np.array([column_named(name).family.value for name in learned.columns])
    sums = {
        one.value: float(np.abs(moved[:, families == one.value].sum(axis=1)).mean())
        for one in HealthComponent
    }
    total = sum(sums.values()) or 1.0
    told = [
        {
            "family": name,
            "log_odds": size,
            "share": size / total,
            "columns": _columns(learned.columns, moved, rows, np.flatnonzero(families == name).tolist()),
        }
        for name, size in sorted(sums.items(), key=lambda one: -one[1])
        if size > 0
    ]
    return {"rows": len(rows), "families": told}


def _columns(names: tuple[str, ...], moved: Floats, rows: Matrix, places: list[int]) -> list[dict[str, Any]]:
    sizes = {place: float(np.abs(moved[:, place]).mean()) for place in places}
    ranked = sorted((place for place in places if sizes[place] > 0), key=lambda place: -sizes[place])
    return [
        {
            "column": names[place],
            "log_odds": sizes[place],
            "direction": _direction(rows[:, place].astype(np.float64), moved[:, place]),
        }
        for place in ranked[:MOST_COLUMNS]
    ]


def _direction(values: Floats, moved: Floats) -> int:
    """Return 1 where more of it raises the chance, -1 where it lowers it, 0 where it depends."""
    known = np.isfinite(values)
    if known.sum() < 2 or np.ptp(values[known]) == 0 or np.ptp(moved[known]) == 0:  # noqa: PLR2004  two points
        return 0
    ranks = values[known].argsort(kind="stable").argsort(kind="stable")
    correlation = float(np.corrcoef(ranks, moved[known])[0, 1])
    return 0 if abs(correlation) < SOME_DIRECTION else int(np.sign(correlation))
