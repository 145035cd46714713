"""Signs that a model has seen the future: figures too good to be true, and splits that share rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ml.folds import Fold, forward_folds
from ml.metrics import auc
from ml.samples import Flags, Floats, Samples

MOST_AUC = 0.9
MOST_SINGLE_AUC = 0.8
"""Behaviour alone foretells departures at .68 to .77; what is better than this has a reason to be found."""
LEAST_EVENTS = 10
PLANTED = "planted.leak"


@dataclass(frozen=True)
class Check:
    """One check with what it saw."""

    name: str
    passed: bool
    sentence: str


def single_feature(samples: Samples, horizon: int) -> Check:
    """Tell whether one column alone ranks departures better than any honest one does."""
    known = samples.matured(horizon)
    happened = known.happened(horizon)
    if happened.sum() < LEAST_EVENTS:
        return Check("single_feature", passed=True, sentence="too few events for one column to be suspected")
    alone = [(column_auc(happened, known.matrix[:, place]), name) for place, name in enumerate(known.columns)]
    best, name = max(alone)
    said = f"the strongest column alone is {name} with an AUC of {best:.2f} ({MOST_SINGLE_AUC} is suspect)"
    return Check("single_feature", passed=best <= MOST_SINGLE_AUC, sentence=said)


def column_auc(happened: Flags, values: np.ndarray) -> float:
    """Return the better of both directions; unknown values stand in the middle."""
    known = np.isfinite(values)
    if not known.any():
        return 0.5
    filled: Floats = np.where(known, values, np.median(values[known])).astype(np.float64)
    found = auc(happened, filled)
    return max(found, 1 - found) if np.isfinite(found) else 0.5


def planted_leak(samples: Samples, horizon: int) -> Check:
    """Plant a column that knows the outcome, as a date that is filled in at the end would, and be refused.

    The column is the days to the event with a month of noise: what a `last seen` of today would be.
    """
    known = samples.matured(horizon)
    happened = known.happened(horizon)
    noise = np.random.default_rng(0).normal(0, 30, len(known))
    peek = np.where(happened, known.event_days, 4.0 * horizon) + noise
    planted = replace(
        known,
        columns=(*known.columns, PLANTED),
        matrix=np.column_stack([known.matrix, peek.astype(np.float32)]),
    )
    check = single_feature(planted, horizon)
    enough = happened.sum() >= LEAST_EVENTS
    refused = not check.passed and PLANTED in check.sentence
    return Check("planted_leak_refused", passed=refused or not enough, sentence=check.sentence)


def purge(train: Samples, test: Samples, horizon: int) -> Check:
    """Tell whether every label that was learned from had matured before the first row that is judged."""
    if not len(train) or not len(test):
        return Check("purge", passed=False, sentence="there is nothing to learn from, or nothing to judge")
    gap = int(test.as_of.min() - train.as_of.max())
    inner = [_fold_gap(train, fold) for fold in forward_folds(train, horizon)]
    least = min([gap, *inner])
    said = (
        f"{least} days at least between what is learned from and what is judged, for a horizon of {horizon}"
    )
    return Check("purge", passed=least >= horizon, sentence=said)


def _fold_gap(samples: Samples, fold: Fold) -> int:
    return int(samples.as_of[fold.valid].min() - samples.as_of[fold.train].max())


def grouping(train: Samples, horizon: int) -> Check:
    """Tell whether no customer is on both sides of a split within the training window."""
    folds = list(forward_folds(train, horizon))
    shared = sum(_shared(train, fold) for fold in folds)
    said = f"{shared} customers on both sides of {len(folds)} splits"
    return Check("grouping", passed=bool(folds) and shared == 0, sentence=said)


def _shared(samples: Samples, fold: Fold) -> int:
    return len(np.intersect1d(samples.customers[fold.train], samples.customers[fold.valid]))


def too_good(figure: float) -> Check:
    """Tell whether a model's AUC on later rows is above what behaviour can foretell."""
    said = f"an AUC of {figure:.2f} ({MOST_AUC} is suspect)"
    return Check("auc", passed=not figure > MOST_AUC, sentence=said)


def passed(checks: Sequence[Check]) -> dict[str, bool]:
    """Return the verdicts by name."""
    return {one.name: one.passed for one in checks}
