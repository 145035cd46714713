"""A webhook as it came in, what it said, and what became of it: the words that its parts share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.facts import Fact
from domain.pulling import Hint
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Timeline, timeline_of


@dataclass(frozen=True)
class WebhookRequest:
    """What a signature is made of. Header names are in lower case; `url` is the public one."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    path_token: str | None = field(default=None, repr=False)
    """What the address had behind the source's id: for senders that cannot sign."""


@dataclass(frozen=True)
class Envelope:
    """What can be told of a message before anybody works out what it means.

    `delivery_id` is the provider's own id, or a digest of what stays the same when it tries again.
    """

    delivery_id: str
    topic: str | None


@dataclass(frozen=True)
class ReadingContext:
    """What a reader needs beside the body: when it came, how wall time maps, what the connection says.

    What the provider says happened at a time maps by `told`, which the option `clock` decides.
    """

    received_at: WallInstant
    timeline: Timeline
    options: Mapping[str, Any] = field(default_factory=dict)
    can_ask: bool = True
    """The connection pulls too: what a message only names can be read."""

    @property
    def told(self) -> Timeline:
        """How the provider's own instants map."""
        return timeline_of(self.options, self.timeline)

    @property
    def known_at(self) -> BusinessInstant:
        """When we heard of it."""
        return self.timeline.happened_at(self.received_at)

    def known_when(self, told_at: WallInstant | None) -> BusinessInstant:
        """Return when the provider says that this became known, but not after we heard of it.

        Providers repeat and reorder; by their own time the newer word holds, whichever comes last.
        """
        return self.known_at if told_at is None else min(self.told.happened_at(told_at), self.known_at)


@dataclass(frozen=True)
class Asked:
    """An object that the message only names: the pull reads it whole."""

    stream: str
    object_id: str


@dataclass(frozen=True)
class Part:
    """One object of a message: what it tells, or why it cannot be understood."""

    place: int
    raw: Mapping[str, Any]
    facts: tuple[Fact, ...] = ()
    hints: tuple[Hint, ...] = ()
    asks: tuple[Asked, ...] = ()
    problem: str | None = None
    stream: str | None = None
    """Where the provider's pull reads the same objects: its stream; they are taken in together then."""
    object_id: str = ""
