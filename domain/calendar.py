"""Local days, windows of local time, and deterministic spread. By IANA time zone, right across DST."""

import hashlib
import itertools
import re
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from domain.time import BusinessInstant

ONE_DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NO_DAYS: frozenset[date] = frozenset()


def _read_clock_time(value: object) -> object:
    if not isinstance(value, str) or CLOCK_TIME.fullmatch(value) is None:
        message = f"{value!r} is no time of a day: write it as the clock there shows it, such as 09:00"
        raise ValueError(message)
    return value


ClockTime = Annotated[str, BeforeValidator(_read_clock_time)]
"""Hours and minutes on the wall clock of a place."""


class Window(BaseModel):
    """Hours of some weekdays on the wall clock there. `to` is not in it.

    At or before `from` it is the next day's: 22:00 to 06:00 belongs to the day on which it opens. The same
    time twice is a whole day.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    weekdays: tuple[Weekday, ...] = Field(("mon", "tue", "wed", "thu", "fri"), min_length=1)
    opens: ClockTime = Field("09:00", alias="from")
    closes: ClockTime = Field("17:00", alias="to")

    @model_validator(mode="after")
    def _names_each_day_once(self) -> Self:
        if len(set(self.weekdays)) < len(self.weekdays):
            raise ValueError("name each weekday once")
        return self

    def span_of(self, day: date) -> tuple[datetime, datetime]:
        """Return when the window that opens on `day` opens and closes, on the wall clock there."""
        opens, closes = (
            datetime.combine(day, time.fromisoformat(each)) for each in (self.opens, self.closes)
        )
        return opens, closes if closes > opens else closes + ONE_DAY

    def opens_on(self, day: date, days_off: Collection[date]) -> bool:
        """Tell whether the window opens on that day at all."""
        return day not in days_off and WEEKDAYS[day.weekday()] in self.weekdays


OFFICE_HOURS = Window()


def zone(name: str | None) -> ZoneInfo:
    """Return the zone of that name, UTC for an unknown or absent one."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def local_day(instant: BusinessInstant, time_zone: str | None) -> date:
    """Return the calendar day that it is there."""
    return instant.astimezone(zone(time_zone)).date()


def next_local_day(instant: BusinessInstant, time_zone: str | None) -> BusinessInstant:
    """Return an instant at which the next calendar day there has just begun, or soon after."""
    midnight = datetime.combine(local_day(instant, time_zone) + ONE_DAY, time())
    return BusinessInstant(midnight.replace(tzinfo=zone(time_zone)).astimezone(UTC))


def is_in_window(
    instant: BusinessInstant, window: Window, time_zone: str | None, days_off: Collection[date] = NO_DAYS
) -> bool:
    """Tell whether the wall clock there shows a time in the window.

    A day off is closed from midnight to midnight, and no window opens on it.
    """
    local = instant.astimezone(zone(time_zone)).replace(tzinfo=None)
    today = local.date()
    if today in days_off:
        return False
    for day in (today, today - ONE_DAY):
        opens, closes = window.span_of(day)
        if opens <= local < closes and window.opens_on(day, days_off):
            return True
    return False


def next_in_window(
    instant: BusinessInstant, window: Window, time_zone: str | None, days_off: Collection[date] = NO_DAYS
) -> BusinessInstant:
    """Return the first instant from `instant` on that lies in the window there.

    `days_off` are dates of that place, as a set; a finite number of them always leaves an answer.
    """
    if is_in_window(instant, window, time_zone, days_off):
        return instant
    before = local_day(instant, time_zone) - ONE_DAY

    def found_on(day: date) -> list[BusinessInstant]:
        both = (day, day + ONE_DAY)  # where clocks go back over midnight, the next day's may open first
        openings = (each for one in both for each in _openings(window, one, zone(time_zone), days_off))
        return [
            each for each in openings if each > instant and is_in_window(each, window, time_zone, days_off)
        ]

    days = (found_on(before + ONE_DAY * ahead) for ahead in itertools.count())
    return min(next(found for found in days if found))


def _openings(
    window: Window, day: date, there: tzinfo, days_off: Collection[date]
) -> Iterator[BusinessInstant]:
    """Yield every instant at which the day's window may open.

    Its hour, both times where clocks show it twice; and where they jump into it, the jump.
    """
    if not window.opens_on(day, days_off):
        return
    opens, closes = (
        [each.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1)]
        for each in window.span_of(day)
    )
    yield from map(BusinessInstant, opens)
    jump = _change_of_clocks(min(opens), max(closes), there)
    if jump is not None:
        yield jump


def _change_of_clocks(first: datetime, last: datetime, there: tzinfo) -> BusinessInstant | None:
    """Return the first instant of another offset from UTC in this span of a day or two, to the second."""
    before = first.astimezone(there).utcoffset()
    if last.astimezone(there).utcoffset() == before:
        return None
    low, high = 0, int((last - first) / SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        same = (first + SECOND * middle).astimezone(there).utcoffset() == before
        low, high = (middle, high) if same else (low, middle)
    return BusinessInstant(first + SECOND * high)


def spread(key: str, span: timedelta) -> timedelta:
    """Return a delay below `span` that is always the same for a key, so that no herd wakes at once."""
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return span * (int.from_bytes(digest, "big") / 2**64)
