"""Hearing what Postgres announces (LISTEN), with a look every few seconds in case an announcement is lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import psycopg
from psycopg import sql

RECONNECT_SECONDS = 1.0


async def announcements(database_url: str, channel: str, *, at_least_every: float) -> AsyncIterator[None]:
    """Yield once at first, then whenever something is announced, and at least every so many seconds.

    A lost connection is made again; several announcements close to each other may be one.
    """
    while True:
        yield
        with contextlib.suppress(psycopg.OperationalError):
            async with await _connect(database_url) as connection:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                while True:
                    yield
                    async for _ in connection.notifies(timeout=at_least_every, stop_after=1):
                        pass
                    async for _ in connection.notifies(timeout=0):  # what came meanwhile is the same news
                        pass
        await asyncio.sleep(RECONNECT_SECONDS)


async def _connect(database_url: str) -> psycopg.AsyncConnection:
    plain = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    return await psycopg.AsyncConnection.connect(plain, autocommit=True)
