"""One training from its plan to its model: the workflow and `everstay train` call these in this order."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from activities.training_data import World, month_starts
from activities.training_rows import (
    Part,
    labelled,
    look_at,
    open_sampled_world,
    packed,
    put_together,
    unpacked,
)
from domain.labels import GRACE, Cause
from domain.model_features import vector
from domain.ports import Clock
from domain.risk import Scorecard
from domain.time import after, start_of_day
from domain.trained_model import ModelTarget, NewModel
from domain.training_calendar import Training
from ml.card import card_of
from ml.gate import Check, knowledge
from ml.leak_checks import leak_checks
from ml.learning import Progress, quietly
from ml.metrics import auc
from ml.recipes import RECIPES, Recipe
from ml.trained import written
from ml.training import (
    LEAST_CHURNERS,
    Rows,
    TooLittleError,
    Trained,
    events_of,
    train,
)
from models.database import Database
from models.model_registry import file_model, load_filed
from models.scores import load_policy
from models.snapshots import load_snapshot
from models.trainings import (
    begin_training,
    end_training,
    keep_part,
    kept_dates,
    load_part,
    load_training,
    told_until,
)

MOST_DATES = 36
"""Months that are looked back at: what customers were like before says little of today's."""
PARITY = 20
"""Customers whose row is computed alone and in company, and compared to the bit."""


async def plan_dates(database: Database, clock: Clock, target: ModelTarget, key: str) -> tuple[dt.date, ...]:
    """Note that a training begins and return the dates to look back at; none, with the reason, if too few."""
    now = clock.now()
    async with database.transaction() as session:
        until = await told_until(session, now)
        training = await begin_training(session, key, target, now, clock.wall_now(), until)
    if training.ended_at is not None:
        return ()
    settled = after(training.known_until, -(GRACE + dt.timedelta(days=target.horizon_days)))
    dates = await month_starts(database, settled.date())
    lack = await _lack(database, training, dates)
    if lack is None:
        return tuple(dates[-MOST_DATES:])
    async with database.transaction() as session:
        await end_training(session, key, now, lack)
    return ()


async def _lack(database: Database, training: Training, dates: Sequence[dt.date]) -> str | None:
    """Say what is missing, if that is plain before anything is gathered."""
    if not dates:
        return "too few months are known: outcomes of not one have matured"
    if not training.target.is_churn:
        return None
    world = await open_sampled_world(database, training.known_until)
    cause = Cause.INVOLUNTARY if training.target is ModelTarget.INVOLUNTARY else Cause.VOLUNTARY
    gone = [any(one.cause is cause for one in each.absences()) for each in world.relations.values()]
    if sum(gone) >= LEAST_CHURNERS:
        return None
    return f"{sum(gone)} {cause.value} churners are known, {LEAST_CHURNERS} are needed"


async def gather_dates(
    database: Database, key: str, dates: Sequence[dt.date], tell: Progress = quietly
) -> tuple[int, int]:
    """Look at everybody as of each date that is not kept yet; return how many dates and rows are kept."""
    async with database.transaction() as session:
        training = await load_training(session, key)
        kept = await kept_dates(session, key)
        card = Scorecard((await load_policy(session)).risk)
    world = await open_sampled_world(database, training.known_until)
    for place, date in enumerate(dates):
        if date not in kept:
            part = await look_at(database, world, card, date)
            async with database.transaction() as session:
                await keep_part(session, key, date, len(part), packed(part))
            kept[date] = len(part)
        tell(f"looked at {date.isoformat()}: {kept[date]} customers", (place + 1) / len(dates))
    return len(kept), sum(kept.values())


async def load_rows(database: Database, world: World, key: str, target: ModelTarget) -> Rows:
    """Return everything that a training has gathered, with what became of it."""
    async with database.transaction() as session:
        dates = sorted(await kept_dates(session, key))
    names = tuple(column.name for column in world.columns)
    found = []
    for date in dates:
        async with database.transaction() as session:
            part = unpacked(await load_part(session, key, date))
        if len(part):
            found.append(labelled(world, target, aligned(part, names)))
    if not found:
        raise TooLittleError("nobody was a customer on any of the dates")
    return put_together(found)


