"""When a card is tried again: spread over the days, on the morning of a payday where one is near."""

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.calendar import NO_DAYS, ONE_DAY, WEEKDAYS, is_in_window, local_day, next_in_window, spread, zone
from domain.dunning_policy import Ceiling, Paydays, RetrySchedule
from domain.time import BusinessInstant, after

HERD = dt.timedelta(hours=1)
"""What opens with the morning is spread over this, so that not every card is charged in one minute."""


@dataclass(frozen=True)
class Place:
    """Where the customer is."""

    time_zone: str = "UTC"
    days_off: frozenset[dt.date] = NO_DAYS


@dataclass(frozen=True)
class CardUse:
    """How a card was used, whatever the invoices are."""

    key: str = ""
    brand: str = ""
    charged_at: tuple[BusinessInstant, ...] = ()
    """Every attempt of the longest ceiling, whoever made it."""
    is_barred: bool = False
    """A network or an issuer has said: never again."""


@dataclass(frozen=True)
class Series:
    """The attempts of one invoice so far, since its schedule began to count."""

    key: str
    anchored_at: BusinessInstant
    made: int
    last_at: BusinessInstant | None = None
    is_slow: bool = False
    card: CardUse = field(default_factory=CardUse)


def next_attempt(
    series: Series, schedule: RetrySchedule, place: Place, now: BusinessInstant
) -> BusinessInstant | None:
    """Return when the card is tried next, None where nothing is left of attempts or of time.

    The answer does not move as time passes: only what was missed is made up for, in the next morning.
    """
    most = min(schedule.attempts, schedule.slow_attempts) if series.is_slow else schedule.attempts
    room = room_under(series.card, schedule.ceilings)
    if series.made >= most or series.card.is_barred or room is None:
        return None
    within = dt.timedelta(days=schedule.within_days)
    floor = max(after(series.anchored_at, within * (series.made + 1) / (most + 1)), room)
    if series.last_at is not None:
        floor = max(floor, after(series.last_at, dt.timedelta(hours=schedule.least_hours)))
    planned = _on_a_morning(series.key, _for_payday(floor, schedule.paydays, place), schedule, place)
    due = planned if planned >= now else next_in_window(now, schedule.hours, place.time_zone, place.days_off)
    return due if due <= after(series.anchored_at, within) else None


def room_under(card: CardUse, ceilings: Sequence[Ceiling]) -> BusinessInstant | None:
    """Return from when on the card may be charged by every ceiling of its network, None where never."""
    times = sorted(card.charged_at, reverse=True)
    free = BusinessInstant(dt.datetime.min.replace(tzinfo=dt.UTC))
    for one in (each for each in ceilings if each.brand == card.brand):
        if one.attempts == 0:
            return None
        if len(times) >= one.attempts:
            free = max(free, after(times[one.attempts - 1], one.span))
    return free


def is_payday(day: dt.date, paydays: Paydays, days_off: frozenset[dt.date] = NO_DAYS) -> bool:
    """Tell whether there is likely to be money on an account that day."""
    named = day.day in paydays.month_days or WEEKDAYS[day.weekday()] in paydays.weekdays
    return named or (paydays.last_working_day and day == _last_working_day(day, days_off))


def _last_working_day(day: dt.date, days_off: frozenset[dt.date]) -> dt.date | None:
    """Return the last day of the month on which banks work, None where none does."""
    length = calendar.monthrange(day.year, day.month)[1]
    days = (day.replace(day=one) for one in range(length, 0, -1))
    return next((one for one in days if one.weekday() < WEEKDAYS.index("sat") and one not in days_off), None)


def _for_payday(floor: BusinessInstant, paydays: Paydays, place: Place) -> BusinessInstant:
    """Return the beginning of the payday that is worth waiting for, `floor` where none is near."""
    today = local_day(floor, place.time_zone)
    near = (today + ONE_DAY * ahead for ahead in range(paydays.wait_days + 1))
    found = next(
        (day for day in near if day not in place.days_off and is_payday(day, paydays, place.days_off)), today
    )
    midnight = dt.datetime.combine(found, dt.time(), zone(place.time_zone)).astimezone(dt.UTC)
    return max(floor, BusinessInstant(midnight))


def _on_a_morning(key: str, floor: BusinessInstant, schedule: RetrySchedule, place: Place) -> BusinessInstant:
    """Return the first instant in the hours of the schedule; a little after they open where they do."""
    opens = next_in_window(floor, schedule.hours, place.time_zone, place.days_off)
    later = after(opens, spread(key, HERD))
    stays = is_in_window(later, schedule.hours, place.time_zone, place.days_off)
    return later if opens > floor and stays else opens
