"""The single meetings of recurring events: rules, extra and left-out dates, and moved or cancelled ones."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from dateutil.rrule import rrule, rruleset, rrulestr
from icalendar import Component

from domain.time import WallInstant

BACK, AHEAD = dt.timedelta(days=120), dt.timedelta(days=120)
"""How far around today meetings are told: what lies further back was told before."""
MOST_OF_A_SERIES = 500
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Occurrence:
    """One meeting; `key` is the event's UID, of a series with the start that it was first given."""

    key: str
    event: Component
    starts_at: WallInstant
    ends_at: WallInstant


def occurrences_in(events: Sequence[Component], now: WallInstant) -> Iterator[Occurrence]:
    """Yield every meeting around today; an event without UID or start is none."""
    complete = [event for event in events if event.get("UID") and _start(event) is not None]
    moved = {_instance(event): event for event in complete if event.get("RECURRENCE-ID")}
    for event in complete:
        if event.get("RECURRENCE-ID"):
            started = _start(event)
            assert started is not None  # noqa: S101 - asked above
            yield from _near(
                Occurrence(_series_key(event, _original(event)), event, *_span(event, started)), now
            )
        elif event.get("RRULE") or event.get("RDATE"):
            yield from _series(event, moved, now)
        else:
            started = _start(event)
            assert started is not None  # noqa: S101 - asked above
            yield from _near(Occurrence(str(event["UID"]), event, *_span(event, started)), now)


def _series(
    event: Component, moved: dict[tuple[str, dt.datetime], Component], now: WallInstant
) -> Iterator[Occurrence]:
    """Yield the meetings of a series that were not moved; those tell themselves."""
    rules, first = rruleset(), _start(event)
    assert first is not None  # noqa: S101 - asked by the caller
    zone = first.tzinfo
    plain = first.replace(tzinfo=None)
    for rule in _listed(event.get("RRULE")):
        parsed = rrulestr(_written(rule, zone), dtstart=plain)
        assert isinstance(parsed, rrule)  # noqa: S101 - one rule makes no set
        rules.rrule(parsed)
    rules.rdate(plain)
    for name, add in (("RDATE", rules.rdate), ("EXDATE", rules.exdate)):
        for each in _dates(event.get(name)):
            add(_aware(each, zone).astimezone(zone).replace(tzinfo=None))
    end = (now + AHEAD).astimezone(zone).replace(tzinfo=None)
    begin = (now - BACK).astimezone(zone).replace(tzinfo=None)
    near = takewhile(lambda start: start <= end, rules.xafter(begin, inc=True))
    for count, start in enumerate(near):
        if count >= MOST_OF_A_SERIES:
            return
        starts = start.replace(tzinfo=zone)
        if (str(event["UID"]), starts.astimezone(dt.UTC)) not in moved:
            yield Occurrence(_series_key(event, starts), event, *_span(event, starts))


def _written(rule: Any, zone: dt.tzinfo | None) -> str:
    """Return a rule as dateutil reads it: UNTIL in local time, as the start is."""
    copy = rule.copy()
    until = copy.get("UNTIL")
    if until:
        copy["UNTIL"] = [_aware(each, zone).astimezone(zone).replace(tzinfo=None) for each in _listed(until)]
    written: str = copy.to_ical().decode()
    return written


def _near(occurrence: Occurrence, now: WallInstant) -> Iterator[Occurrence]:
    if now - BACK <= occurrence.starts_at <= now + AHEAD:
        yield occurrence


def _start(event: Component) -> dt.datetime | None:
    found = getattr(event.get("DTSTART"), "dt", None)
    return None if found is None else _aware(found, dt.UTC)


def _span(event: Component, starts: dt.datetime) -> tuple[WallInstant, WallInstant]:
    """Return start and end in UTC: by the end, the duration, or an hour."""
    first, end = _start(event), getattr(event.get("DTEND"), "dt", None)
    length = getattr(event.get("DURATION"), "dt", None) or HOUR
    if end is not None and first is not None:
        length = _aware(end, first.tzinfo) - first
    begins = starts.astimezone(dt.UTC)
    return WallInstant(begins), WallInstant(begins + length)


def _original(event: Component) -> dt.datetime:
    original: Any = event["RECURRENCE-ID"]
    return _aware(original.dt, dt.UTC)


def _instance(event: Component) -> tuple[str, dt.datetime]:
    return str(event["UID"]), _original(event).astimezone(dt.UTC)


def _series_key(event: Component, original: dt.datetime) -> str:
    return f"{event['UID']}/{original.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def _aware(value: dt.date, zone: dt.tzinfo | None) -> dt.datetime:
    """Return an instant; a whole day begins at midnight, and a time without zone is in this one."""
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone or dt.UTC)


def _dates(value: Any) -> list[dt.date]:
    """Return dates; of periods, their starts."""
    given = [each.dt for one in _listed(value) for each in one.dts]
    return [each[0] if isinstance(each, tuple) else each for each in given]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]
