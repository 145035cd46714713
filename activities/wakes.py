"""From a business deadline to what a workflow can wait for."""

import asyncio
from datetime import timedelta

from activities.contracts import Wake
from domain.ports import Clock
from domain.time import BusinessInstant

SHORTEST_TIMER = timedelta(seconds=1)
"""The development server fires no timer sooner; in compressed time a second is a quarter of a day."""


def wake_at(clock: Clock, due: BusinessInstant | None, then: str | None = None) -> Wake | None:
    """Return the deadline with the wall instant at which today's pace will reach it."""
    return None if due is None else Wake(due, clock.wall_at(due), then, lazily=True)


async def sit_out(clock: Clock, wake: Wake | None) -> None:
    """Wait here for a deadline that is nearer than a timer can be; the workflow then finds it due."""
    if wake is None:
        return
    left = wake.wall - clock.wall_now()
    if timedelta() < left < SHORTEST_TIMER:
        await asyncio.sleep(left.total_seconds())
