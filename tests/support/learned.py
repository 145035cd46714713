"""Portfolios with a known reason to leave, and small models, for tests of what is learned."""

import datetime as dt
import random
import uuid

import numpy as np
from catboost import CatBoostClassifier, Pool, sum_models
from sqlalchemy import insert

from domain.time import BusinessInstant
from domain.trained_model import GATE, ModelDecision, ModelState, ModelTarget, NewModel, StoredModel
from domain.vocabulary import Segment
from ml.lines import fit_line
from ml.mean_model import MeanModel, written
from ml.recipes import Form, Recipe
from ml.samples import NEVER, Samples
from models.database import Database
from models.model_registry import decide
from models.tables.customers import CustomerRow
from models.tables.data import SourceRow
from models.tables.facts import SubscriptionRow
from models.tables.trained import TrainingRow
from tests.support.portfolio import EVERYTHING, LONG_AGO, NOW, WALL

QUICK = (Recipe("quick", Form.DIRECT, "core", depth=2, learning_rate=0.1),)
COLUMNS = ("usage.week", "usage.week_over_baseline", "usage.silent_days", "support.overdue", "commercial.mrr")
MONTHS = 36
RISKY, SAFE = 0.09, 0.008
"""Chance to leave in a month, of those with few seats and of the others."""


async def add_portfolio(
    database: Database, customers: int = 400, *, has_signal: bool = True, seed: int = 1
) -> list[uuid.UUID]:
    """Add customers over three years, each on one subscription; with few seats they leave far more often."""
    dice = random.Random(seed)
    ids = [uuid.UUID(int=dice.getrandbits(128), version=4) for _ in range(customers)]
    rows = [_subscription(one, dice, has_signal=has_signal) for one in ids]
    async with database.transaction() as session:
        source = {
            "id": "crm",
            "name": "CRM",
            "kind": "test",
            "connected_at": LONG_AGO,
            "provides": EVERYTHING,
        }
        await session.execute(insert(SourceRow).values(source))
        await session.execute(insert(CustomerRow), [_customer(row) for row in rows])
        await session.execute(insert(SubscriptionRow), rows)
    return ids


def _days(number: float) -> BusinessInstant:
    return BusinessInstant(NOW - dt.timedelta(days=number))


def _subscription(customer_id: uuid.UUID, dice: random.Random, *, has_signal: bool) -> dict[str, object]:
    began = dice.randint(30, MONTHS * 30)
    few = dice.random() < 0.3
    seats = dice.randint(1, 5) if few else dice.randint(6, 60)
    monthly = (RISKY if few else SAFE) if has_signal else 0.03
    stayed = next((month for month in range(1, 99) if dice.random() < monthly), 99)
    ended = _days(began - 30 * stayed) if 30 * stayed < began else None
    return {
        "id": uuid.uuid4(), "source_id": "crm", "external_id": str(customer_id), "content_hash": "",
        "customer_id": customer_id, "product": "it", "status": "canceled" if ended else "active",
        "mrr_minor": dice.randint(5_000, 90_000), "currency": "USD", "is_trial": False, "seats": seats,
        "started_at": _days(began), "ended_at": ended, "ended_known_at": ended, "known_at": _days(began),
        "received_at": WALL,
    }  # fmt: skip


def _customer(row: dict[str, object]) -> dict[str, object]:
    gone = row["ended_at"]
    return {
        "id": row["customer_id"], "source_id": "crm", "external_id": str(row["customer_id"]),
        "content_hash": "", "name": "Acme", "segment": Segment.SMALL, "touch_tier": "managed",
        "status": "churned" if gone else "active", "started_at": row["started_at"],
        "known_at": row["started_at"], "churned_at": gone, "churn_known_at": gone, "declared": {},
    }  # fmt: skip


def samples(
    customers: int = 400, months: int = 20, *, strength: float = 2.0, seed: int = 1, rate: float = -3.0
) -> Samples:
    """Return synthetic rows: the first column raises the log-odds of leaving by `strength` a unit."""
    random_ = np.random.default_rng(seed)
    trait = random_.normal(size=customers)
    rows = [(who, month) for month in range(months) for who in range(customers)]
    matrix = random_.normal(size=(len(rows), len(COLUMNS))).astype(np.float32)
    who = np.array([one for one, _ in rows])
    matrix[:, 0] = trait[who] + random_.normal(scale=0.2, size=len(rows))
    chance = 1 / (1 + np.exp(-(rate + strength * trait[who])))
    happened = random_.random(len(rows)) < chance
    as_of = np.array([19_000 + 30 * month for _, month in rows])
    observed = (19_000 + 30 * months + 90 - as_of).astype(np.float64)
    event = np.where(happened, 45.0, NEVER)
    return Samples(COLUMNS, matrix, who, as_of, event, observed, np.ones(len(rows)))


def small_model(seed: int = 1, rows: int = 800) -> MeanModel:
    """Return a little model over COLUMNS: a fall of use and overdue tickets raise its odds."""
    random_ = np.random.default_rng(seed)
    matrix = np.abs(random_.normal(size=(rows, len(COLUMNS)))).astype(np.float32)
    matrix[:, 0] *= 50
    matrix[:, 4] *= 500
    odds = -1.5 - 3 * (matrix[:, 1] - 0.8) + 2 * matrix[:, 3]
    happened = (random_.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    model = CatBoostClassifier(
        iterations=60, depth=3, random_seed=seed, verbose=False, allow_writing_files=False, thread_count=1
    )
    model.fit(Pool(matrix, happened, feature_names=list(COLUMNS)))
    line = fit_line(matrix, happened.astype(bool), (1, 3), None, ridge=10.0)
    return MeanModel(sum_models([model], weights=[0.5]), (line.weighted(0.5),))


def stored(
    name: str = "churn-2026-06-15-1", *, churners: int = 50, other_rate: float = 0.0, seed: int = 1
) -> StoredModel:
    """Return a little model as the registry holds it."""
    return StoredModel(
        name=name, target=ModelTarget.CHURN, state=ModelState.CHAMPION, form="direct", horizon_days=90,
        columns=COLUMNS, base_rate=0.1, calibration={"intercept": 0.0, "slope": 1.0},
        anchors={"points": [[-3, 0], [0, 25], [1, 50], [2, 75], [4, 100]], "shares": {}},
        churners=churners, other_rate=other_rate, artefact=written(small_model(seed)),
    )  # fmt: skip


def new_model(training: str, target: ModelTarget = ModelTarget.CHURN, seed: int = 1) -> NewModel:
    """Return a little model fresh from its training."""
    one = stored(seed=seed)
    return NewModel(
        target=target, training=training, form=one.form, columns=one.columns, base_rate=one.base_rate,
        calibration=one.calibration, anchors=one.anchors, churners=one.churners, other_rate=0.0,
        data_hash="none", trained_until=NOW.date(), judged_until=NOW.date(), artefact=one.artefact,
        judged=one.artefact, card={"leak_checks": {}},
    )  # fmt: skip


async def begin(database: Database, training: str, target: ModelTarget = ModelTarget.CHURN) -> None:
    """Note a training, for models to come from."""
    async with database.transaction() as session:
        await session.execute(
            insert(TrainingRow).values(
                key=training, target=target, started_at=NOW, started_wall=WALL, known_until=NOW
            )
        )


async def doubt(database: Database, name: str) -> None:
    """Let the gate leave a model to a person."""
    async with database.transaction() as session:
        await decide(
            session, name, ModelDecision(ModelState.CHALLENGER, GATE, "too good to be true", NOW, {})
        )
