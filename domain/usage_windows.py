"""Rolling windows over daily usage: which days count, and what a window says. The definition in one place.

The database keeps the same sums incrementally (models/usage_windows.py); a property test compares both.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

SPANS = (7, 28, 90)
"""Days of each window, today included."""
LONGEST = max(SPANS)


class MetricKind(StrEnum):
    """How the uses of a feature add up."""

    COUNTER = "counter"
    """By their sum: exports, messages, calls."""
    GAUGE = "gauge"
    """By what it stands at: seats in use, storage. A day has a last and a highest reading."""


@dataclass(frozen=True)
class UsageDay:
    """One day of one feature at one customer."""

    day: dt.date
    events: int
    quantity: float
    most: float | None = None
    last_value: float | None = None


@dataclass(frozen=True)
class Window:
    """What one span of days adds up to. `value` is a counter's sum, or a gauge's highest reading."""

    events: int
    value: float
    days: int


def is_within(day: dt.date, as_of: dt.date, span: int) -> bool:
    """Tell whether a day lies in the window of so many days that ends with `as_of`."""
    return as_of - dt.timedelta(days=span) < day <= as_of


def window_of(days: Iterable[UsageDay], as_of: dt.date, span: int, kind: MetricKind) -> Window:
    """Add up one window from scratch."""
    inside = [one for one in days if is_within(one.day, as_of, span)]
    highest = max((one.most for one in inside if one.most is not None), default=0.0)
    total = sum(one.quantity for one in inside)
    value = highest if kind is MetricKind.GAUGE else total
    return Window(sum(one.events for one in inside), value, len(inside))


def last_reading(days: Iterable[UsageDay], as_of: dt.date) -> float | None:
    """Return what a gauge stood at last, however long ago."""
    read = [one for one in days if one.last_value is not None and one.day <= as_of]
    return max(read, key=lambda one: one.day).last_value if read else None
