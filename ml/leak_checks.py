"""What gives a leak away: a model, or one column alone, that foretells more than behaviour can."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ml.folds import Fold, forward_folds
from ml.gate import Check
from ml.metrics import auc
from ml.samples import Flags, Samples

MOST_AUC = 0.9
MOST_COLUMN_AUC = 0.8
"""Time-forward churn of real companies reaches .68 to .77; more is a reason to look (ml research)."""


def strongest_column(samples: Samples, horizon: int) -> tuple[str, float]:
    """Return the column that ranks the events best by itself, and how well (0.5 to 1)."""
    happened = samples.happened(horizon)
    found = [(name, _alone(samples, place, happened)) for place, name in enumerate(samples.columns)]
    return max(found, key=lambda one: one[1], default=("", 0.5))


def _alone(samples: Samples, place: int, happened: Flags) -> float:
    """Return how well a column ranks in its better direction; its missing values stand at one end."""
    values = samples.matrix[:, place].astype(np.float64)
    ranks = [np.nan_to_num(values, nan=end) for end in (-np.inf, np.inf)]
    both = [auc(happened, one) for one in ranks]
    return max((max(one, 1 - one) for one in both if np.isfinite(one)), default=0.5)


def leak_checks(samples: Samples, horizon: int, out_of_time_auc: float) -> list[Check]:
    """Return the checks that need nothing but samples: run before every trial."""
    folds = list(forward_folds(samples, horizon))
    name, alone = strongest_column(samples, horizon)
    return [
        Check(
            "auc",
            not out_of_time_auc > MOST_AUC,
            f"AUC {out_of_time_auc:.3f} out of time",
            is_suspicion=True,
        ),
        Check(
            "single_feature",
            alone <= MOST_COLUMN_AUC,
            f"{name or 'no column'} alone reaches AUC {alone:.3f}",
            is_suspicion=True,
        ),
        _purge(samples, folds, horizon),
        _grouping(samples, folds),
        planted_leak(samples, horizon),
    ]


def _purge(samples: Samples, folds: Sequence[Fold], horizon: int) -> Check:
    gaps = [int(samples.as_of[one.valid].min() - samples.as_of[one.train].max()) for one in folds]
    least = min(gaps, default=horizon)
    return Check("purge", least >= horizon, f"{least} days between learning and judging, {horizon} needed")


def _grouping(samples: Samples, folds: Sequence[Fold]) -> Check:
    shared = sum(
        len(np.intersect1d(samples.customers[one.train], samples.customers[one.valid])) for one in folds
    )
    said = f"{shared} customers both learned from and judged in a fold"
    return Check("grouping", shared == 0, said)


def planted_leak(samples: Samples, horizon: int) -> Check:
    """Plant a column that knows the outcome, and see that the check of single columns finds it."""
    happened = samples.happened(horizon)
    if not happened.any() or happened.all():
        return Check("planted_leak_refused", passed=True, said="no events to plant a leak about")
    spoiled = samples.matrix.copy()
    spoiled[:, 0] = happened
    name, alone = strongest_column(replace(samples, matrix=spoiled), horizon)
    seen = name == samples.columns[0] and alone > MOST_COLUMN_AUC
    return Check("planted_leak_refused", seen, f"a planted column reached {alone:.3f} and was named")
