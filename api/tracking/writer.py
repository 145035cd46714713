"""Group commit: requests that come while a transaction runs share the next one."""

import asyncio
import threading
from collections.abc import Sequence
from typing import ClassVar

import structlog

from domain.errors import EverstayError
from domain.tracked_message import BadMessage, Message
from models.clock import StoredClock
from models.tracking import STORE_ERRORS, Group, TrackingStore

MOST_WAITING = 40_000
"""Messages that may wait for the next transaction: about a second of work; further ones shall come again."""
AT_ONCE = 2
"""Transactions: while one waits for Postgres or its disk, the other's lines are made."""
STORE_SECONDS = 20.0
"""A statement that takes longer is given up; its clients send again, and ids keep that harmless."""


class OverloadedError(EverstayError):
    """More messages arrive than can be stored; send this again after a moment."""

    status = 503
    retry_after: ClassVar[int] = 1


class NotStoredError(EverstayError):
    """The messages could not be stored now; send them again."""

    status = 503
    retry_after: ClassVar[int] = 2


class _Open:
    """A group that still takes requests, and what they all wait for, in the event loop of the requests."""

    def __init__(self) -> None:
        self.group = Group()
        self.stored: asyncio.Future[None] | None = None

    def future(self) -> asyncio.Future[None]:
        if self.stored is None:
            self.stored = asyncio.get_running_loop().create_future()
        return self.stored

    def settle(self, *, is_stored: bool) -> None:
        """Tell all who wait, from the writer's thread."""
        if self.stored is not None:
            self.stored.get_loop().call_soon_threadsafe(_settle, self.stored, is_stored)


def _settle(stored: asyncio.Future[None], is_stored: bool) -> None:  # noqa: FBT001 - called by the loop
    if stored.done():
        return
    if is_stored:
        stored.set_result(None)
    else:
        stored.set_exception(NotStoredError())
        stored.exception()  # looked at: if nobody waits any more, nothing is missed


class TrackingWriter:
    """Stores messages in groups; a request is answered only after the commit of its own.

    It has threads of its own: in the event loop of the requests, each of a transaction's round trips would
    wait until all requests at hand have been read, which made it three times slower.
    """

    def __init__(self, database_url: str, clock: StoredClock) -> None:
        """Take where to store, and the clock that tells the moment of receipt."""
        self._url, self._clock = database_url, clock
        self._changed = threading.Condition()
        self._open = _Open()
        self._ended = False
        self._threads = [
            threading.Thread(target=self._write_on, name=f"tracking-{number}", daemon=True)
            for number in range(AT_ONCE)
        ]

    def start(self) -> None:
        """Begin to write."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End once what was taken is written."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    async def store(self, source_id: str, good: Sequence[Message], bad: Sequence[BadMessage]) -> None:
        """Return once the messages are durable; raises OverloadedError or NotStoredError."""
        with self._changed:
            mine = self._open
            waiting = mine.group.received
            if waiting and waiting + len(good) + len(bad) > MOST_WAITING:
                raise OverloadedError
            mine.group.add(source_id, good, bad)
            stored = mine.future()
            if not waiting:
                self._changed.notify()
        await asyncio.shield(stored)

    def _write_on(self) -> None:
        store = TrackingStore(self._url, STORE_SECONDS)
        while (taken := self._take()) is not None:
            taken.settle(is_stored=self._write(store, taken.group))
        store.close()

    def _take(self) -> _Open | None:
        """Wait for messages and take what is there; None once there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._open.group.received or self._ended)
            if not self._open.group.received:
                return None
            taken, self._open = self._open, _Open()
            return taken

    def _write(self, store: TrackingStore, group: Group) -> bool:
        wall = self._clock.wall_now()
        try:
            store.store(group, wall, self._clock.timeline.business_at(wall))
        except Exception as error:
            is_known = isinstance(error, STORE_ERRORS)
            log = structlog.get_logger("api.tracking")
            log.warning(
                "messages not stored", reason=type(error).__name__, exc_info=None if is_known else error
            )
            return False
        return True
