"""Learns from samples: tries the recipes out of time, keeps those that are alike, and fits them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from catboost import CatBoostClassifier, Pool, sum_models

from ml.anchors import Anchors, choose_anchors
from ml.bootstrap import interval
from ml.calibration import Calibration, choose_calibration
from ml.folds import Fold, forward_folds
from ml.metrics import auc, from_log_odds, log_losses
from ml.recipes import PERIOD_DAYS, RECIPES, STAGES, Form, Recipe, columns_of, signs_of
from ml.samples import Codes, Flags, Floats, Matrix, Samples

BAGS = 3
"""One model is the mean of so many, which differ by luck alone."""
THREADS = 2
MOST_RECIPES = 2
"""Recipes that are averaged at most: each costs time in every night's scoring."""
Progress = Callable[[str, float], None]


def quietly(_what: str, _share: float) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True)
class Tried:
    """A recipe out of time: pooled over folds at its best number of trees."""

    recipe: Recipe
    trees: int
    log_loss: float
    auc: float
    is_kept: bool = False


@dataclass(frozen=True)
class Learned:
    """A fitted model with everything that its use and its card need."""

    form: Form
    horizon: int
    columns: tuple[str, ...]
    model: CatBoostClassifier
    base_rate: float
    calibration: Calibration
    anchors: Anchors
    tried: tuple[Tried, ...]
    out_of_time: "OutOfTime"

    def raw(self, matrix: Matrix) -> Floats:
        """Return the trees' log-odds."""
        return np.asarray(self.model.predict(matrix, prediction_type="RawFormulaVal"), dtype=np.float64)

    def probability(self, matrix: Matrix) -> Floats:
        """Return the calibrated probability of the event within the horizon."""
        return self.calibration.apply(over_horizon(self.form, from_log_odds(self.raw(matrix)), self.horizon))


@dataclass(frozen=True)
class OutOfTime:
    """Predictions of rows by models that had seen neither their time nor their customers."""

    rows: Codes
    happened: Flags
    probability: Floats
    customers: Codes
    as_of: Codes


