"""What ml does for activities, behind the ports of domain.

What learns is imported when it is first asked: a process that never does carries none of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.drift_words import Change
from domain.learning_port import Check, Gathered, Ruling
from domain.learning_rows import Sample, Snapshot
from domain.progress import Progress
from domain.scoring_policy import RiskPolicy, WeightPolicy
from domain.statistician import Hindsight, WeightEvidence
from domain.trained_model import NewModel, StoredModel, Twin
from domain.training_calendar import Training
from domain.vocabulary import HealthComponent
from domain.voices import Voices
from ml.recipes import RECIPES, Recipe


class CatBoostLearner:
    """Implements domain.learning_port.Learner."""

    def __init__(self, recipes: Sequence[Recipe] = RECIPES) -> None:
        """Take the ways to learn that are tried."""
        self._recipes = recipes

    def pack(self, columns: Sequence[str], snapshots: Sequence[Snapshot]) -> bytes:
        """Return compressed arrays."""
        from ml.training_rows import packed

        return packed(columns, snapshots)

    def learn(
        self, training: Training, gathered: Gathered, checks: Sequence[Check], progress: Progress
    ) -> NewModel:
        """Try the recipes and average the best."""
        from ml.challenger import learn_challenger

        return learn_challenger(training, gathered, checks, self._recipes, progress)

    def judge(
        self, challenger: Twin, champion: Twin | None, gathered: Gathered, policy: RiskPolicy
    ) -> Ruling:
        """Let the gate decide."""
        from ml.trial import try_challenger

        return try_challenger(challenger, champion, gathered, policy)


class CatBoostModelReader:
    """Implements domain.voices.ModelReader."""

    def read(self, stored: Sequence[StoredModel], policy: RiskPolicy) -> Voices:
        """Return who speaks."""
        from ml.voices import voices_of

        return voices_of(stored, policy)


class NumpyStatistician:
    """Implements domain.statistician.Statistician."""

    def describe(
        self, names: Sequence[str], rows: Sequence[Sequence[float]]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return quantile bins."""
        from ml.drift import references_of

        return {name: one.document() for name, one in references_of(_matrix(names, rows), names).items()}

    def changes(
        self, then: Mapping[str, Mapping[str, Any]], names: Sequence[str], rows: Sequence[Sequence[float]]
    ) -> Mapping[str, Change]:
        """Compare by the population stability index."""
        from ml.drift import read_reference, shifts_of

        references = {name: read_reference(one) for name, one in then.items()}
        return shifts_of(references, _matrix(names, rows), names)

    def look_back(self, left: Sequence[bool], foreseen: Sequence[float]) -> Hindsight:
        """Return calibration in the large and the log-loss."""
        import numpy as np

        from ml.drift import look_back

        return look_back(np.array(left, dtype=np.bool_), np.array(foreseen, dtype=np.float64))

    def weigh(
        self,
        samples: Sequence[Sample],
        present: Sequence[float],
        horizon: int,
        limits: WeightPolicy,
    ) -> WeightEvidence:
        """Fit a logistic regression without negative coefficients."""
        import numpy as np

        from ml.health_weights import propose_weights
        from ml.samples import samples_of

        rows = samples_of([name.value for name in HealthComponent], samples)
        return propose_weights(rows, np.array(present, dtype=np.float64), horizon, limits)


def _matrix(names: Sequence[str], rows: Sequence[Sequence[float]]) -> Any:
    import numpy as np

    return np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
