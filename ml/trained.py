"""A trained model in use: from the registry's bytes to chances and what they rest on, a batch at a time.

A row is predicted the same to the bit in whatever company (tests/ml/test_trained.py): one thread, no sums
across rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.features import CustomerFeatures
from domain.model_column import Column
from domain.model_features import column_named, vector
from domain.trained_model import StoredModel
from ml.anchors import Anchors
from ml.calibration import Calibration
from ml.fitting import over_horizon
from ml.mean_model import MeanModel, read
from ml.metrics import from_log_odds
from ml.recipes import Form
from ml.samples import Floats, Matrix, Samples


@dataclass(frozen=True)
class TrainedModel:
    """What was learned, with everything that turns its log-odds into chances."""

    name: str
    form: Form
    horizon: int
    columns: tuple[Column, ...]
    model: MeanModel
    base_rate: float
    calibration: Calibration
    anchors: Anchors
    churners: int
    other_rate: float

    def matrix(self, features: Sequence[CustomerFeatures]) -> Matrix:
        """Return one row per customer."""
        rows = [vector(one, self.columns) for one in features]
        return np.array(rows, dtype=np.float32).reshape(len(features), len(self.columns))

    def matrix_of(self, samples: Samples) -> Matrix:
        """Return the same from samples; what they do not have is unknown."""
        known = set(samples.columns)
        names = [column.name for column in self.columns]
        found = np.full((len(samples), len(names)), np.nan, dtype=np.float32)
        places = [place for place, name in enumerate(names) if name in known]
        found[:, places] = samples.select([names[place] for place in places])
        return found

    def chances(self, matrix: Matrix) -> Floats:
        """Return the calibrated probability of the event within the horizon."""
        chance = from_log_odds(self.model.log_odds(matrix))
        return self.calibration.apply(over_horizon(self.form, chance, self.horizon))

    def contributions(self, matrix: Matrix) -> Floats:
        """Return what each column adds to each row's log-odds.

        They are those of the model, times the slope of the calibration. For a hazard they are in log-odds of
        one period, which differ from those over the horizon by little while chances are small.
        """
        return self.model.contributions(matrix) * self.calibration.slope


def read_model(stored: StoredModel) -> TrainedModel:
    """Return a stored model."""
    return TrainedModel(
        name=stored.name,
        form=Form(stored.form),
        horizon=stored.horizon_days,
        columns=tuple(column_named(name) for name in stored.columns),
        model=read(stored.artefact),
        base_rate=stored.base_rate,
        calibration=Calibration(**stored.calibration),
        anchors=_anchors(stored.anchors, stored.base_rate),
        churners=stored.churners,
        other_rate=stored.other_rate,
    )


def _anchors(document: Mapping[str, Any], base_rate: float) -> Anchors:
    points = tuple((float(at), float(score)) for at, score in document["points"])
    return Anchors(points, base_rate, dict(document["shares"]))
