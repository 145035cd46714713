"""Business time goes on where the last stop left it, and leaves a trace of the last moment it was seen."""

import asyncio
import datetime as dt

from domain.time import WallInstant, after
from domain.timeline import Segment
from models.clock import (
    append_segment,
    beat,
    close_after_stop,
    is_compressed,
    load_timeline,
    start_clock,
    wall_now,
)
from models.clock_rings import ring_those_who_wake_soon
from models.database import Database
from models.playbooks import load_library
from settings import Settings
from workers.library import LIBRARY

RING_AHEAD = dt.timedelta(days=1.5)
START_UP = dt.timedelta(seconds=20)
"""Compressed time stands still while the other parts start, or their start would cost days."""
BEAT_SECONDS = 0.5
"""A kill loses at most this much: two business hours at four seconds a day."""


async def resume(settings: Settings) -> None:
    """Start the clock of a new installation, or let a compressed one go on; call it before workers poll.

    A new installation also gets the shipped playbooks: it can plan from its first customer on.

    Time that ran with the wall goes on with the wall. Compressed time stopped with the stack: its segment
    is closed at the last heartbeat and the next opens at the same rate when the other parts have had time
    to start. Timers armed before the stop
    come too early, never too late, and then ask again; those that wake soon are rung here, so that nothing
    hangs on an early timer alone. To ring everyone at once would swamp a small server.
    """
    database = Database(settings.database_url or "", pool_size=1)
    try:
        await _resume(database)
    finally:
        await database.close()


async def _resume(database: Database) -> None:
    async with database.transaction() as session:
        timeline, wall = await load_timeline(session), wall_now()
        if timeline is None:
            timeline = await start_clock(session, wall)
            await load_library(session, LIBRARY, timeline.business_at(wall))
        elif is_compressed(timeline):
            rate = timeline.segments[-1].rate
            closed = await close_after_stop(session, timeline)
            wall = max(wall, closed.segments[-1].wall_start)
            now = closed.business_at(wall)
            await append_segment(session, Segment(WallInstant(wall + START_UP), now, rate), "resumed")
            soon = after(now, RING_AHEAD)
            await ring_those_who_wake_soon(session, now, wall, before=soon, since=wall)
        await beat(session, wall_now())


async def heartbeat(settings: Settings) -> None:
    """Record again and again that the stack is alive, once more when told to stop."""
    database = Database(settings.database_url or "", pool_size=1)
    try:
        while True:
            await _beat(database)
            await asyncio.sleep(BEAT_SECONDS)
    finally:
        await _beat(database)
        await database.close()


async def _beat(database: Database) -> None:
    async with database.transaction() as session:
        await beat(session, wall_now())
