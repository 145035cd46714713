"""One training from its plan to its model: the workflow and `everstay train` call these in this order."""

import asyncio
import datetime as dt
from collections.abc import Sequence

from activities.leak_checks import SNAPSHOT_CHECKS, SnapshotCheck
from activities.training_data import month_starts
from activities.training_rows import load_gathered, look_at, open_sampled_world
from domain.labels import GRACE, Cause
from domain.learning_port import LEAST_CHURNERS, Check, Learner, TooLittleError
from domain.learning_rows import World
from domain.ports import Clock
from domain.progress import Progress, quietly
from domain.risk import Scorecard
from domain.time import after
from domain.trained_model import ModelTarget, NewModel
from domain.training_calendar import Training
from models.database import Database
from models.model_registry import file_model, load_filed
from models.scores import load_policy
from models.snapshots import told_until
from models.trainings import begin_training, end_training, keep_part, kept_dates, load_training

MOST_DATES = 36
"""Months that are looked back at: what customers were like before says little of today's."""


class LeakError(Exception):
    """Snapshots hold what became known later, or hang on who is looked at beside: nothing may be learned."""


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
    database: Database, learner: Learner, key: str, dates: Sequence[dt.date], tell: Progress = quietly
) -> tuple[int, int]:
    """Look at everybody as of each date that is not kept yet; return how many dates and rows are kept."""
    async with database.transaction() as session:
        training = await load_training(session, key)
        kept = await kept_dates(session, key)
        card = Scorecard((await load_policy(session)).risk)
    world = await open_sampled_world(database, training.known_until)
    columns = [column.name for column in world.columns]
    for place, date in enumerate(dates):
        if date not in kept:
            rows = await look_at(database, world, card, date)
            async with database.transaction() as session:
                await keep_part(session, key, date, len(rows), learner.pack(columns, rows))
            kept[date] = len(rows)
        tell(f"looked at {date.isoformat()}: {kept[date]} customers", (place + 1) / len(dates))
    return len(kept), sum(kept.values())


async def train_filed(
    database: Database,
    clock: Clock,
    learner: Learner,
    key: str,
    progress: Progress = quietly,
    safeguards: Sequence[SnapshotCheck] = SNAPSHOT_CHECKS,
) -> str | None:
    """Learn from what was gathered and file a challenger; return its name; None: the reason is kept."""
    async with database.transaction() as session:
        training = await load_training(session, key)
        filed = await load_filed(session, key)
    if filed is not None:
        return filed.model.name
    try:
        model = await _learned(database, learner, training, progress, safeguards)
    except (TooLittleError, LeakError) as reason:
        async with database.transaction() as session:
            await end_training(session, key, clock.now(), str(reason))
        return None
    async with database.transaction() as session:
        return await file_model(session, model, clock.now())


async def _learned(
    database: Database,
    learner: Learner,
    training: Training,
    progress: Progress,
    safeguards: Sequence[SnapshotCheck],
) -> NewModel:
    world = await open_sampled_world(database, training.known_until)
    checks = await _checked(database, world, training.key, safeguards)
    gathered = await load_gathered(database, world, training.key)
    return await asyncio.to_thread(learner.learn, training, gathered, checks, progress)


async def _checked(
    database: Database, world: World, key: str, safeguards: Sequence[SnapshotCheck]
) -> list[Check]:
    """Look for the future in the snapshots of the newest date; what holds any is not learned from."""
    async with database.transaction() as session:
        dates = [date for date, rows in (await kept_dates(session, key)).items() if rows]
    if not dates:
        raise TooLittleError("nobody was a customer on any of the dates")
    checks = [await one(database, world, max(dates)) for one in safeguards]
    failed = [f"the check {one.name} failed: {one.said}" for one in checks if not one.passed]
    if failed:
        raise LeakError(f"nothing was learned, since {'; '.join(failed)}")
    return checks
