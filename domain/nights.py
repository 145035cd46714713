"""When a business day is scored: at two in the night, UTC, once, and only the newest if days were skipped."""

import datetime as dt
from dataclasses import dataclass

from domain.time import BusinessInstant, start_of_day

SCORING_HOUR = dt.timedelta(hours=2)


@dataclass(frozen=True)
class Night:
    """What is due now, and when to look again."""

    due_date: dt.date | None
    next_due: BusinessInstant


def due_at(day: dt.date) -> BusinessInstant:
    """Return the instant at which a business day is scored."""
    return BusinessInstant(start_of_day(day) + SCORING_HOUR)


def newest_due(now: BusinessInstant) -> dt.date:
    """Return the newest date whose hour has come."""
    return (now - SCORING_HOUR).date()


def next_night(now: BusinessInstant, scored: dt.date | None) -> Night:
    """Return the date to score now, if any, and the next instant at which one is due.

    A clock that was set back has another newest date, which is due too; the id of its workflow keeps a date
    from being scored twice.
    """
    newest = newest_due(now)
    return Night(None if newest == scored else newest, due_at(newest + dt.timedelta(days=1)))
