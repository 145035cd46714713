"""How long before their end those who left were flagged: lead time, by customers and by revenue."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.backtest import Cut, Gone, Replay

MARKS = (30, 60, 90)
"""Days before the end at which it is asked whether a customer was flagged."""
REVENUE_MARK = 30
EDGES = (1, 15, 30, 60, 90, 120, 180)
"""Where the bars of the distribution begin; what is below the first was not flagged at the end."""
QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Lead:
    """How one departure was seen coming, by one cut."""

    gone: Gone
    days: int
    """From the first day of the last unbroken run of flags to the end; 0: not flagged at the end."""
    is_open: bool
    """The run began on the first replayed day: it may have been longer."""
    was: dict[int, bool | None]
    """By mark: flagged so many days before the end; None: not scored then."""
    held: dict[int, bool | None]
    """The same, and on every replayed day from then to the end."""
    mrr_minor: int
    currency: str


def leads(replay: Replay, cut: Cut) -> list[Lead]:
    """Return the lead of every departure within the replayed days, in order of time."""
    if not replay.days:
        return []
    last = replay.days[-1] + dt.timedelta(days=replay.step)
    inside = [one for one in replay.gone if replay.days[0] < one.on <= last]
    found = (_lead(replay, cut, one) for one in sorted(inside, key=lambda one: (one.on, one.customer)))
    return [one for one in found if one is not None]


def _lead(replay: Replay, cut: Cut, one: Gone) -> Lead | None:
    """Return None for whom nobody looked at before the end: gone within days of the begin."""
    track = {day: look for day, look in replay.tracks.get(one.customer, {}).items() if day < one.on}
    if not track:
        return None
    days = list(track)
    flags = [one.customer in replay.flagged[cut][day] for day in days]
    first = _first_of_run(flags)
    places = {mark: _place(days, one.on, mark, replay.step) for mark in MARKS}
    paid = track[days[-1]]
    return Lead(
        gone=one,
        days=0 if first is None else (one.on - days[first]).days,
        is_open=first == 0 and days[0] == replay.days[0],
        was={mark: None if place is None else flags[place] for mark, place in places.items()},
        held={mark: None if place is None else all(flags[place:]) for mark, place in places.items()},
        mrr_minor=paid.mrr_minor,
        currency=paid.currency,
    )


def _first_of_run(flags: Sequence[bool]) -> int | None:
    """Return where the run of flags begins that lasts to the end."""
    if not flags[-1]:
        return None
    return max((place + 1 for place, one in enumerate(flags) if not one), default=0)


def _place(days: Sequence[dt.date], end: dt.date, mark: int, step: int) -> int | None:
    """Return the newest look at least `mark` days before the end, if there was one about then."""
    found = [place for place, day in enumerate(days) if (end - day).days >= mark]
    return found[-1] if found and (end - days[found[-1]]).days < mark + 2 * step else None


def lead_document(replay: Replay, cut: Cut) -> dict[str, Any]:
    """Return lead times as published: of all, and by what is known of how and why they left."""
    found = leads(replay, cut)
    groups = {
        "pace": lambda one: replay.pace(one.gone),
        "cause": lambda one: one.gone.cause,
        "reason": lambda one: one.gone.reason or "not told",
        "group": lambda one: one.gone.group,
    }
    by = {name: _grouped(found, key) for name, key in groups.items()}
    if not any(one.gone.group for one in found):
        del by["group"]
    return summary(found) | {
        "histogram": histogram(found),
        "revenue": [_caught(found, currency) for currency in sorted({one.currency for one in found})],
        "by": by,
    }


def _grouped(found: Sequence[Lead], key: Any) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Lead]] = defaultdict(list)
    for one in found:
        groups[key(one)].append(one)
    return {name: summary(groups[name]) for name in sorted(groups)}


def summary(found: Sequence[Lead]) -> dict[str, Any]:
    """Return how many left, quartiles of the lead in days, and shares flagged so many days before."""
    ordered = sorted(one.days for one in found)
    return {
        "departures": len(found),
        "quartiles": [ordered[int(share * (len(ordered) - 1))] for share in QUARTERS] if ordered else [],
        "open": sum(one.is_open for one in found),
        "flagged": {str(mark): share([one.was[mark] for one in found]) for mark in MARKS},
        "held": {str(mark): share([one.held[mark] for one in found]) for mark in MARKS},
    }


def share(values: Sequence[bool | None]) -> dict[str, Any]:
    """Return the share of True among what is known, and of how many."""
    known = [one for one in values if one is not None]
    return {"share": sum(known) / len(known) if known else None, "of": len(known)}


def histogram(found: Sequence[Lead]) -> list[dict[str, Any]]:
    """Return how many leads lie from each edge to the next; the first bar was not flagged at the end."""
    ends = (*EDGES, None)
    bars = [{"from": 0, "to": 0, "departures": sum(one.days < EDGES[0] for one in found)}]
    for low, high in zip(EDGES, ends[1:], strict=True):
        inside = sum(one.days >= low and (high is None or one.days < high) for one in found)
        bars.append({"from": low, "to": high - 1 if high is not None else None, "departures": inside})  # type: ignore[dict-item]  # the last bar is open
    return bars


def _caught(found: Sequence[Lead], currency: str) -> dict[str, Any]:
    """Return what those who left had paid a month, and how much of it was flagged a month before."""
    asked = [one for one in found if one.currency == currency and one.was[REVENUE_MARK] is not None]
    lost = sum(one.mrr_minor for one in asked)
    caught = sum(one.mrr_minor for one in asked if one.was[REVENUE_MARK])
    return {
        "currency": currency,
        "departures": len(asked),
        "lost_mrr_minor": lost,
        "caught_mrr_minor": caught,
        "share": caught / lost if lost else None,
        "days_before": REVENUE_MARK,
    }
