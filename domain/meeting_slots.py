"""When a meeting is proposed: in the customer's office hours, spread, and when its organiser is free."""

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from domain.calendar import NO_DAYS, OFFICE_HOURS, Window, is_in_window, next_in_window, spread
from domain.time import BusinessInstant, after

QUARTER = timedelta(minutes=15)
EPOCH = BusinessInstant(datetime(1970, 1, 1, tzinfo=UTC))
MINUTE = timedelta(minutes=1)
SPREAD = 16
"""Quarter hours over which first proposals are spread, so that not everybody is asked for nine o'clock."""
ORGANISER_HOURS = Window.model_validate({"from": "07:00", "to": "20:00"})
"""When an organiser far away may be asked to speak; wider than an office, since two have to meet."""
TRIES = 400
"""Quarter hours looked at for one that suits the organiser too, about a fortnight of office time."""
Busy = tuple[BusinessInstant, BusinessInstant]


@dataclass(frozen=True)
class SlotWish:
    """What a slot has to respect: `key` decides where in the first hours it falls; `days_off` are theirs."""

    earliest: BusinessInstant
    minutes: int
    key: str
    time_zone: str | None
    organiser_zone: str | None
    busy: Collection[Busy] = ()
    days_off: Collection[date] = NO_DAYS


def choose_slot(wish: SlotWish) -> BusinessInstant:
    """Return a free quarter hour at or after the earliest instant, always the same for the same wish.

    One in the organiser's day is preferred; where the two never overlap, the customer's office hours decide.
    """
    found = list(itertools.islice(_free(wish), TRIES))
    suiting = [start for start in found if _suits(start, wish)]
    first = (suiting or found)[:SPREAD]
    return first[int(len(first) * (spread(wish.key, timedelta(days=1)) / timedelta(days=1)))]


def _free(wish: SlotWish) -> Iterator[BusinessInstant]:
    return (start for start in _office_quarters(wish) if not _clashes(start, wish))


def _office_quarters(wish: SlotWish) -> Iterator[BusinessInstant]:
    """Yield every quarter hour at which the whole meeting lies in office hours there."""
    start = _quarter(wish.earliest)
    while True:
        opens = next_in_window(start, OFFICE_HOURS, wish.time_zone, wish.days_off)
        start = _quarter(opens)
        last = after(start, timedelta(minutes=wish.minutes) - MINUTE)
        if all(is_in_window(each, OFFICE_HOURS, wish.time_zone, wish.days_off) for each in (start, last)):
            yield start
        start = after(start, QUARTER)


def _quarter(instant: BusinessInstant) -> BusinessInstant:
    """Round up to a whole quarter hour; every zone's offset is a multiple of one."""
    past = (instant - EPOCH) % QUARTER
    return after(instant, QUARTER - past) if past else instant


def _clashes(start: BusinessInstant, wish: SlotWish) -> bool:
    end = after(start, timedelta(minutes=wish.minutes))
    return any(begins < end and start < ends for begins, ends in wish.busy)


def _suits(start: BusinessInstant, wish: SlotWish) -> bool:
    return is_in_window(start, ORGANISER_HOURS, wish.organiser_zone)
