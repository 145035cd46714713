"""Judges recipes out of time, and says which of them are averaged, each with how many trees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ml.bootstrap import interval
from ml.fitting import Chosen, fit, fit_linear, over_horizon
from ml.folds import Fold
from ml.metrics import auc, from_log_odds, log_losses, log_odds
from ml.recipes import RIDGES, STAGES, Recipe, columns_of
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
    columns: tuple[str, ...]
    stages: tuple[Floats, ...]
    losses: tuple[float, ...]

    @property
    def kind(self) -> tuple[tuple[str, ...], bool]:
        """Return what it reads and how: of those that are alike in both, one is averaged."""
        return self.columns, self.recipe.is_line

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
    staged = _line_by_stages if recipe.is_line else _trees_by_stages
    found = [staged(recipe, samples, available, fold, horizon, seed) for fold in folds]
    stages = tuple(
        over_horizon(recipe.form, from_log_odds(np.concatenate(parts)), horizon)
        for parts in zip(*found, strict=True)
    )
    losses = tuple(pooled.loss(one) for one in stages)
    return Judged(recipe, columns_of(recipe, available), stages, losses)


def _trees_by_stages(
    recipe: Recipe, samples: Samples, available: Sequence[str], fold: Fold, horizon: int, seed: int
) -> list[Floats]:
    """Return the log-odds of a fold after each number of trees."""
    columns = columns_of(recipe, available)
    model = fit(recipe, samples.where(fold.train), columns, horizon, seed)
    matrix = samples.where(fold.valid).select(columns)
    found = [
        model.predict(matrix, prediction_type="RawFormulaVal", ntree_end=trees, thread_count=1)
        for trees in STAGES
    ]
    return [np.asarray(raw, dtype=np.float64) for raw in found]


def _line_by_stages(
    recipe: Recipe, samples: Samples, available: Sequence[str], fold: Fold, horizon: int, _seed: int
) -> list[Floats]:
    """Return the log-odds of a fold with each ridge."""
    known, matrix = samples.where(fold.train), samples.where(fold.valid).select(available)
    return [fit_linear(recipe, known, available, horizon, ridge).log_odds(matrix) for ridge in RIDGES]


def keep(judged: Sequence[Judged], pooled: OutOfTime) -> list[Judged]:
    """Return the best, and of its form the best of every other kind that it does not surely beat.

    A kind is a list of columns, read by trees or by a line. Where few have left, which one is best is luck:
    their mean is the safer choice. The best trees of the form always stay.
    """
    ranked = sorted(judged, key=lambda one: one.loss)
    best = ranked[0]
    losses = log_losses(pooled.happened, best.stages[best.best])
    kept = {best.kind: best}
    alike = [one for one in ranked if one.recipe.form is best.recipe.form]
    trees = next(one for one in alike if not one.recipe.is_line)
    for one in alike:
        if one.kind in kept:
            continue
        worse = log_losses(pooled.happened, one.stages[one.best]) - losses
        if one is trees or interval(pooled.customers, _mean_of(worse), level=0.8, rounds=200).low <= 0:
            kept[one.kind] = one
    return list(kept.values())


def _mean_of(values: Floats) -> Callable[[Codes], float]:
    return lambda rows: float(values[rows].mean())


def deepen(kept: Sequence[Judged], pooled: OutOfTime) -> tuple[list[Chosen], Floats]:
    """Return how far each goes, and the mean's out-of-time probabilities.

    A mean is less sure than its parts, so each may go on for some stages beyond its own best one. The final
    model learns from more rows than a fold and bears more trees, in proportion (docs/learning.md); a ridge
    weighs less beside more rows by itself.
    """
    means = [mean_of([one.stages[one.later(extra)] for one in kept]) for extra in range(len(STAGES))]
    extra = min(range(len(means)), key=lambda stages: pooled.loss(means[stages]))
    return [chosen_at(one.recipe, one.later(extra), pooled.more) for one in kept], means[extra]


def chosen_at(recipe: Recipe, stage: int, more: float = 1.0) -> Chosen:
    """Return a recipe as far as a stage goes, for so many times the rows."""
    if recipe.is_line:
        return Chosen(recipe, ridge=RIDGES[stage])
    return Chosen(recipe, trees=round(STAGES[stage] * more))


def mean_of(probabilities: Sequence[Floats]) -> Floats:
    """Return the mean in log-odds, as the trees are averaged."""
    return from_log_odds(np.mean([log_odds(one) for one in probabilities], axis=0))
