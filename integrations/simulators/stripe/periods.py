"""Billing periods on the calendar."""

import calendar
from datetime import UTC, datetime, timedelta

from integrations.simulators.stripe.clock import DAY

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


def add_interval(at: int, interval: str, count: int, anchor: int | None = None) -> int:
    """Return the instant so many intervals later; the day of the month is the anchor's where it exists."""
    if interval in _DAYS:
        return at + count * _DAYS[interval] * DAY
    begun = datetime.fromtimestamp(at, UTC)
    day = datetime.fromtimestamp(at if anchor is None else anchor, UTC).day
    months = begun.year * 12 + begun.month - 1 + count * _MONTHS[interval]
    year, month = months // 12, months % 12 + 1
    last = calendar.monthrange(year, month)[1]
    moved = begun.replace(year=year, month=month, day=min(day, last))
    return int(moved.timestamp())


def in_days(at: int, days: float) -> int:
    """Return the instant so many days later."""
    return at + int(timedelta(days=days).total_seconds())
