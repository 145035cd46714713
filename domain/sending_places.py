"""When a message may leave within the caps of its sender domain: now, or in the first hour with room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.sending import HOUR, DomainLimits, hour_of
from domain.time import BusinessInstant
from domain.warm_up import Earned

HOURS_AHEAD = 24 * 14
"""How far ahead a place is looked for; beyond that a message is asked again at the last hour."""


@dataclass(frozen=True)
class HourCount:
    """What was sent in one hour, and how many were put off into it."""

    hour: BusinessInstant
    sent: int
    promised: int = 0


def caps_now(limits: DomainLimits, allowed: Earned | None) -> tuple[int | None, int | None]:
    """Return what a domain may send by the hour and by the day, None where there is no cap."""
    return limits.per_hour, allowed.per_day if allowed is not None else limits.per_day


def place_for(
    per_hour: int | None,
    per_day: int | None,
    counts: Sequence[HourCount],
    now: BusinessInstant,
) -> BusinessInstant:
    """Return when a message may leave: `now`, or an instant of the first hour with room.

    The caps are those of optional mail. In later hours those that were put off there count as sent, and are
    spread over the hour in the order in which they were put off. Tomorrow is judged by today's cap.
    """
    known = {each.hour: each for each in counts}
    this_hour = hour_of(now)
    if _has_room(per_hour, per_day, known, this_hour, promised=False):
        return now
    for ahead in range(1, HOURS_AHEAD + 1):
        hour = BusinessInstant(this_hour + HOUR * ahead)
        if _has_room(per_hour, per_day, known, hour, promised=True):
            return _within(hour, known.get(hour), min(cap for cap in (per_hour, per_day) if cap is not None))
    return BusinessInstant(this_hour + HOUR * HOURS_AHEAD)


def _has_room(
    per_hour: int | None,
    per_day: int | None,
    known: Mapping[BusinessInstant, HourCount],
    hour: BusinessInstant,
    *,
    promised: bool,
) -> bool:
    """Whether one more fits into an hour and its day; what is promised for the present hour is due by now."""
    day = [each for each in known.values() if each.hour.date() == hour.date()]
    mine = [each for each in day if each.hour == hour]
    in_hour, in_day = (
        sum(each.sent + (each.promised if promised else 0) for each in some) for some in (mine, day)
    )
    return (per_hour is None or in_hour < per_hour) and (per_day is None or in_day < per_day)


def _within(hour: BusinessInstant, count: HourCount | None, room: int) -> BusinessInstant:
    before = count.promised if count is not None else 0
    return BusinessInstant(hour + HOUR * min(before / max(room, 1), 0.99))
