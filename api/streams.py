"""Streams to browsers that end when the server stops: an open one would use up the whole time to stop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, TypeVar

Item = TypeVar("Item")


async def until_stopping(items: AsyncGenerator[Item, None], stopping: asyncio.Event) -> AsyncIterator[Item]:
    """Yield the items until there are no more or the server stops; every open stream goes through here."""
    stop = asyncio.create_task(stopping.wait())
    try:
        async with aclosing(items):
            while (following := await _next_or_stop(items, stop)) is not None:
                yield following[0]
    finally:
        stop.cancel()


async def _next_or_stop(items: AsyncGenerator[Item, None], stop: asyncio.Task[Any]) -> tuple[Item] | None:
    following = asyncio.create_task(_next(items))
    try:
        await asyncio.wait([following, stop], return_when=asyncio.FIRST_COMPLETED)
        return following.result() if following.done() else None
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def _next(items: AsyncGenerator[Item, None]) -> tuple[Item] | None:
    async for item in items:
        return (item,)
    return None
