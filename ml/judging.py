"""Judges recipes out of time, and says which of them are averaged, each with how many trees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ml.bootstrap import interval
from ml.fitting import fit, over_horizon
from ml.folds import Fold
from ml.metrics import auc, from_log_odds, log_losses, log_odds
from ml.recipes import STAGES, Recipe, columns_of
from ml.samples import Codes, Flags, Floats, Samples


@dataclass(frozen=True)
class OutOfTime:
    """Rows that are predicted by models that had seen neither their time nor their customers."""

    rows: Codes
    happened: Flags
    customers: Codes
    as_of: Codes
    more: float
    """How many times more rows the final model learns from than a fold."""

    def loss(self, probability: Floats) -> float:
        """Return the pooled log-loss."""
        return float(log_losses(self.happened, probability).mean())


@dataclass(frozen=True)
class Judged:
    """One recipe's out-of-time probabilities after each of the stages."""

    recipe: Recipe
    stages: tuple[Floats, ...]
    losses: tuple[float, ...]

    @property
    def best(self) -> int:
        """Return the stage with the lowest log-loss."""
        return min(range(len(self.losses)), key=lambda stage: self.losses[stage])

    @property
    def loss(self) -> float:
        """Return the log-loss there."""
        return self.losses[self.best]

    def later(self, stages: int) -> int:
        """Return the stage so many after the best one, the last at most."""
        return min(self.best + stages, len(STAGES) - 1)

    def auc(self, pooled: OutOfTime) -> float:
        """Return the area under the curve at the best stage."""
        return auc(pooled.happened, self.stages[self.best])


def pool(samples: Samples, folds: Sequence[Fold], horizon: int) -> OutOfTime:
    """Return the rows that the folds judge, in their order."""
    rows = np.concatenate([fold.valid for fold in folds])
    more = len(samples) / float(np.mean([len(fold.train) for fold in folds]))
    happened = samples.happened(horizon)[rows]
    return OutOfTime(rows, happened, samples.customers[rows], samples.as_of[rows], more)


def judge(
    recipe: Recipe,
    samples: Samples,
    available: Sequence[str],
    folds: Sequence[Fold],
    pooled: OutOfTime,
    horizon: int,
    seed: int,
) -> Judged:
    """Predict every fold at every stage."""
    columns = columns_of(recipe, available)
    matrix = samples.select(columns)
    found: list[list[Floats]] = [[] for _ in STAGES]
    for fold in folds:
        model = fit(recipe, samples.where(fold.train), columns, horizon, seed)
        for stage, trees in enumerate(STAGES):
            raw = model.predict(matrix[fold.valid], prediction_type="RawFormulaVal", ntree_end=trees)
            found[stage].append(over_horizon(recipe.form, from_log_odds(np.asarray(raw)), horizon))
    stages = tuple(np.concatenate(parts) for parts in found)
    return Judged(recipe, stages, tuple(pooled.loss(one) for one in stages))


def keep(judged: Sequence[Judged], pooled: OutOfTime) -> list[Judged]:
    """Return the best, and of its form the best of every other list of columns that it does not surely beat.

    Where few have left, which list is best is luck: their mean is the safer choice.
    """
    ranked = sorted(judged, key=lambda one: one.loss)
    best = ranked[0]
    losses = log_losses(pooled.happened, best.stages[best.best])
    kept = {best.recipe.columns: best}
    for one in ranked:
        if one.recipe.form is not best.recipe.form or one.recipe.columns in kept:
            continue
        worse = log_losses(pooled.happened, one.stages[one.best]) - losses
        if interval(pooled.customers, _mean_of(worse), level=0.8, rounds=200).low <= 0:
            kept[one.recipe.columns] = one
    return list(kept.values())


def _mean_of(values: Floats) -> Callable[[Codes], float]:
    return lambda rows: float(values[rows].mean())


def deepen(kept: Sequence[Judged], pooled: OutOfTime) -> tuple[list[tuple[Recipe, int]], Floats]:
    """Return the number of trees of each, and the mean's out-of-time probabilities.

    A mean is less sure than its parts, so each may go on for some stages beyond its own best one. The final
    model learns from more rows than a fold and bears more trees, in proportion (docs/learning.md).
    """
    means = [mean_of([one.stages[one.later(extra)] for one in kept]) for extra in range(len(STAGES))]
    extra = min(range(len(means)), key=lambda stages: pooled.loss(means[stages]))
    return [(one.recipe, round(STAGES[one.later(extra)] * pooled.more)) for one in kept], means[extra]


def mean_of(probabilities: Sequence[Floats]) -> Floats:
    """Return the mean in log-odds, as the trees are averaged."""
    return from_log_odds(np.mean([log_odds(one) for one in probabilities], axis=0))
