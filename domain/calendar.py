"""Office hours, local days and deterministic spread. All of it by IANA time zone, right across DST."""

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.time import BusinessInstant

OFFICE_OPENS = time(9)
OFFICE_CLOSES = time(17)
SATURDAY = 5


def zone(name: str | None) -> ZoneInfo:
    """Return the zone of that name, UTC for an unknown or absent one."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local_day(instant: BusinessInstant, time_zone: str | None) -> date:
    """Return the calendar day that it is there."""
    return instant.astimezone(zone(time_zone)).date()


def is_office_time(instant: BusinessInstant, time_zone: str | None) -> bool:
    """Tell whether people there are at work: a weekday between nine and five."""
    local = instant.astimezone(zone(time_zone))
    return local.weekday() < SATURDAY and OFFICE_OPENS <= local.time() < OFFICE_CLOSES


def next_opening(instant: BusinessInstant, time_zone: str | None) -> BusinessInstant:
    """Return the next start of a working day there, after this instant."""
    local = instant.astimezone(zone(time_zone))
    day = local.date()
    if local.time() >= OFFICE_OPENS:
        day += timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    opening = datetime.combine(day, OFFICE_OPENS, tzinfo=zone(time_zone))
    return BusinessInstant(opening.astimezone(UTC))


def spread(key: str, span: timedelta) -> timedelta:
    """Return a delay below `span` that is always the same for a key, so that no herd wakes at once."""
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return span * (int.from_bytes(digest, "big") / 2**64)
