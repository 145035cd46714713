"""Office hours, local days and deterministic spread. All of it by IANA time zone, right across DST."""

import hashlib
import itertools
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
    except (ZoneInfoNotFoundError, ValueError, OSError):
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
    today = local_day(instant, time_zone)
    openings = (_opening(today + timedelta(days=ahead), time_zone) for ahead in itertools.count())
    return next(each for each in openings if each > instant and is_office_time(each, time_zone))


def _opening(day: date, time_zone: str | None) -> BusinessInstant:
    """Return nine o'clock of a day there, in UTC. A day that a zone skipped has one on another day."""
    return BusinessInstant(datetime.combine(day, OFFICE_OPENS, tzinfo=zone(time_zone)).astimezone(UTC))


def spread(key: str, span: timedelta) -> timedelta:
    """Return a delay below `span` that is always the same for a key, so that no herd wakes at once."""
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return span * (int.from_bytes(digest, "big") / 2**64)
