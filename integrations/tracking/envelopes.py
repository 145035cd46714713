"""Requests of tracking clients: one message or a batch, with the key and the client's clock around them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec

from domain.time import WallInstant
from domain.timeline import Timeline
from domain.tracked_message import BadMessage, ClientClock, Message, MessageError
from integrations.tracking.bodies import TooManyMessagesError, UnreadableBodyError, mended
from integrations.tracking.posthog import posthog_message
from integrations.tracking.reading import JSON, Raw, as_time, shape
from integrations.tracking.segment import segment_message

MOST_MESSAGES = 10_000
"""In one request; clients send a few hundred at most."""

Reader = Callable[[Raw, ClientClock, str | None], Message]


class Envelope(msgspec.Struct):
    """What stands around the messages. All names under which clients send the key."""

    batch: list[Raw] | None = None
    data: list[Raw] | None = None
    sentAt: Any = None  # noqa: N815 - the name on the wire
    sent_at: Any = None
    writeKey: Any = None  # noqa: N815 - the name on the wire
    api_key: Any = None
    token: Any = None

    @property
    def key(self) -> str:
        """The write key in the body, empty for none."""
        found = self.writeKey or self.api_key or self.token
        return found if isinstance(found, str) else ""

    @property
    def sent(self) -> dt.datetime | None:
        """When the client says that it sent this."""
        try:
            return as_time(self.sentAt or self.sent_at, "sentAt")
        except MessageError:
            return None


class Opened(msgspec.Struct):
    """A request taken apart: its messages are not read yet."""

    raws: list[Raw]
    sent: dt.datetime | None
    key: str


_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_envelope = JSON.Decoder(Envelope).decode
_list = JSON.Decoder(list[Raw]).decode


Opener = Callable[[bytes], Opened]


def open_batch(body: bytes) -> Opened:
    """Take a batch apart; a list or a single message is one too. Raises UnreadableBodyError."""
    body, envelope = _read(body)
    if isinstance(envelope, list):
        return _opened(envelope, None, "")
    raws = envelope.batch if envelope.batch is not None else envelope.data
    return _opened([Raw(body)] if raws is None else raws, envelope.sent, envelope.key)


def open_strict_batch(body: bytes) -> Opened:
    """Take apart what must have a list of messages under `batch`."""
    _, envelope = _read(body)
    if isinstance(envelope, list) or envelope.batch is None:
        raise UnreadableBodyError(reason="it has no list of messages named batch")
    return _opened(envelope.batch, envelope.sent, envelope.key)


def open_message(body: bytes) -> Opened:
    """Take a request that is one message."""
    body, envelope = _read(body)
    if isinstance(envelope, list):
        raise UnreadableBodyError(reason="it is a list; lists belong to the batch address")
    return _opened([Raw(body)], envelope.sent, envelope.key)


def _opened(raws: list[Raw], sent: dt.datetime | None, key: str) -> Opened:
    if len(raws) > MOST_MESSAGES:
        raise TooManyMessagesError(most=MOST_MESSAGES)
    return Opened(raws, sent, key)


def _read(body: bytes) -> tuple[bytes, Envelope | list[Raw]]:
    """Return the body, mended where it was not quite JSON in UTF-8, and what it is."""
    try:
        try:
            body.decode()
            return body, _decoded(body)
        except msgspec.ValidationError:
            raise
        except _BROKEN:
            body = mended(body)
            return body, _decoded(body)
    except _BROKEN as error:
        raise UnreadableBodyError(reason=f"it is no message and no batch ({error})") from None


def _decoded(body: bytes) -> Envelope | list[Raw]:
    return _list(body) if body.lstrip()[:1] == b"[" else _envelope(body)


def read_messages(
    opened: Opened, reader: Reader, timeline: Timeline, received: WallInstant, kind: str | None
) -> tuple[list[Message], list[BadMessage]]:
    """Read every message; what cannot be understood is told apart, and costs nobody else anything."""
    clock = ClientClock(timeline, received, opened.sent)
    good: list[Message] = []
    bad: list[BadMessage] = []
    for position, raw in enumerate(opened.raws):
        try:
            good.append(reader(raw, clock, kind))
        except MessageError as error:
            bad.append(BadMessage(position, error.field, error.reason, shape(raw)))
        except _BROKEN as error:
            bad.append(BadMessage(position, "message", str(error), shape(raw)))
    return good, bad


SEGMENT: Reader = segment_message
POSTHOG: Reader = posthog_message
