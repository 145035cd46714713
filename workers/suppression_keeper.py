"""Suppression lists are read every few minutes: they hold what no webhook told us while it was not set up."""

import asyncio
import datetime as dt

import structlog

from domain.errors import EverstayError
from domain.ports import Clock
from domain.suppressions import SuppressionList, SuppressionReader
from domain.time import WallInstant
from integrations.sendgrid_suppressions import SendGridSuppressions
from integrations.simulators.account import SIMULATOR_API_KEY
from models.database import Database
from models.suppressions import cursor_of, note_pull, take_entries
from settings import Settings

EVERY_SECONDS = 300.0
OVERLAP = dt.timedelta(minutes=10)
"""Read again from so long before: an entry may show up late in a list. What is known changes nothing."""
log = structlog.get_logger("suppressions")


def suppression_reader(settings: Settings) -> SuppressionReader | None:
    """Return the reader of the account that mail leaves by; None for a mail server, which keeps no lists."""
    if settings.smtp_url is not None:
        return None
    secret = settings.sendgrid_api_key
    key = secret.get_secret_value() if secret is not None else SIMULATOR_API_KEY
    return SendGridSuppressions(key, settings.sendgrid_url)


async def keep_importing(database: Database, clock: Clock, settings: Settings) -> None:
    """Read every list now and every few minutes, until cancelled."""
    reader = suppression_reader(settings)
    while True:
        if reader is not None:
            await import_suppressions(database, clock, reader)
        await asyncio.sleep(EVERY_SECONDS)


async def import_suppressions(
    database: Database, clock: Clock, reader: SuppressionReader
) -> dict[SuppressionList, int | str]:
    """Read every list from its cursor; returns per list how many are new, or why it could not be read.

    A page is a transaction of its own. The cursor moves only when the last page is in, so that whatever
    breaks in between is read again.
    """
    return {which: await _import_one(database, clock, reader, which) for which in SuppressionList}


async def _import_one(
    database: Database, clock: Clock, reader: SuppressionReader, which: SuppressionList
) -> int | str:
    async with database.transaction() as session:
        cursor = await cursor_of(session, reader.name, which)
    began, news = clock.wall_now(), 0
    try:
        async for page in reader.pages(which, cursor):
            async with database.transaction() as session:
                news += await take_entries(session, reader.name, which, page, clock.wall_now())
    except EverstayError as error:
        log.warning("suppression list not read", list=which.value, reason=str(error))
        async with database.transaction() as session:
            await note_pull(session, reader.name, which, None, clock.wall_now(), str(error))
        return str(error)
    async with database.transaction() as session:
        await note_pull(session, reader.name, which, WallInstant(began - OVERLAP), clock.wall_now())
    return news
