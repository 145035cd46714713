"""When warnings are mailed to their owner, and which of them make one mail: urgent ones now, others daily."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.notifications import DEFAULTS, MailChoice, NotificationChoices
from domain.time import BusinessInstant, business
from domain.vocabulary import Severity

GATHER = dt.timedelta(minutes=3)
"""At once means so long after the first: what comes meanwhile for the same person goes with it."""
GATHER_MASS = dt.timedelta(minutes=20)
"""The warnings of a mass alert trickle in, so their mail waits for a pause, but no longer than this."""
FRESH = dt.timedelta(days=1)
"""What is older than this is no news any more: it goes into the next digest."""
MORNING = dt.time(8, 0)
SATURDAY = 5


class MailKind(StrEnum):
    """What a mail to one of ours is about."""

    HEADS_UP = "heads_up"
    MASS_ALERT = "mass_alert"
    MASS_HELD = "mass_held"
    ENDPOINT = "endpoint"
    DIGEST = "digest"


@dataclass(frozen=True)
class Untold:
    """A warning of which its owner has had no mail."""

    id: uuid.UUID
    severity: Severity
    came_at: BusinessInstant
    """When it came to this owner: opened, handed over, or back from a snooze."""
    mass_alert_id: uuid.UUID | None = None
    alert_told: bool = False
    """This owner has had the one mail of its mass alert."""


@dataclass(frozen=True)
class Reader:
    """Somebody of ours who gets mail."""

    user_id: uuid.UUID
    time_zone: str = "UTC"
    choices: NotificationChoices = DEFAULTS


@dataclass(frozen=True)
class PlannedMail:
    """One mail that is due. The key makes it the same mail whenever it is asked for."""

    kind: MailKind
    key: str
    user_id: uuid.UUID
    heads_up_ids: tuple[uuid.UUID, ...]


def plan_mails(reader: Reader, untold: Sequence[Untold], now: BusinessInstant) -> list[PlannedMail]:
    """Return the mails that are due for one person, urgent ones first."""
    urgent = [one for one in untold if _is_urgent(one, reader.choices, now)]
    alerts = sorted({one.mass_alert_id for one in urgent if one.mass_alert_id is not None})
    mails = [_single(reader, [one for one in urgent if one.mass_alert_id is None], now)]
    mails += [
        _mass(reader, alert, [one for one in urgent if one.mass_alert_id == alert], now) for alert in alerts
    ]
    mails.append(_digest(reader, untold, now))
    return [mail for mail in mails if mail is not None]


def morning_of(now: BusinessInstant, time_zone: str) -> tuple[dt.date, BusinessInstant] | None:
    """Return the person's own day and its morning, None on a weekend.

    The morning is a time on their wall: where the clock was changed in the night, it is that of the new one.
    """
    zone = _zone(time_zone)
    day = now.astimezone(zone).date()
    if day.weekday() >= SATURDAY:
        return None
    return day, business(dt.datetime.combine(day, MORNING, tzinfo=zone))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _is_urgent(one: Untold, choices: NotificationChoices, now: BusinessInstant) -> bool:
    is_news = one.came_at > now - FRESH and not one.alert_told
    return is_news and choices.of(one.severity) is MailChoice.AT_ONCE


def _ids(found: Sequence[Untold]) -> tuple[uuid.UUID, ...]:
    return tuple(one.id for one in sorted(found, key=lambda one: (one.came_at, one.id)))


def _single(reader: Reader, found: Sequence[Untold], now: BusinessInstant) -> PlannedMail | None:
    """Gather what came within minutes into one mail, named after the first."""
    if not found or min(one.came_at for one in found) > now - GATHER:
        return None
    ids = _ids(found)
    return PlannedMail(MailKind.HEADS_UP, f"heads-up/{ids[0]}/{reader.user_id}", reader.user_id, ids)


def _mass(
    reader: Reader, alert: uuid.UUID, found: Sequence[Untold], now: BusinessInstant
) -> PlannedMail | None:
    """Make one mail of all that a mass alert set free; who comes later waits for the digest."""
    times = [one.came_at for one in found]
    if max(times) > now - GATHER and min(times) > now - GATHER_MASS:
        return None
    return PlannedMail(
        MailKind.MASS_ALERT, f"mass-alert/{alert}/{reader.user_id}", reader.user_id, _ids(found)
    )


def _digest(reader: Reader, untold: Sequence[Untold], now: BusinessInstant) -> PlannedMail | None:
    """Collect what came before this morning; what comes during the day waits for the next one."""
    found = morning_of(now, reader.time_zone)
    if found is None or now < found[1]:
        return None
    day, morning = found
    chosen = [
        one
        for one in untold
        if one.came_at <= morning
        and reader.choices.of(one.severity) is not MailChoice.NEVER
        and not _is_urgent(one, reader.choices, now)
    ]
    key = f"digest/{reader.user_id}/{day.isoformat()}"
    return PlannedMail(MailKind.DIGEST, key, reader.user_id, _ids(chosen)) if chosen else None
