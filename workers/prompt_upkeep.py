"""Closes prompts that are over, also where no product asks for them any more."""

import asyncio

from domain.ports import Clock
from models.database import Database
from models.prompt_desk import close_over

SECONDS = 60.0


async def keep_closing(database: Database, clock: Clock) -> None:
    """Sweep every minute, until cancelled."""
    while True:
        async with database.transaction() as session:
            await close_over(session, clock.now(), clock.wall_now())
        await asyncio.sleep(SECONDS)
