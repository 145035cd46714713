"""The loop that keeps the daily partitions of what arrives in masses."""

import asyncio

import structlog

from domain.ports import Clock
from models.database import Database
from models.partitions import Retention, keep_partitions
from settings import Settings

EVERY_SECONDS = 6 * 3600.0
"""Partitions are made a week ahead; a round that changes nothing costs a few queries."""


async def keep_days(database: Database, clock: Clock, settings: Settings) -> None:
    """Make and drop partitions, for ever."""
    retention = Retention(settings.tracking_retention_days, settings.usage_retention_days)
    while True:
        kept = await keep_partitions(database, clock.wall_now(), retention)
        if kept.made or kept.dropped or kept.forgotten:
            structlog.get_logger("partitions").info(
                "partitions kept", made=len(kept.made), dropped=kept.dropped, forgotten=kept.forgotten
            )
        await asyncio.sleep(EVERY_SECONDS)
