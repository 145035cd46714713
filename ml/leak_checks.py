"""What gives a leak away: a model, or one column alone, that foretells more than behaviour can."""

from dataclasses import replace

import numpy as np

from domain.learning_port import Check
from ml.folds import forward_folds
from ml.metrics import auc
from ml.samples import Codes, Flags, Samples

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
    return [
        too_good(out_of_time_auc),
        single_feature(samples, horizon),
        purge(samples, horizon),
        grouping(samples, horizon),
        planted_leak(samples, horizon),
    ]


def too_good(figure: float) -> Check:
    """Tell whether a model ranks better out of time than behaviour can."""
    return Check("auc", not figure > MOST_AUC, f"AUC {figure:.3f} out of time", is_suspicion=True)


def single_feature(samples: Samples, horizon: int) -> Check:
    """Tell whether one column alone ranks better than any honest one does."""
    name, alone = strongest_column(samples, horizon)
    said = f"{name or 'no column'} alone reaches AUC {alone:.3f}, {MOST_COLUMN_AUC} is suspect"
    return Check("single_feature", alone <= MOST_COLUMN_AUC, said, is_suspicion=True)


def purge(samples: Samples, horizon: int, later: Samples | None = None) -> Check:
    """Tell whether every horizon that is learned from ends before what is judged: in folds, and `later`."""
    gaps = [
        _gap(samples.as_of[one.train], samples.as_of[one.valid]) for one in forward_folds(samples, horizon)
    ]
    if later is not None:
        gaps.append(_gap(samples.as_of, later.as_of))
    least = min(gaps, default=horizon)
    return Check("purge", least >= horizon, f"{least} days between learning and judging, {horizon} needed")


def _gap(learned: Codes, judged: Codes) -> int:
    return int(judged.min() - learned.max()) if len(learned) and len(judged) else 0


def grouping(samples: Samples, horizon: int) -> Check:
    """Tell whether no customer is on both sides of a fold."""
    folds = list(forward_folds(samples, horizon))
    shared = sum(
        len(np.intersect1d(samples.customers[one.train], samples.customers[one.valid])) for one in folds
    )
    return Check("grouping", shared == 0, f"{shared} customers on both sides of {len(folds)} folds")


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
