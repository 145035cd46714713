"""A message of a tracking client, as every dialect ends: who did what when, or why it cannot be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline

KINDS = frozenset({"track", "identify", "group", "page", "screen", "alias"})
LONGEST_ID = 500
"""Characters of a message's id, of a user's, a group's, an event's name: they are keys of indexes."""
EARLIEST = WallInstant(datetime(2000, 1, 1, tzinfo=UTC))
"""What happened before is a broken clock, not a fact."""


class Message(NamedTuple):
    """One message. `alias` carries the new id as user and the former one as anonymous id.

    A tuple and not a dataclass: one is made per event on the way in, and this is the cheapest that has names.
    """

    message_id: str
    kind: str
    name: str | None
    user_key: str | None
    anonymous_key: str | None
    group_key: str | None
    occurred_at: BusinessInstant
    properties: str | None
    """A JSON object as the client wrote it; of identify and group, the traits."""


@dataclass(frozen=True)
class BadMessage:
    """A message that was not understood, by its place in the request."""

    position: int
    field: str
    reason: str
    raw: dict[str, Any]


class MessageError(ValueError):
    """What is wrong with one message; it goes to quarantine, and the others of its batch are stored."""

    def __init__(self, field: str, reason: str) -> None:
        """Name the field as the client spells it."""
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


class ClientClock:
    """Tells when something happened from what a client's clock said, which may be wrong by years.

    occurred = received - (sentAt - originalTimestamp), never later than receipt, as in Segment's
    specification (https://segment.com/docs/connections/spec/common/#timestamps); then in business time.
    """

    def __init__(self, timeline: Timeline, received: WallInstant, sent: datetime | None = None) -> None:
        """Take the moment of receipt, and when the client says that it sent the batch."""
        self.received, self._sent, self._timeline = received, sent, timeline
        segment = timeline.segment_at(received)
        self._since = segment.wall_start
        self._offset = _offset(segment) if segment.rate == 1 else None
        self.known_at = timeline.business_at(received)

    def occurred(self, said: datetime | None, sent: datetime | None = None) -> BusinessInstant:
        """Return the business instant of what the client dates `said` (None: it happened as it came)."""
        if said is None:
            return self.known_at
        received = self.received
        wall = self._corrected(said, sent or self._sent or received)
        if wall >= received:
            return self.known_at
        if self._offset is not None and wall >= self._since:
            return BusinessInstant(wall + self._offset)
        return self._timeline.happened_at(wall)

    def _corrected(self, said: datetime, sent: datetime) -> WallInstant:
        """Leave out how far the client's clock is off; one that sends before it happened knows neither."""
        try:
            wall = WallInstant(self.received - (sent - said))
        except OverflowError:
            wall = EARLIEST
        if wall <= EARLIEST:
            raise MessageError("timestamp", f"{said.isoformat()} is before {EARLIEST:%Y}")
        return wall


def _offset(segment: Segment) -> timedelta:
    """Return how far business time is ahead of the wall: the one place where they are subtracted."""
    began: datetime = segment.wall_start
    business: datetime = segment.business_start
    return business - began


class MessageReader(Protocol):
    """Reads a message that was kept as an object."""

    def read_message(self, raw: Mapping[str, Any], clock: ClientClock) -> Message:
        """Return what it says; raises MessageError."""
