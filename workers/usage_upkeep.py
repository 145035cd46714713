"""What usage needs as time passes: windows move with the day, keys find whom others told of since."""

import asyncio
import datetime as dt
import uuid

from domain.ports import Clock
from models.attribution import ask_to_attribute, wait_to_attribute
from models.database import Database
from models.holding import prune
from models.identities import match_everything
from models.usage_windows import (
    are_astray,
    customers_after,
    lock_for_usage,
    rebuild_windows,
    roll_windows,
    stale_customers,
)

CHUNK = 500
"""Customers per transaction: their rows are locked for a fraction of a second."""
LOOK_SECONDS = 5.0
MATCH_SECONDS = 30.0
KEPT_DAYS = 90
"""How long an event that counts for its customer waits for a person."""


async def keep_windows(database: Database, clock: Clock) -> None:
    """Move the windows on when the business day changes, until cancelled."""
    done: dt.date | None = None
    while True:
        today = clock.now().date()
        if today != done:
            await move_windows(database, today)
            done = today
        await asyncio.sleep(LOOK_SECONDS)


async def move_windows(database: Database, today: dt.date) -> None:
    """Let every window end today; where the clock was set to another time, add them all up anew."""
    async with database.transaction() as session:
        astray = await are_astray(session, today)
    if astray:
        await _rebuild(database, today)
    while True:
        async with database.transaction() as session:
            ids = await stale_customers(session, today, CHUNK)
            await lock_for_usage(session, ids)
            await roll_windows(session, ids, today)
        if not ids:
            return


async def _rebuild(database: Database, today: dt.date) -> None:
    after = uuid.UUID(int=0)
    while True:
        async with database.transaction() as session:
            ids = await customers_after(session, after, CHUNK)
            await lock_for_usage(session, ids)
            await rebuild_windows(session, ids, today)
        if not ids:
            return
        after = ids[-1]


async def keep_matching(database: Database, clock: Clock) -> None:
    """Match keys that nobody was known for with whom other sources told of meanwhile, until cancelled."""
    while True:
        async with database.transaction() as session:
            await wait_to_attribute(session)
            if await match_everything(session):
                await ask_to_attribute(session)
            await prune(session, clock.wall_now() - dt.timedelta(days=KEPT_DAYS))
        await asyncio.sleep(MATCH_SECONDS)
