"""Reading providers: what one answer holds, who it speaks of, and the port through which it is read."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from domain.facts import Fact
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Timeline

Cursor = Mapping[str, Any]
"""Where one stream goes on, in the provider's own words; empty before the first page."""


@dataclass(frozen=True)
class Hint:
    """What tells which of our customers a provider's company, organisation or payer is.

    They count in this order: an id that a person wrote down on purpose, a domain, an e-mail address.
    """

    key: str
    name: str = ""
    external_ids: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """One object of a provider, completed with what its facts need and another call had to fetch."""

    kind: str
    id: str
    body: Mapping[str, Any]
    created_at: WallInstant | None = None
    changed_at: WallInstant | None = None
    rings: bool = False
    """Something changed that its facts do not show, such as a dispute: its case looks again at once."""


@dataclass(frozen=True)
class Page:
    """One answer: its objects, where to go on, and whether more is waiting now."""

    told: tuple[Told, ...]
    cursor: Cursor
    is_last: bool
    read: int = 0
    """Objects of the answer, with those that do not concern us."""
    restarts: tuple[str, ...] = ()
    """Streams that must be read from their beginning again, since changes were missed."""


class PullReader(Protocol):
    """Reads one account of a provider.

    Calls raise TransientProviderError (with `retry_after` seconds in its details where the provider named
    them) and PermanentProviderError.
    """

    streams: tuple[str, ...]
    """In the order in which they are read: customers before what names them."""

    async def check(self) -> str:
        """Make one call and say in a sentence what the credentials may read."""
        ...

    async def page(self, stream: str, cursor: Cursor, now: WallInstant, /) -> Page:
        """Return the page behind the cursor."""
        ...

    async def one(self, stream: str, object_id: str) -> Sequence[Told]:
        """Return one object as it is now, or nothing where it is gone or does not concern us."""
        ...

    def facts_of(
        self, told: Told, known_at: BusinessInstant, timeline: Timeline
    ) -> tuple[list[Fact], list[Hint]]:
        """Translate; a ValueError says which field is wrong."""
        ...


@runtime_checkable
class NamesChildren(Protocol):
    """A reader of a provider whose objects concern us only while they belong to a customer.

    Whoever becomes one later brings along what was passed over before, and has not changed since.
    """

    parents: str
    """The stream of those who become customers."""

    async def children(self, parent_id: str, streams: Collection[str]) -> list[tuple[str, str]]:
        """Return stream and id of what belongs to one of them, in these streams."""
        ...


OpenReader = Callable[[str, Mapping[str, Any], Mapping[str, str]], AbstractAsyncContextManager[PullReader]]
"""Given provider, options and secrets."""


@dataclass(frozen=True)
class HistoryLine:
    """What lies before a source's connection is history: it is dated back, and triggers nothing."""

    connected_at: BusinessInstant
    now: BusinessInstant
    timeline: Timeline = field(repr=False)

    def known_at(self, told: Told) -> BusinessInstant:
        """Return when we could have known the object: receipt, or, of history, its own creation."""
        created = _mapped(self.timeline, told.created_at)
        changed = _mapped(self.timeline, told.changed_at or told.created_at)
        line = self.connected_at.replace(microsecond=0)  # some providers tell whole seconds only
        if created is None or changed is None or max(created, changed) >= line:
            return self.now
        return min(created, self.now)


def _mapped(timeline: Timeline, wall: WallInstant | None) -> BusinessInstant | None:
    return None if wall is None else timeline.happened_at(wall)


def epoch(seconds: float) -> WallInstant:
    """Return the wall instant of a Unix time."""
    return WallInstant(dt.datetime.fromtimestamp(seconds, dt.UTC))


def instant_or_none(text: object, name: str) -> WallInstant | None:
    """Return the wall instant of a text, None for what is none: the translator says so of the one object."""
    try:
        return parse_instant(str(text), name) if text else None
    except ValueError:
        return None


def parse_instant(text: str, name: str) -> WallInstant:
    """Return the wall instant of an ISO text; ValueError names the field."""
    try:
        instant = dt.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        message = f"{name}: {text!r} is no instant"
        raise ValueError(message) from None
    return WallInstant(instant.replace(tzinfo=instant.tzinfo or dt.UTC).astimezone(dt.UTC))
