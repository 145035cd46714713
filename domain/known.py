"""What is known of one customer when a condition is asked of it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from domain.errors import EverstayError
from domain.field_shape import FieldValue
from domain.time import BusinessInstant


class NotLoadedError(EverstayError):
    """The condition asks for {what}, which was not loaded for this customer."""


@dataclass(frozen=True)
class Point:
    """From this instant on the field was this, until the next point."""

    since: BusinessInstant
    value: FieldValue


@dataclass(frozen=True)
class SeenSignal:
    """An open signal: its kind, or `own:<key>` of one that the tenant declared."""

    name: str
    opened_at: BusinessInstant


@dataclass(frozen=True)
class Known:
    """Values by field, and what the clauses need. What is missing was not asked for."""

    values: Mapping[str, FieldValue]
    now: BusinessInstant | None = None
    history: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    """Per field its points, oldest first."""
    performed: Mapping[tuple[str, int], float] = field(default_factory=dict)
    """Times by name and days of the window."""
    signals: tuple[SeenSignal, ...] | None = None

    def instant(self) -> BusinessInstant:
        """Return when it is asked."""
        if self.now is None:
            raise NotLoadedError(what="the time")
        return self.now

    def points(self, name: str) -> tuple[Point, ...]:
        """Return since when the field was what."""
        if name not in self.history:
            raise NotLoadedError(what=f"the history of {name}")
        return self.history[name]

    def times(self, name: str, window: dt.timedelta) -> float:
        """Return how often something was done within a window."""
        if (name, window.days) not in self.performed:
            raise NotLoadedError(what=f"how often {name!r} was performed in {window.days} days")
        return self.performed[name, window.days]

    def open_signals(self) -> tuple[SeenSignal, ...]:
        """Return the signals that are open."""
        if self.signals is None:
            raise NotLoadedError(what="the open signals")
        return self.signals


Facts = Known | Mapping[str, FieldValue]
"""Whatever a condition can be asked of; a plain mapping has values and nothing for the clauses."""


def known_of(facts: Facts) -> Known:
    """Return a plain mapping as what is known."""
    return facts if isinstance(facts, Known) else Known(facts)


def with_values(facts: Facts, **values: FieldValue) -> Known:
    """Return what is known with other values of some fields."""
    known = known_of(facts)
    return replace(known, values={**known.values, **values})
