"""Group commit: requests that come while one transaction runs share the next one."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import ClassVar

import structlog

from domain.errors import EverstayError
from domain.tracked_message import BadMessage, Message
from models.clock import StoredClock
from models.database import Database
from models.partitions import ensure_day
from models.tracking import STORE_ERRORS, Group, UnstorableError, set_unstorable_aside, store_group

MOST_WAITING = 40_000
"""Messages that may wait for the next transaction: about a second of work; further ones shall come again."""
AT_ONCE = 2
"""Transactions: while Postgres works on one, the lines of the next are made."""
STORE_SECONDS = 20.0
"""A transaction that takes longer is given up; its clients send again, and ids keep that harmless."""


class OverloadedError(EverstayError):
    """More messages arrive than can be stored; send this again after a moment."""

    status = 503
    retry_after: ClassVar[int] = 1


class NotStoredError(EverstayError):
    """The messages could not be stored now; send them again."""

    status = 503
    retry_after: ClassVar[int] = 2


class _Open:
    """A group that still takes requests, and what they all wait for."""

    def __init__(self) -> None:
        self.group = Group()
        self.stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def give_up(self) -> None:
        """Tell all who wait that it was not stored, unless it was."""
        if not self.stored.done():
            self.stored.set_exception(NotStoredError())
            self.stored.exception()  # looked at: if nobody waits any more, nothing is missed


class TrackingWriter:
    """Stores messages, two transactions at a time; a request is answered only after its own commit."""

    def __init__(self, database: Database, clock: StoredClock) -> None:
        """Take where to store, and the clock that tells the moment of receipt."""
        self._database, self._clock = database, clock
        self._open = _Open()
        self._news = asyncio.Event()
        self._day: dt.date | None = None

    async def store(self, source_id: str, good: Sequence[Message], bad: Sequence[BadMessage]) -> None:
        """Return once the messages are durable; raises OverloadedError or NotStoredError."""
        mine = self._open
        if mine.group.received + len(good) + len(bad) > MOST_WAITING and mine.group.received:
            raise OverloadedError
        mine.group.add(source_id, good, bad)
        self._news.set()
        await asyncio.shield(mine.stored)

    async def run(self) -> None:
        """Write until cancelled; what was taken by then is still written."""
        try:
            await asyncio.gather(*(self._write_on() for _ in range(AT_ONCE)))
        finally:
            if self._news.is_set():
                await self._write_next()

    async def _write_on(self) -> None:
        while True:
            await self._news.wait()
            await self._write_next()

    async def _write_next(self) -> None:
        self._news.clear()
        taken, self._open = self._open, _Open()
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await self._write(taken.group)
        except Exception as error:
            is_known = isinstance(error, (*STORE_ERRORS, TimeoutError))
            log = structlog.get_logger("api.tracking")
            log.warning(
                "messages not stored", reason=type(error).__name__, exc_info=None if is_known else error
            )
        else:
            taken.stored.set_result(None)
        finally:
            taken.give_up()

    async def _write(self, group: Group) -> None:
        try:
            await self._commit(group)
        except UnstorableError:
            async with self._database.transaction() as session:
                moved = await set_unstorable_aside(session, group)
            if not moved:
                raise
            await self._commit(group)

    async def _commit(self, group: Group) -> None:
        wall = self._clock.wall_now()
        if self._day != wall.date():
            await ensure_day(self._database, wall.date())
            self._day = wall.date()
        async with self._database.transaction() as session:
            await store_group(session, group, wall, self._clock.timeline.business_at(wall))
