"""Local time windows: the next instant that lies in one, right across DST, holidays left out."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from domain.calendar import local_day, zone
from domain.time import BusinessInstant

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOK_AHEAD = 400
"""Days within which every window opens at least once, unless all days are off."""


class Window(Protocol):
    """Weekdays with a time from and to; one that closes before it opens goes over midnight."""

    @property
    def days(self) -> tuple[str, ...]:
        """Its weekdays, by the day on which it opens."""

    @property
    def opens(self) -> time:
        """Local time."""

    @property
    def closes(self) -> time:
        """Local time."""


def next_in_window(
    instant: BusinessInstant, window: Window, time_zone: str | None, days_off: frozenset[date]
) -> BusinessInstant:
    """Return the instant itself if it lies in the window, else its next opening."""
    first = local_day(instant, time_zone) - timedelta(days=1)
    for ahead in itertools.islice(itertools.count(), LOOK_AHEAD):
        day = first + timedelta(days=ahead)
        if WEEKDAYS[day.weekday()] not in window.days or day in days_off:
            continue
        closing_day = day if window.closes > window.opens else day + timedelta(days=1)
        opens, closes = _at(day, window.opens, time_zone), _at(closing_day, window.closes, time_zone)
        if opens <= instant < closes:
            return instant
        if opens > instant:
            return opens
    return instant


def _at(day: date, local: time, time_zone: str | None) -> BusinessInstant:
    return BusinessInstant(datetime.combine(day, local, tzinfo=zone(time_zone)).astimezone(UTC))
