"""Heartbeats beside long work: a killed worker is noticed soon, and slow work of a living one is let be."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from temporalio import activity

BEAT_SECONDS = 2.0


class Beat:
    """Heartbeats from the side, with the cursor behind which the next attempt will go on."""

    def __init__(self) -> None:
        """Begin without a cursor."""
        self.cursor: Mapping[str, Any] = {}

    @contextlib.asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat until the end of the block."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while activity.in_activity():
            activity.heartbeat(dict(self.cursor))
            await asyncio.sleep(BEAT_SECONDS)


def beating() -> contextlib.AbstractAsyncContextManager[None]:
    """Beat until the end of the block, for work that begins anew each time."""
    return Beat().beating()
