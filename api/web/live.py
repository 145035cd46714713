"""Live pages: a stream that says when to look again. What changed is read from the page itself."""

import asyncio
from collections.abc import AsyncGenerator

from litestar import get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.response import ServerSentEvent, ServerSentEventMessage

from api.guards import SIGNED_IN
from api.streams import until_stopping
from models.changes import ChangeFeed

CALM_SECONDS = 2.0
"""A page is asked to refresh at most this often, however much happens."""
BEAT_SECONDS = 25.0
"""A comment at least this often, so that proxies keep the stream and a gone browser is noticed."""


async def events(feed: ChangeFeed) -> AsyncGenerator[ServerSentEventMessage, None]:
    """Yield an event per change, calmly, and a beat while nothing changes."""
    changes = feed.watch()
    following = asyncio.ensure_future(anext(changes))
    try:
        await following
        following = asyncio.ensure_future(anext(changes))
        while True:
            done, _ = await asyncio.wait([following], timeout=BEAT_SECONDS)
            if not done:
                yield ServerSentEventMessage(comment="beat")
                continue
            following = asyncio.ensure_future(anext(changes))
            yield ServerSentEventMessage(event="changed", data="look again")
            await asyncio.sleep(CALM_SECONDS)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await changes.aclose()


@get("/live", opt=SIGNED_IN, include_in_schema=False)
async def live(state: State, stopping: NamedDependency[asyncio.Event]) -> ServerSentEvent:
    """Stream to one page until it is closed or the server stops."""
    return ServerSentEvent(until_stopping(events(state.changes), stopping))
