"""What a night cannot be quicker than: its statements alone, its trees alone, its reasons alone."""

import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from domain.time import BusinessInstant
from ml.samples import Matrix
from ml.trained import TrainedModel
from models.bench_score import aggregate_alone
from models.clock import open_clock
from models.database import Database
from models.features import load_features
from models.freshness import load_freshness
from models.rescoring import Asked
from models.scores import load_policy, scorable_ids
from workers.rescorer import Rescorer

SAMPLE, TOGETHER = 20_000, 1000
"""Customers whom the limits are measured over, and how many are read by one statement."""
WARM_UP = 5


@dataclass(frozen=True)
class Limits:
    """Seconds per customer of each part by itself, one after the other on one core."""

    sql: float = 1.0
    predict: float = 1.0
    shap: float = 1.0
    trees: int = 0

    @property
    def seconds_each(self) -> float:
        """Return the three in series."""
        return self.sql + self.predict + self.shap


async def measure_limits(database: Database, model: TrainedModel, as_of: BusinessInstant) -> Limits:
    """Time the statements, the prediction and the contributions over the same customers."""
    async with database.transaction() as session:
        ids = (await scorable_ids(session))[:SAMPLE]
        sql = await _timed(lambda: _aggregate(database, ids, as_of))
    matrix = await _matrix(database, model, ids, as_of)
    predict = _spent(lambda: model.chances(matrix))
    shap = _spent(lambda: model.contributions(matrix))
    rows = len(ids)
    return Limits(sql / rows, predict / rows, shap / rows, model.model.trees.tree_count_)


async def rescore_each(database: Database, asked: int) -> list[float]:
    """Score customers from all over the portfolio one by one, as when something is told of them."""
    clock = await open_clock(database)
    async with database.transaction() as session:
        ids = await scorable_ids(session)
    rescorer = Rescorer(database, clock, 0.0)
    some = ids[:: max(1, len(ids) // (asked + WARM_UP))][: asked + WARM_UP]
    spent = [await _timed(partial(rescorer.score, [Asked(one, "facts", "0")])) for one in some]
    return [seconds * 1000 for seconds in spent[WARM_UP:]]


async def _aggregate(database: Database, ids: Sequence[uuid.UUID], as_of: BusinessInstant) -> None:
    async with database.transaction() as session:
        for start in range(0, len(ids), TOGETHER):
            await aggregate_alone(session, ids[start : start + TOGETHER], as_of)


async def _matrix(
    database: Database, model: TrainedModel, ids: Sequence[uuid.UUID], as_of: BusinessInstant
) -> Matrix:
    async with database.transaction() as session:
        freshness = await load_freshness(session, as_of, (await load_policy(session)).freshness)
        parts = [
            model.matrix(await load_features(session, ids[start : start + TOGETHER], as_of, freshness))
            for start in range(0, len(ids), TOGETHER)
        ]
    return np.concatenate(parts)


async def _timed(act: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await act()
    return time.perf_counter() - began


def _spent(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
