"""Tells open pages that something changed: Postgres NOTIFY in, one event per waiting page out."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import psycopg
from psycopg import sql
from sqlalchemy import text

from models.database import Session
from models.outbox import CHANNEL as OUTBOX

CHANNEL = "everstay_changes"
RETRY_SECONDS = 2.0
"""After a lost connection; pages lose nothing but a refresh."""


async def announce_change(session: Session) -> None:
    """Tell every open page, when this transaction commits, that what it shows may have changed."""
    await session.execute(text(f"NOTIFY {CHANNEL}"))


class ChangeFeed:
    """One listening connection per process, while anybody watches."""

    def __init__(self, database_url: str) -> None:
        """Connect only when the first page watches."""
        self._url = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._watchers: set[asyncio.Event] = set()
        self._listener: asyncio.Task[None] | None = None

    async def watch(self) -> AsyncGenerator[None, None]:
        """Yield once now, and then whenever something changed; many changes at once are one."""
        changed = asyncio.Event()
        changed.set()
        self._watchers.add(changed)
        self._start()
        try:
            while True:
                await changed.wait()
                changed.clear()
                yield
        finally:
            self._watchers.discard(changed)
            await self._stop_if_alone()

    def _start(self) -> None:
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())

    async def _stop_if_alone(self) -> None:
        if self._watchers or self._listener is None:
            return
        listener, self._listener = self._listener, None
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener

    async def _listen(self) -> None:
        while True:
            with suppress(psycopg.OperationalError):
                await self._listen_once()
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen_once(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            for channel in (CHANNEL, OUTBOX):
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            async for _ in connection.notifies():
                for watcher in self._watchers:
                    watcher.set()
