"""Fits CatBoost by a recipe: plain log-loss, shallow trees, known signs held to where the recipe says so."""

from collections.abc import Sequence

import numpy as np
from catboost import CatBoostClassifier, Pool, sum_models

from ml.recipes import PERIOD_DAYS, Form, Recipe, columns_of, plain_columns, signs_of
from ml.samples import Floats, Samples

BAGS = 3
"""One model is the mean of so many, which differ by luck alone."""
THREADS, FEW_ROWS = 2, 20_000
"""Threads only pay from so many rows on; below, they wait for each other on a busy machine."""


def over_horizon(form: Form, chance: Floats, horizon: int) -> Floats:
    """Return the chance of the event within the horizon: a hazard multiplies out over its periods."""
    return chance if form is Form.DIRECT else 1 - (1 - chance) ** (horizon / PERIOD_DAYS)


def fit_mean(
    samples: Samples, available: Sequence[str], chosen: Sequence[tuple[Recipe, int]], horizon: int, seed: int
) -> CatBoostClassifier:
    """Fit every chosen recipe, with its number of trees, on all rows, as one model: the mean of log-odds."""
    models = [
        fit(recipe, samples, columns_of(recipe, available), horizon, BAGS * seed + bag, available, trees)
        for recipe, trees in chosen
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