def over_horizon(form: Form, chance: Floats, horizon: int) -> Floats:
    """Return the chance of the event within the horizon: a hazard multiplies out over its periods."""
    return chance if form is Form.DIRECT else 1 - (1 - chance) ** (horizon / PERIOD_DAYS)


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

    The form is chosen first, then those of its recipes that the best one does not surely beat are averaged.
    """
    known = samples.matured(horizon)
    available = varying(known)
    folds = list(forward_folds(known, horizon, seed))
    fitting = [one for one in recipes if is_churn or (one.form is Form.DIRECT and not one.is_monotone)]
    judged: list[tuple[Tried, OutOfTime]] = []
    for place, recipe in enumerate(fitting):
        judged.append(_judge(recipe, known, available, folds, horizon, seed))
        progress(recipe.name, (place + 1) / (len(fitting) + 1))
    best = min(judged, key=lambda one: one[0].log_loss)
    kept = _kept(judged, best)
    pooled = _mean([out for _, out in kept])
    names = {tried.recipe.name for tried, _ in kept}
    model = fit_mean(known, available, [tried for tried, _ in kept], horizon, seed)
    calibration = choose_calibration(pooled.happened, pooled.probability, pooled.customers, pooled.as_of)
    base_rate = float(known.happened(horizon).mean())
    progress("fitted", 1.0)
    return Learned(
        form=best[0].recipe.form,
        horizon=horizon,
        columns=available,
        model=model,
        base_rate=base_rate,
        calibration=calibration,
        anchors=choose_anchors(calibration.apply(pooled.probability), base_rate),
        tried=tuple(_marked(tried, names) for tried, _ in judged),
        out_of_time=pooled,
    )


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


def _marked(tried: Tried, kept: set[str]) -> Tried:
    return Tried(tried.recipe, tried.trees, tried.log_loss, tried.auc, tried.recipe.name in kept)


def _judge(
    recipe: Recipe, samples: Samples, available: Sequence[str], folds: Sequence[Fold], horizon: int, seed: int
) -> tuple[Tried, OutOfTime]:
    """Predict every fold at every stage, and take the number of trees with the lowest pooled log-loss."""
    columns = columns_of(recipe, available)
    matrix = samples.select(columns)
    found: Mapping[int, list[Floats]] = {trees: [] for trees in STAGES}
    for fold in folds:
        model = fit(recipe, samples.where(fold.train), columns, horizon, seed)
        for trees in STAGES:
            raw = model.predict(matrix[fold.valid], prediction_type="RawFormulaVal", ntree_end=trees)
            found[trees].append(over_horizon(recipe.form, from_log_odds(np.asarray(raw)), horizon))
    rows = np.concatenate([fold.valid for fold in folds])
    happened = samples.happened(horizon)[rows]
    pooled = {trees: np.concatenate(parts) for trees, parts in found.items()}
    losses = {trees: float(log_losses(happened, one).mean()) for trees, one in pooled.items()}
    trees = min(losses, key=lambda one: losses[one])
    out = OutOfTime(rows, happened, pooled[trees], samples.customers[rows], samples.as_of[rows])
    return Tried(recipe, trees, losses[trees], auc(happened, pooled[trees])), out


def _kept(
    judged: Sequence[tuple[Tried, OutOfTime]], best: tuple[Tried, OutOfTime]
) -> list[tuple[Tried, OutOfTime]]:
    """Return the best and what it does not surely beat, of its form."""
    losses = log_losses(best[1].happened, best[1].probability)
    rivals = sorted((one for one in judged if one[0] is not best[0]), key=lambda one: one[0].log_loss)
    kept = [best]
    for tried, out in rivals:
        if tried.recipe.form is not best[0].recipe.form or len(kept) == MOST_RECIPES:
            continue
        worse = log_losses(out.happened, out.probability) - losses
        difference = interval(out.customers, _mean_of(worse), level=0.8, rounds=200)
        if difference.low <= 0:
            kept.append((tried, out))
    return kept


def _mean_of(values: Floats) -> Callable[[Codes], float]:
    return lambda rows: float(values[rows].mean())


def _mean(parts: Sequence[OutOfTime]) -> OutOfTime:
    first = parts[0]
    probability = np.mean([one.probability for one in parts], axis=0)
    return OutOfTime(first.rows, first.happened, probability, first.customers, first.as_of)


def fit_mean(
    samples: Samples, available: Sequence[str], chosen: Sequence[Tried], horizon: int, seed: int
) -> CatBoostClassifier:
    """Fit every chosen recipe with every seed on all rows, as one model: the mean of their log-odds."""
    models = [
        fit(
            one.recipe,
            samples,
            columns_of(one.recipe, available),
            horizon,
            BAGS * seed + bag,
            available,
            one.trees,
        )
        for one in chosen
        for bag in range(BAGS)
    ]
    return sum_models(models, weights=[1 / len(models)] * len(models))


def fit(
    recipe: Recipe,
    samples: Samples,
    columns: Sequence[str],
    horizon: int,
    seed: int,
    available: Sequence[str] | None = None,
    trees: int | None = None,
) -> CatBoostClassifier:
    """Fit one recipe with one seed; with `available`, as a model over those columns that ignores the rest."""
    span = horizon if recipe.form is Form.DIRECT else PERIOD_DAYS
    known = samples.matured(span)
    names = list(available or columns)
    used = set(columns)
    signs = signs_of(names) if recipe.is_monotone else None
    model = CatBoostClassifier(
        iterations=trees or recipe.trees,
        **recipe.settings(),
        monotone_constraints=list(signs) if signs else None,
        ignored_features=[place for place, name in enumerate(names) if name not in used],
        random_seed=seed,
        thread_count=THREADS,
        verbose=False,
        allow_writing_files=False,
    )
    return model.fit(Pool(known.select(names), known.happened(span).astype(int), feature_names=names))
