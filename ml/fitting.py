"""Fits CatBoost by a recipe: plain log-loss, shallow trees, known signs held to where the recipe says so."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from catboost import CatBoostClassifier, Pool, sum_models

from ml.lines import Line, fit_line
from ml.mean_model import MeanModel
from ml.recipes import PERIOD_DAYS, Form, Recipe, columns_of, plain_columns, signs_of
from ml.samples import Floats, Samples

BAGS = 3
"""One model is the mean of so many, which differ by luck alone."""
THREADS, FEW_ROWS = 2, 20_000
"""Threads only pay from so many rows on; below, they wait for each other on a busy machine."""


def over_horizon(form: Form, chance: Floats, horizon: int) -> Floats:
    """Return the chance of the event within the horizon: a hazard multiplies out over its periods."""
    return chance if form is Form.DIRECT else 1 - (1 - chance) ** (horizon / PERIOD_DAYS)


@dataclass(frozen=True)
class Chosen:
    """A recipe, and how far it goes: its number of trees, or the ridge of a line."""

    recipe: Recipe
    trees: int = 0
    ridge: float = 0.0


def fit_mean(
    samples: Samples, available: Sequence[str], chosen: Sequence[Chosen], horizon: int, seed: int
) -> MeanModel:
    """Fit every chosen recipe on all rows, as one model: the mean of log-odds. Some of them are trees."""
    share = 1 / len(chosen)
    models = [
        fit(one.recipe, samples, columns_of(one.recipe, available), horizon, seed_of, available, one.trees)
        for one in chosen
        if not one.recipe.is_line
        for seed_of in range(BAGS * seed, BAGS * (seed + 1))
    ]
    lines = [
        fit_linear(one.recipe, samples, available, horizon, one.ridge).weighted(share)
        for one in chosen
        if one.recipe.is_line
    ]
    return MeanModel(sum_models(models, weights=[share / BAGS] * len(models)), tuple(lines))


def fit_linear(
    recipe: Recipe, samples: Samples, available: Sequence[str], horizon: int, ridge: float
) -> Line:
    """Fit a line over the available columns that reads those of its recipe."""
    known, read = samples.matured(recipe.span(horizon)), set(columns_of(recipe, available))
    places = tuple(place for place, name in enumerate(available) if name in read)
    signs = signs_of([available[place] for place in places]) if recipe.is_monotone else None
    happened = known.happened(recipe.span(horizon))
    return fit_line(known.select(available), happened, places, signs, ridge)


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
    span = recipe.span(horizon)
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
        thread_count=THREADS if len(known) > FEW_ROWS else 1,
        verbose=False,
        allow_writing_files=False,
    )
    return model.fit(Pool(known.select(names), known.happened(span).astype(int), feature_names=names))


def predict_plainly(
    train: Samples, test: Samples, available: Sequence[str], horizon: int, seed: int
) -> Floats:
    """Return the fixed yardstick's probabilities: CatBoost as it comes, on counts and levels."""
    columns = plain_columns(available)
    model = CatBoostClassifier(
        random_seed=seed,
        thread_count=THREADS if len(train) > FEW_ROWS else 1,
        verbose=False,
        allow_writing_files=False,
    )
    model.fit(Pool(train.select(columns), train.happened(horizon).astype(int)))
    return np.asarray(model.predict_proba(test.select(columns))[:, 1], dtype=np.float64)
