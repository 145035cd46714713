"""Calendars push nothing: their feeds are fetched every few minutes and kept as deliveries like webhooks.

A feed that has not changed is read again once a day, since meetings come to be over without a word.
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable

import structlog

from domain.errors import EverstayError
from domain.ports import Clock
from domain.pulling import parse_instant
from domain.webhook_messages import Envelope
from integrations.calendar_feed import Feed, fetch_feed
from models.ciphers import Cipher
from models.connections import Connection, connections_of, note_problem
from models.database import Database
from models.deliveries import receive_delivery
from models.pulls import load_cursor, move_cursor

PROVIDER, STREAM = "calendar", "feed"
LOOK_SECONDS = 20.0
USUALLY = dt.timedelta(minutes=15)
Fetch = Callable[[str], Awaitable[Feed]]
log = structlog.get_logger("calendars")


async def keep_fetching(database: Database, clock: Clock, cipher: Cipher) -> None:
    """Fetch every feed at its own pace, until cancelled."""
    feeds = CalendarFeeds(database, clock, cipher, fetch_feed)
    while True:
        await feeds.fetch_due()
        await asyncio.sleep(LOOK_SECONDS)


class CalendarFeeds:
    """Fetches the calendars that are due."""

    def __init__(self, database: Database, clock: Clock, cipher: Cipher, fetch: Fetch) -> None:
        """Take where connections are, what opens their secrets, and what fetches."""
        self._database, self._clock, self._cipher, self._fetch = database, clock, cipher, fetch

    async def fetch_due(self) -> int:
        """Fetch what is due; one that cannot be fetched keeps no other from it. Returns how many."""
        async with self._database.transaction() as session:
            connections = await connections_of(session, PROVIDER, self._cipher)
        due = [each for each in connections if each.paused_at is None and await self._is_due(each)]
        for connection in due:
            try:
                await self._fetch_one(connection)
            except EverstayError as error:
                log.warning("feed not fetched", source=connection.source_id, reason=str(error))
                await self._note(connection, str(error))
        return len(due)

    async def _is_due(self, connection: Connection) -> bool:
        async with self._database.transaction() as session:
            cursor = await load_cursor(session, connection.source_id, STREAM)
        seconds = connection.pull_every_seconds
        pace = USUALLY if seconds is None else dt.timedelta(seconds=seconds)
        last = cursor.get("asked_at")
        return last is None or self._clock.wall_now() - parse_instant(last, "asked_at") >= pace

    async def _fetch_one(self, connection: Connection) -> None:
        feed = await self._fetch(connection.secrets.get("token") or connection.base_url or "")
        wall, day = self._clock.wall_now(), self._clock.now().date()
        envelope = Envelope(f"{day.isoformat()}/{feed.digest}", STREAM)
        source_id = connection.source_id
        async with self._database.transaction() as session:
            await receive_delivery(session, source_id, envelope, feed.body, feed.content_type, wall)
        await self._note(connection, None)

    async def _note(self, connection: Connection, problem: str | None) -> None:
        wall = self._clock.wall_now()
        async with self._database.transaction() as session:
            cursor = {"asked_at": wall.isoformat()}
            await move_cursor(session, connection.source_id, STREAM, cursor, wall)
            if problem != connection.problem:
                await note_problem(session, connection.source_id, problem)