def aligned(part: Part, columns: tuple[str, ...]) -> Part:
    """Return a part in these columns: what it does not have is unknown."""
    if part.columns == columns:
        return part
    places = {name: place for place, name in enumerate(part.columns)}
    matrix = np.full((len(part), len(columns)), np.nan, dtype=np.float32)
    for place, name in enumerate(columns):
        if name in places:
            matrix[:, place] = part.arrays["matrix"][:, places[name]]
    return Part(columns, {**part.arrays, "matrix": matrix})


async def train_filed(
    database: Database,
    clock: Clock,
    key: str,
    progress: Progress = quietly,
    recipes: Sequence[Recipe] = RECIPES,
) -> str | None:
    """Learn from what was gathered and file a challenger; return its name, None where too little is there."""
    async with database.transaction() as session:
        training = await load_training(session, key)
        filed = await load_filed(session, key)
    if filed is not None:
        return filed.model.name
    target, world = training.target, await open_sampled_world(database, training.known_until)
    try:
        rows = await load_rows(database, world, key, target)
        trained, document, checks = await asyncio.to_thread(_learned, rows, target, recipes, progress)
    except TooLittleError as lack:
        async with database.transaction() as session:
            await end_training(session, key, clock.now(), str(lack))
        return None
    checks.append(await feature_parity(database, world, trained.trained_until))
    document["leak_checks"] |= {one.name: one.document() for one in checks if one.name == "feature_parity"}
    other, document["involuntary"] = await _other_cause(database, world, key, target)
    model = _new_model(training, trained, other, rows.samples.digest(), document)
    async with database.transaction() as session:
        return await file_model(session, model, clock.now())


def _learned(
    rows: Rows, target: ModelTarget, recipes: Sequence[Recipe], progress: Progress
) -> tuple[Trained, dict[str, Any], list[Check]]:
    horizon = target.horizon_days
    trained = train(rows, horizon, is_churn=target.is_churn, recipes=recipes, progress=progress)
    out, chance = trained.judged.pooled, trained.judged.calibration.apply(trained.judged.out_of_time)
    checks = leak_checks(trained.learned_from, horizon, auc(out.happened, chance))
    checks.append(knowledge(out.happened, chance, out.customers))
    return trained, card_of(trained, horizon, rows.samples.digest(), checks), checks


async def feature_parity(database: Database, world: World, date: dt.date) -> Check:
    """See that a row is the same to the bit whether everyone is looked at or one customer alone."""
    as_of = start_of_day(date)
    live = sorted(key for key, one in world.relations.items() if one.is_live_at(as_of))[:PARITY]
    async with database.transaction() as session:
        together = await load_snapshot(session, live, as_of, world.since)
        alone = [await load_snapshot(session, [one], as_of, world.since) for one in live]
    differing = [
        str(whole.customer_id)
        for whole, (single,) in zip(together, alone, strict=True)
        if not np.array_equal(vector(whole, world.columns), vector(single, world.columns), equal_nan=True)
    ]
    said = f"{len(live) - len(differing)} of {len(live)} customers are the same alone as in company"
    return Check("feature_parity", not differing, said)


async def _other_cause(
    database: Database, world: World, key: str, target: ModelTarget
) -> tuple[float, dict[str, Any] | None]:
    """Return how often payment ended a relation within the horizon: what counts while it has no model."""
    if target is not ModelTarget.CHURN:
        return 0.0, None
    rows = await load_rows(database, world, key, ModelTarget.INVOLUNTARY)
    known = rows.samples.matured(target.horizon_days)
    events = events_of(known, target.horizon_days)
    rate = float(known.happened(target.horizon_days).mean()) if len(known) else 0.0
    few = ", too few for a model of their own: " if events < LEAST_CHURNERS else "; until they have a model, "
    said = f"{events} customers left since payment failed{few}their share counts for everybody alike"
    return rate, {"churners": events, "rate": rate, "said": said}


def _new_model(
    training: Training, trained: Trained, other_rate: float, digest: str, card: dict[str, Any]
) -> NewModel:
    judged, fitted = trained.judged, trained.fitted
    return NewModel(
        target=training.target,
        training=training.key,
        form=judged.form.value,
        columns=judged.columns,
        base_rate=judged.base_rate,
        calibration=asdict(judged.calibration),
        anchors={"points": [list(one) for one in judged.anchors.points], "shares": judged.anchors.shares},
        churners=trained.churners,
        other_rate=other_rate,
        data_hash=digest,
        trained_until=trained.trained_until,
        judged_until=trained.judged_until,
        artefact=written(fitted.model),
        judged=written(judged.model),
        card=card,
    )
