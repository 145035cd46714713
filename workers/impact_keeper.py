"""Learns from outcomes once a business day: fills labels in, and reports what playbooks bring about."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable

import structlog

from domain.ports import Clock
from domain.time import BusinessInstant
from models.database import Database, Session
from models.digests import is_my_turn
from models.impact import REPORT, keep_report
from models.trial_outcomes import BATCH, label_goals, label_recoveries, label_stays
from models.trial_rows import declared_experiments, declared_uplifts, load_trial_rows

LOOK_SECONDS = 5.0
LABELS: tuple[Callable[[Session, BusinessInstant], Awaitable[int]], ...] = (
    label_recoveries,
    label_stays,
    label_goals,
)
log = structlog.get_logger("impact")


async def keep_learning(database: Database, clock: Clock) -> None:
    """Learn when the business day changes, until cancelled."""
    done: dt.date | None = None
    while True:
        today = clock.now().date()
        if today != done:
            await learn_from_outcomes(database, clock.now())
            done = today
        await asyncio.sleep(LOOK_SECONDS)


async def learn_from_outcomes(database: Database, now: BusinessInstant) -> int:
    """Fill in every label whose window has passed, then report anew; return how many were filled in.

    A label is written once and a report replaces the one before: to be cut short or to come twice, from two
    processes even, changes nothing.
    """
    labelled = 0
    for fill in LABELS:
        labelled += await _drain(database, fill, now)
    async with database.transaction() as session:
        if not await is_my_turn(session, REPORT):
            return labelled
        rows = await load_trial_rows(session)
        experiments, words = await declared_experiments(session), await declared_uplifts(session)
        if rows:
            from ml.impact import report

            found = await asyncio.to_thread(report, rows, experiments, now, words)
            await keep_report(session, found, now)
            log.info("learned from outcomes", labelled=labelled, assignments=len(rows))
    return labelled


async def _drain(
    database: Database, fill: Callable[[Session, BusinessInstant], Awaitable[int]], now: BusinessInstant
) -> int:
    total = 0
    while True:
        async with database.transaction() as session:
            done = await fill(session, now)
        total += done
        if done < BATCH:
            return total
