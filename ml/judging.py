"""Judges recipes out of time, and says which of them are averaged, each with how many trees."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.bootstrap import interval
from ml.fitting import Chosen, fit, fit_linear, over_horizon
from ml.folds import Fold
from ml.metrics import auc, from_log_odds, log_losses, log_odds
from ml.recipes import RIDGES, STAGES, Form, Recipe, columns_of
from ml.samples import Codes, Flags, Floats, Samples

MUCH_WORSE = 1.125
"""Times the lowest log-loss: what is above it has nothing to add to a mean."""
SURELY = 0.8
"""Level of the interval of a difference that decides between the forms."""


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
    """Return what is averaged: all of one form, which is a hazard only where that is surely better."""
    hazards = alike([one for one in judged if one.recipe.form is Form.HAZARD])
    direct = alike([one for one in judged if one.recipe.form is Form.DIRECT])
    if not hazards or not direct:
        return hazards or direct
    losses = [log_losses(pooled.happened, averaged(kept)) for kept in (hazards, direct)]
    more = losses[0] - losses[1]
    found = interval(pooled.customers, lambda rows: float(more[rows].mean()), level=SURELY, rounds=200)
    return hazards if found.high < 0 else direct


def alike(judged: Sequence[Judged]) -> list[Judged]:
    """Return the best, and the best of every other kind that is not much worse.

    A kind is a list of columns, read by trees or by a line. Where few have left, which one is best is luck:
    their mean is the safer choice. The best trees always stay.
    """
    ranked = sorted(judged, key=lambda one: one.loss)
    trees = next((one for one in ranked if not one.recipe.is_line), None)
    kept: dict[tuple[tuple[str, ...], bool], Judged] = {}
    for one in ranked:
        if one is trees or one.loss <= MUCH_WORSE * ranked[0].loss:
            kept.setdefault(one.kind, one)
    return list(kept.values())


def averaged(kept: Sequence[Judged]) -> Floats:
    """Return the out-of-time probabilities of what is averaged, each as far as is best."""
    return mean_of([one.stages[one.best] for one in kept])


def chosen_at(recipe: Recipe, stage: int, more: float) -> Chosen:
    """Return a recipe as far as a stage goes, for so many times the rows that it was judged with.

    Trees may be more in proportion (docs/learning.md); a ridge weighs less beside more rows by itself.
    """
    if recipe.is_line:
        return Chosen(recipe, ridge=RIDGES[stage])
    return Chosen(recipe, trees=round(STAGES[stage] * more))


def mean_of(probabilities: Sequence[Floats]) -> Floats:
    """Return the mean in log-odds, as the trees are averaged."""
    return from_log_odds(np.mean([log_odds(one) for one in probabilities], axis=0))
