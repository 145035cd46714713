"""A champion for the benchmark of scoring: as many trees over as many columns as a training files."""

import numpy as np

from domain.features import CustomerFeatures
from domain.model_features import COLUMNS, column_named, own_names, vector
from domain.time import BusinessInstant
from domain.trained_model import ModelTarget, NewModel
from ml.fitting import Chosen, fit_mean
from ml.mean_model import written
from ml.recipes import RECIPES
from ml.samples import NEVER, Samples
from ml.trained import TrainedModel, read_model
from models.clock import wall_now
from models.database import Database
from models.features import load_features
from models.freshness import load_freshness
from models.model_registry import file_model, load_in_use, promote
from models.scores import load_policy, scorable_ids
from models.trainings import begin_training, end_training

TAUGHT = 3000
"""Customers that it learns from."""
CHOSEN = ("lean", "core", "worth", "habits", "paid", "paid-line", "worth-line")
TREES, RIDGE = 400, 20.0
KEY, CHURNERS = "bench", 200
ANCHORS = {"points": [[-3, 0], [0, 25], [1, 50], [2, 75], [4, 100]], "shares": {}}


async def file_champion(database: Database, now: BusinessInstant) -> TrainedModel:
    """Learn from outcomes that follow use and service, file the model and put it to work."""
    async with database.transaction() as session:
        ids = await scorable_ids(session)
        freshness = await load_freshness(session, now, (await load_policy(session)).freshness)
        some = ids[:: max(1, len(ids) // TAUGHT)][:TAUGHT]
        samples = samples_of(await load_features(session, some, now, freshness))
    horizon = ModelTarget.CHURN.horizon_days
    chosen = [Chosen(recipe, TREES, RIDGE) for recipe in RECIPES if recipe.name in CHOSEN]
    trees = written(fit_mean(samples, samples.columns, chosen, horizon, seed=1))
    new = NewModel(
        target=ModelTarget.CHURN, training=KEY, form=chosen[0].recipe.form, columns=tuple(samples.columns),
        base_rate=float(samples.happened(horizon).mean()), calibration={"intercept": 0.0, "slope": 1.0},
        anchors=ANCHORS, churners=CHURNERS, other_rate=0.01, data_hash="", trained_until=now.date(),
        judged_until=now.date(), artefact=trees, judged=trees, card={},
    )  # fmt: skip
    async with database.transaction() as session:
        await begin_training(session, KEY, ModelTarget.CHURN, now, wall_now(), now)
        name = await file_model(session, new, now)
        await promote(session, name, KEY, "measured, not judged", now)
        await end_training(session, KEY, now, "filed for a measurement")
        return read_model((await load_in_use(session))[0])


def samples_of(features: list[CustomerFeatures]) -> Samples:
    """Return rows over the whole catalogue, with outcomes drawn by falling use and overdue tickets."""
    own = own_names(sorted({name for one in features for name in one.usage.by_feature}))
    names = (*(column.name for column in COLUMNS), *own)
    columns = [column_named(name) for name in names]
    matrix = np.array([vector(one, columns) for one in features], dtype=np.float32)
    fall = np.nan_to_num(matrix[:, names.index("usage.month_over_before")], nan=1.0) - 1
    overdue = np.nan_to_num(matrix[:, names.index("support.overdue")])
    chance = 1 / (1 + np.exp(2.5 + 3 * fall - 0.8 * overdue))
    rows = len(features)
    happened = np.random.default_rng(1).random(rows) < chance
    return Samples(
        names, matrix, np.arange(rows), np.zeros(rows, dtype=np.int64), np.where(happened, 45.0, NEVER),
        np.full(rows, 120.0), np.ones(rows),
    )  # fmt: skip
