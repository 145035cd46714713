"""The business clock as the simulated Stripe follows it, where a connection says that Stripe lives on it."""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator

from domain.timeline import Segment
from models.clock import load_timeline, wall_now
from models.connections import has_business_clock
from models.database import Database
from settings import Settings

STRIPE = "stripe"
LOOK_SECONDS = 0.5
"""Between two looks. A segment that begins meanwhile is followed from where it then stands."""


async def business_moments(settings: Settings) -> AsyncGenerator[tuple[dt.datetime, float] | None]:
    """Yield what business time is and its rate: at once, then whenever it goes on at another pace.

    None, at first, where no connection says `clock=business`: Stripe has then a clock of its own.
    """
    database = Database(settings.database_url or "", pool_size=1)
    try:
        followed = await _segment(database)
        yield _moment(followed)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            newest = await _segment(database)
            if newest is not None and newest != followed:
                followed = newest
                yield _moment(newest)
    finally:
        await database.close()


async def _segment(database: Database) -> Segment | None:
    """Return the segment of business time that holds now, where Stripe lives on it."""
    async with database.transaction() as session:
        if not await has_business_clock(session, STRIPE):
            return None
        timeline = await load_timeline(session)
    return None if timeline is None else timeline.segment_at(wall_now())


def _moment(segment: Segment | None) -> tuple[dt.datetime, float] | None:
    return None if segment is None else (segment.business_at(wall_now()), segment.rate)
