"""Applies providers' events after they were stored and answered: at once, and again after a crash."""

import asyncio
from contextlib import suppress

import structlog

from models.clock import wall_now
from models.database import Database
from models.provider_events import apply_events

SWEEP_SECONDS = 5.0
"""How long an event may wait that another process stored and did not live to apply."""


class EventApplier:
    """One task per process. A webhook wakes it; it also looks by itself now and then."""

    def __init__(self, database: Database) -> None:
        """Take where the events are."""
        self._database, self._news = database, asyncio.Event()

    def wake(self) -> None:
        """Say that there are new events."""
        self._news.set()

    async def run(self) -> None:
        """Apply for ever. A database that is away for a while costs time, not events."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), SWEEP_SECONDS)
            self._news.clear()
            try:
                while await self._apply_batch():
                    pass
            except Exception as error:  # noqa: BLE001  whatever it was, the events are kept and tried again
                structlog.get_logger("provider_events").warning("will try again", exc_info=error)
                await asyncio.sleep(SWEEP_SECONDS)

    async def _apply_batch(self) -> int:
        async with self._database.transaction() as session:
            return await apply_events(session, wall_now())
