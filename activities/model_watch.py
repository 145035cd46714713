"""Looks each night at what models read and at how right they were, and says in words what has changed."""

import asyncio
import datetime as dt
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from domain.drift_words import SCORE, Alert, AlertLevel, Change, say_calibration, say_change, say_log_loss
from domain.features import CustomerFeatures
from domain.labels import GRACE, Relation
from domain.model_features import COLUMNS, column_named, is_column, vector
from domain.ports import Clock
from domain.scoring_policy import DriftPolicy
from domain.statistician import Statistician
from domain.time import BusinessInstant, after, start_of_day
from models.database import Database, Session
from models.features import load_features
from models.freshness import load_freshness
from models.model_health import (
    ModelHealth,
    PastProbability,
    keep_model_health,
    keep_reference,
    load_reference,
    matured_probabilities,
    sample_scored,
    versions_on,
)
from models.model_registry import log_loss_on_card
from models.relations import load_relations
from models.scores import load_policy
from models.snapshots import told_until

log: Any = structlog.get_logger("models")
MOST_TOLD = 8
"""Columns of which one night tells; the largest changes come first."""


@dataclass(frozen=True)
class Look:
    """What one look at one model rests on."""

    version: str
    date: dt.date
    names: tuple[str, ...]
    rows: list[list[float]]
    """One row per customer: the columns, and the score last."""
    past: Sequence[PastProbability]
    left: list[bool]
    reference: dict[str, Any] | None
    card_log_loss: float | None
    """What the model's card promises; None for the scorecard."""


@dataclass(frozen=True)
class Found:
    """What the look has found; `reference` where there was none before."""

    health: ModelHealth
    reference: dict[str, Any] | None


async def watch_models(
    database: Database, clock: Clock, statistician: Statistician, date: dt.date
) -> list[ModelHealth]:
    """Look at every version that scored customers on a business date, and keep what was found."""
    now = clock.now()
    async with database.transaction() as session:
        policy = await load_policy(session)
        least = policy.drift.least_customers
        looks = [
            await _look(session, version, date, policy.drift.sample, policy.risk.horizon_days, now)
            for version in await versions_on(session, date, least)
        ]
    found = [await asyncio.to_thread(examine, look, policy.drift, statistician) for look in looks]
    async with database.transaction() as session:
        for one in found:
            if one.reference is not None:
                await keep_reference(session, one.health.model_version, one.reference, now)
            await keep_model_health(session, one.health, now)
            log.info("model looked at", model=one.health.model_version, alerts=len(one.health.alerts))
    return [one.health for one in found]


async def _look(
    session: Session, version: str, date: dt.date, most: int, horizon: int, now: BusinessInstant
) -> Look:
    scored = await sample_scored(session, version, date, most)
    features = await _features(session, list(scored), now)
    reference = await load_reference(session, version)
    described = reference["columns"] if reference else [column.name for column in COLUMNS]
    names = tuple(name for name in described if is_column(name))
    columns = [column_named(name) for name in names]
    rows = [[*vector(one, columns), scored[one.customer_id]] for one in features]
    newest = (await told_until(session, now) - dt.timedelta(days=horizon) - GRACE).date()
    past = await matured_probabilities(session, version, newest)
    relations = await load_relations(session, [one.customer_id for one in past]) if past else {}
    left = [_left(relations[one.customer_id], one.as_of, horizon) for one in past]
    card = await log_loss_on_card(session, version)
    return Look(version, date, names, rows, past, left, reference, card)


async def _features(
    session: Session, ids: Sequence[uuid.UUID], now: BusinessInstant
) -> list[CustomerFeatures]:
    policy = await load_policy(session)
    freshness = await load_freshness(session, now, policy.freshness)
    return await load_features(session, ids, now, freshness)


def _left(relation: Relation, as_of: dt.date, horizon: int) -> bool:
    start = start_of_day(as_of)
    return relation.left_within(start, after(start, dt.timedelta(days=horizon))) is not None


def examine(look: Look, policy: DriftPolicy, statistician: Statistician) -> Found:
    """Compare a look with its reference, and old probabilities with what happened."""
    names = (*look.names, SCORE)
    reference = look.reference or first_reference(statistician, look)
    then = {**reference["columns"], SCORE: reference[SCORE]}
    shifts = statistician.changes(then, names, look.rows) if look.reference else {}
    since = dt.date.fromisoformat(reference["on"])
    outcomes, wrong = _judge(look, policy, statistician)
    told = _told(shifts, len(look.rows), since, look.date, policy)
    health = ModelHealth(
        model_version=look.version,
        as_of=look.date,
        customers=len(look.rows),
        reference_on=since,
        score_psi=round(shifts[SCORE].psi, 4) if SCORE in shifts else None,
        columns=[_line(name, shift) for name, shift in shifts.items() if name != SCORE],
        outcomes=outcomes,
        alerts=[one.document() for one in (*wrong, *told)],
    )
    return Found(health, None if look.reference else reference)


def first_reference(statistician: Statistician, look: Look) -> dict[str, Any]:
    """Describe columns and, as the last of them, the score: what later looks at a model are compared with."""
    made = dict(statistician.describe((*look.names, SCORE), look.rows))
    score = made.pop(SCORE)
    return {"on": look.date.isoformat(), "columns": made, SCORE: score}


def _line(name: str, shift: Change) -> dict[str, Any]:
    figures = {"psi": shift.psi, "moved": shift.moved, "noise": shift.noise, "unknown": shift.unknown}
    return {"name": name, **{key: round(value, 4) for key, value in figures.items()}}


def _told(
    shifts: Mapping[str, Change], customers: int, since: dt.date, today: dt.date, policy: DriftPolicy
) -> list[Alert]:
    """Tell of what changed by more than the threshold and more than chance, the largest change first."""
    if customers < policy.least_customers:
        return []
    beyond = {
        name: shift for name, shift in shifts.items() if shift.psi >= max(policy.psi_watch, shift.noise)
    }
    ordered = sorted(beyond, key=lambda name: (name != SCORE, -beyond[name].psi))
    return [
        Alert(AlertLevel.WATCH, name, say_change(name, beyond[name], since, today))
        for name in ordered
        if name == SCORE or beyond[name].psi >= max(policy.psi_alarm, beyond[name].noise)
    ][:MOST_TOLD]


def _judge(look: Look, policy: DriftPolicy, statistician: Statistician) -> tuple[dict[str, Any], list[Alert]]:
    """Compare what was foreseen with what happened; without matured outcomes nothing is said."""
    if len(look.past) < policy.least_customers:
        return {"rows": len(look.past)}, []
    seen = statistician.look_back(look.left, [one.probability for one in look.past])
    ratio, loss, card = seen.ratio, seen.log_loss, look.card_log_loss
    on = max(one.as_of for one in look.past)
    said: dict[str, Any] = {
        "rows": len(look.past),
        "observed": seen.observed,
        "expected": round(seen.expected, 3),
    }
    said |= {"ratio": _plain(ratio.document()), "log_loss": _plain(loss.document())}
    said |= {"card_log_loss": card, "as_of": on.isoformat()}
    alerts = []
    if seen.is_off:
        words = say_calibration(seen.observed, seen.expected, ratio.low, ratio.high, on, look.date)
        alerts.append(Alert(AlertLevel.ALARM, "calibration", words))
    if card is not None and loss.low > card + policy.log_loss_margin:
        alerts.append(Alert(AlertLevel.ALARM, "log_loss", say_log_loss(loss.value, card, on, look.date)))
    return said, alerts


def _plain(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: round(value, 4) if math.isfinite(value) else None for name, value in figures.items()}
