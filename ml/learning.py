"""Learns from samples: tries the recipes out of time, keeps those that are alike, and fits their mean."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.learning_port import TooLittleError
from domain.progress import Progress, quietly
from ml.anchors import Anchors, choose_anchors
from ml.calibration import Calibration, choose_calibration
from ml.fitting import Chosen, fit_mean, over_horizon
from ml.folds import teaching_folds
from ml.judging import Judged, OutOfTime, averaged, chosen_at, judge, keep, pool
from ml.mean_model import MeanModel
from ml.metrics import from_log_odds
from ml.recipes import RECIPES, Form, Recipe, fitting
from ml.samples import Floats, Matrix, Samples


@dataclass(frozen=True)
class Tried:
    """A recipe out of time: pooled over folds at its best number of trees, or its best ridge."""

    recipe: Recipe
    trees: int
    """0 of a line,"""
    ridge: float
    """and this of trees."""
    log_loss: float
    auc: float
    is_kept: bool = False


@dataclass(frozen=True)
class Learned:
    """A fitted model with everything that its use and its card need."""

    form: Form
    horizon: int
    columns: tuple[str, ...]
    model: MeanModel
    base_rate: float
    calibration: Calibration
    anchors: Anchors
    tried: tuple[Tried, ...]
    chosen: tuple[Chosen, ...]
    """What is averaged."""
    pooled: OutOfTime
    out_of_time: Floats
    """Its probabilities of the pooled rows, before calibration."""

    def raw(self, matrix: Matrix) -> Floats:
        """Return the model's log-odds."""
        return self.model.log_odds(matrix)

    def probability(self, matrix: Matrix) -> Floats:
        """Return the calibrated probability of the event within the horizon."""
        return self.calibration.apply(over_horizon(self.form, from_log_odds(self.raw(matrix)), self.horizon))


def learn(
    samples: Samples,
    horizon: int,
    *,
    is_churn: bool,
    seed: int = 1,
    recipes: Sequence[Recipe] = RECIPES,
    progress: Progress = quietly,
) -> Learned:
    """Choose and fit. `samples` hold nothing but what the model may learn from.

    Of each form, the recipes that are not much worse than its best are averaged; then the form is chosen.
    Raises TooLittleError where no earlier months with both outcomes lie before later ones.
    """
    known = samples.matured(horizon)
    available = varying(known)
    wanted = recipes if is_churn else [one.without_signs() for one in recipes if one.form is Form.DIRECT]
    used = fitting(wanted, available)
    if not used:
        raise TooLittleError("no column says anything: every one is the same for everybody")
    span = min(one.span(horizon) for one in used)
    folds = teaching_folds(known, horizon, span, seed)
    pooled = pool(known, folds, horizon)
    judged = []
    for place, recipe in enumerate(used):
        judged.append(judge(recipe, known, available, folds, pooled, horizon, seed))
        progress(recipe.name, (place + 1) / (len(used) + 1))
    kept = keep(judged, pooled)
    chosen = [chosen_at(one.recipe, one.best, pooled.more) for one in kept]
    probability = averaged(kept)
    model = fit_mean(known, available, chosen, horizon, seed)
    calibration = choose_calibration(pooled.happened, probability, pooled.customers, pooled.as_of)
    base_rate = float(known.happened(horizon).mean())
    progress("fitted", 1.0)
    return Learned(
        form=kept[0].recipe.form,
        horizon=horizon,
        columns=available,
        model=model,
        base_rate=base_rate,
        calibration=calibration,
        anchors=choose_anchors(calibration.apply(probability), base_rate),
        chosen=tuple(chosen),
        tried=tuple(_tried(one, kept, pooled) for one in judged),
        pooled=pooled,
        out_of_time=probability,
    )


def fit_again(learned: Learned, samples: Samples, seed: int) -> Learned:
    """Return the same choices fitted with another seed: what differs is luck."""
    known = samples.matured(learned.horizon)
    model = fit_mean(known, learned.columns, learned.chosen, learned.horizon, seed)
    return replace(learned, model=model)


def _tried(one: Judged, kept: Sequence[Judged], pooled: OutOfTime) -> Tried:
    used, is_kept = chosen_at(one.recipe, one.best, pooled.more), any(one is each for each in kept)
    return Tried(one.recipe, used.trees, used.ridge, one.loss, one.auc(pooled), is_kept)


def varying(samples: Samples) -> tuple[str, ...]:
    """Return the columns that say anything: more than one value, unknown counted as one."""
    matrix = samples.matrix
    if not len(matrix):
        return ()
    first = matrix[0]
    same = (matrix == first) | (np.isnan(matrix) & np.isnan(first))
    return tuple(
        name for name, constant in zip(samples.columns, same.all(axis=0), strict=True) if not constant
    )
