"""From a request's body to stored messages: whose they are, what they say, no answer before the commit."""

from litestar import Request
from litestar.datastructures import State

from api.authentication import secret_in
from api.tracking.keys import WriteKeys
from api.tracking.limits import RateLimit
from api.tracking.writer import TrackingWriter
from integrations.tracking.bodies import plain_body
from integrations.tracking.envelopes import Opener, Reader, read_messages
from models.clock import StoredClock

MOST_BODY_BYTES = 4_000_000
"""As sent and unzipped. Segment's clients send 500 KB at most, PostHog's 1 MB."""

TrackingRequest = Request[object, None, State]


class TrackingIntake:
    """Takes requests of every dialect."""

    def __init__(self, keys: WriteKeys, limit: RateLimit, writer: TrackingWriter, clock: StoredClock) -> None:
        """Take its parts; the clock tells when something was received."""
        self._keys, self._limit, self._writer, self._clock = keys, limit, writer, clock

    async def take(self, request: TrackingRequest, opener: Opener, reader: Reader, kind: str | None) -> None:
        """Store the messages of a request; raises what api.errors turns into 400, 401, 413, 429 or 503."""
        received = self._clock.wall_now()
        headers = request.headers
        body = plain_body(await request.body(), headers.get("content-encoding", ""), MOST_BODY_BYTES)
        opened = opener(body)
        source_id = await self._keys.source_of(secret_in(headers.get("authorization", "")), opened.key)
        self._limit.take(source_id, len(opened.raws))
        good, bad = read_messages(opened, reader, self._clock.timeline, received, kind)
        if good or bad:
            await self._writer.store(source_id, good, bad)
