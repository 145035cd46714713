"""The mean, in log-odds, of what was learned: trees of several recipes, and lines beside them, in one."""

import functools
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from catboost import CatBoostClassifier, Pool

from ml.lines import Line, line_from
from ml.samples import Floats, Matrix

LINES = "everstay.lines"
"""Under this name CatBoost's own binary form carries the lines."""


@dataclass(frozen=True)
class MeanModel:
    """Trees and lines, each with its share of the mean already in its numbers: log-odds add up."""

    trees: CatBoostClassifier
    lines: tuple[Line, ...] = ()

    def log_odds(self, matrix: Matrix) -> Floats:
        """Return the log-odds of rows, each the same to the bit in whatever company."""
        raw = self.trees.predict(matrix, prediction_type="RawFormulaVal", thread_count=1)
        found = np.asarray(raw, dtype=np.float64)
        for line in self.lines:
            found = found + line.log_odds(matrix)
        return found

    def contributions(self, matrix: Matrix) -> Floats:
        """Return what each column adds to each row's log-odds (SHAP values: Lundberg, Lee 2017).

        They are CatBoost's own for the trees; of a weighted sum they are the deviations from the mean.
        """
        shap = self.trees.get_feature_importance(Pool(matrix), type="ShapValues", thread_count=1)
        found: Floats = np.array(shap, dtype=np.float64)[:, :-1]
        for line in self.lines:
            found[:, line.places] += line.parts(matrix)
        return found


def written(model: MeanModel) -> bytes:
    """Return a model in CatBoost's own binary form, lines in its metadata."""
    model.trees.get_metadata()[LINES] = json.dumps([one.document() for one in model.lines])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.cbm"
        model.trees.save_model(str(path), format="cbm")
        return path.read_bytes()


@functools.lru_cache(maxsize=16)
def read(artefact: bytes) -> MeanModel:
    """Return the model of an artefact; the same bytes are read once per process."""
    trees = CatBoostClassifier().load_model(blob=artefact)
    kept = dict(trees.get_metadata().items()).get(LINES)
    return MeanModel(trees, tuple(line_from(one) for one in json.loads(kept or "[]")))
