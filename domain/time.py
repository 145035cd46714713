"""The two kinds of instant. mypy refuses one where the other is meant."""

from datetime import UTC, date, datetime, timedelta
from typing import NewType

BusinessInstant = NewType("BusinessInstant", datetime)
"""Time of the customer's world, aware UTC: facts, deadlines, decisions, touchpoints, what people see."""

WallInstant = NewType("WallInstant", datetime)
"""Time of the machine, aware UTC: leases, sessions, signatures, retries, provider timeouts."""


def as_utc(value: datetime) -> datetime:
    """Return `value` in UTC; a naive one is refused, since guessing its zone would move facts in time."""
    if value.tzinfo is None:
        message = f"the instant {value.isoformat()} has no time zone"
        raise ValueError(message)
    return value.astimezone(UTC)


def business(value: datetime) -> BusinessInstant:
    """Mark an aware datetime as business time."""
    return BusinessInstant(as_utc(value))


def wall(value: datetime) -> WallInstant:
    """Mark an aware datetime as wall time."""
    return WallInstant(as_utc(value))


def start_of_day(day: date) -> BusinessInstant:
    """Return the first instant of a UTC business day."""
    return BusinessInstant(datetime(day.year, day.month, day.day, tzinfo=UTC))


def after(instant: BusinessInstant, delay: timedelta) -> BusinessInstant:
    """Return the business instant `delay` later (earlier if negative)."""
    return BusinessInstant(instant + delay)
