"""From a request's body to stored messages: whose they are, what they say, no answer before the commit."""

from dataclasses import dataclass

from api.authentication import secret_in
from api.tracking.keys import WriteKeys
from api.tracking.limits import RateLimit
from api.tracking.writer import TrackingWriter
from integrations.tracking.bodies import plain_body
from integrations.tracking.envelopes import Opener, Reader, read_messages
from models.clock import StoredClock

SUCCESS = b'{"success": true}'
MOST_BODY_BYTES = 4_000_000
"""As sent and unzipped. Segment's clients send 500 KB at most, PostHog's 1 MB."""


@dataclass(frozen=True)
class Dialect:
    """What is sent to some addresses: how a body is taken apart, how a message is read."""

    paths: tuple[str, ...]
    opener: Opener
    reader: Reader
    call: str | None
    """The call that a message without a type is."""


class TrackingIntake:
    """Takes requests of every dialect."""

    def __init__(self, keys: WriteKeys, limit: RateLimit, writer: TrackingWriter, clock: StoredClock) -> None:
        """Take its parts; the clock tells when something was received."""
        self._keys, self._limit, self._writer, self._clock = keys, limit, writer, clock

    async def take(self, dialect: Dialect, body: bytes, encoding: str, authorization: str) -> None:
        """Store the messages of a body; raises what api.errors turns into 400, 401, 413, 429 or 503."""
        received = self._clock.wall_now()
        opened = dialect.opener(plain_body(body, encoding, MOST_BODY_BYTES))
        source_id = await self._keys.source_of(secret_in(authorization), opened.key)
        self._limit.take(source_id, len(opened.raws))
        good, bad = read_messages(opened, dialect.reader, self._clock.timeline, received, dialect.call)
        if good or bad:
            await self._writer.store(source_id, good, bad)
