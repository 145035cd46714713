"""Keeps a process's clock up to date with the stored segments."""

from models.clock import CHANNEL, StoredClock
from models.database import Database
from models.listening import announcements

POLL_SECONDS = 2.0


async def keep_fresh(clock: StoredClock, database: Database) -> None:
    """Re-read the segments whenever they change. Run it as a task beside everything that asks the clock."""
    async for _ in announcements(database.url, CHANNEL, at_least_every=POLL_SECONDS):
        await clock.refresh(database)
