"""What a replay shows of the scores: precision, lift, calibration, false alarms, and the mix of tiers."""

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from domain.backtest import Cut, Look, Replay, top
from domain.backtest_leads import lead_document
from domain.vocabulary import RiskTier

LONGER = 30
"""A flag counts as right for so long beyond the horizon where a longer one is asked for."""
ROOMS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
"""Shares of the customers that people may be able to look after."""
BINS = 10
NORMAL_90 = 1.645


@dataclass(frozen=True)
class Ratio:
    """Successes among trials, with a 90 % interval that takes each customer's days as one piece of evidence.

    The variance is that of a ratio estimator over clusters (Cochran, Sampling Techniques, section 6.3): weeks
    of one customer are alike, so they must not count as independent.
    """

    hits: int
    of: int
    spread: float

    @property
    def value(self) -> float | None:
        """Return the ratio; None where nothing was tried."""
        return self.hits / self.of if self.of else None

    def document(self) -> dict[str, Any]:
        """Return it as published."""
        value = self.value
        if value is None:
            return {"value": None, "low": None, "high": None, "hits": 0, "of": 0}
        low, high = max(0.0, value - NORMAL_90 * self.spread), min(1.0, value + NORMAL_90 * self.spread)
        return {"value": value, "low": low, "high": high, "hits": self.hits, "of": self.of}


def ratio(by_customer: Mapping[str, tuple[int, int]]) -> Ratio:
    """Return hits over trials from each customer's own."""
    hits, of = (sum(one[place] for one in by_customer.values()) for place in (0, 1))
    if not of:
        return Ratio(0, 0, 0.0)
    count, value = len(by_customer), hits / of
    squares = sum((mine - value * tried) ** 2 for mine, tried in by_customer.values())
    return Ratio(hits, of, math.sqrt(squares * count / max(count - 1, 1)) / of)


def document(replay: Replay) -> dict[str, Any]:
    """Return every figure as published: `everstay backtest --json`."""
    return {
        "days": len(replay.days),
        "customers": len(replay.tracks),
        "looks": sum(len(looks) for looks in replay.looks.values()),
        "departures": sum(one.on > replay.days[0] for one in replay.gone) if replay.days else 0,
        "settled": replay.settled.isoformat(),
        "matured_until": _last(replay.matured(replay.horizon)),
        "horizon_days": replay.horizon,
        "capacity": replay.capacity,
        "room": _usual_room(replay),
        "cuts": {cut.value: _cut(replay, cut) for cut in Cut},
        "rooms": [_room(replay, share) for share in ROOMS],
        "calibration": {"months": calibration(replay), "bins": reliability(replay)},
        "mix": mix(replay),
    }


def _last(days: Sequence[dt.date]) -> str | None:
    return days[-1].isoformat() if days else None


def _usual_room(replay: Replay) -> int:
    rooms = sorted(replay.room(len(replay.looks[day])) for day in replay.days)
    return rooms[len(rooms) // 2] if rooms else 0


def _cut(replay: Replay, cut: Cut) -> dict[str, Any]:
    return {
        "lead": lead_document(replay, cut),
        "precision": [precision(replay, cut, days) for days in (replay.horizon, replay.horizon + LONGER)],
        "over_time": _over_time(replay, cut),
        "false_alarms": false_alarms(replay, cut),
    }


def precision(replay: Replay, cut: Cut, days: int) -> dict[str, Any]:
    """Return who left within so many days of those flagged on a day, against everybody looked at then.

    Pooled over the replayed days whose outcome is known: one customer flagged on ten days counts ten times,
    which the interval allows for.
    """
    flagged: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    everyone: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for day in replay.matured(days):
        for look in replay.looks[day]:
            hit = int(replay.left_within(look.customer, day, days))
            _add(everyone, look.customer, hit)
            if look.customer in replay.flagged[cut][day]:
                _add(flagged, look.customer, hit)
    return {"days": days} | against(ratio(flagged), ratio(everyone))


def _add(found: dict[str, tuple[int, int]], customer: str, hit: int) -> None:
    hits, of = found[customer]
    found[customer] = (hits + hit, of + 1)


def against(flagged: Ratio, everyone: Ratio) -> dict[str, Any]:
    """Return precision beside the base rate, its lift, and the share of leavers that it found."""
    base, found = everyone.value, flagged.document()
    lift = {name: found[name] / base if base and found["value"] is not None else None for name in _INTERVAL}
    return {
        "precision": found,
        "base_rate": everyone.document(),
        "lift": lift,
        "recall": flagged.hits / everyone.hits if everyone.hits else None,
        "flagged_share": flagged.of / everyone.of if everyone.of else None,
    }


_INTERVAL = ("value", "low", "high")


def _over_time(replay: Replay, cut: Cut) -> list[dict[str, Any]]:
    """Return by month the precision of its days, the base rate, and how many were flagged."""
    months: dict[str, list[dt.date]] = defaultdict(list)
    for day in replay.matured(replay.horizon):
        months[f"{day:%Y-%m}"].append(day)
    found = []
    for month, days in sorted(months.items()):
        part = Replay(
            {day: replay.looks[day] for day in days},
            replay.gone,
            replay.settled,
            replay.capacity,
            replay.horizon,
        )
        said = precision(part, cut, replay.horizon)
        values = {name: said[name]["value"] for name in ("precision", "base_rate")}
        found.append({"month": month, **values, "flagged_share": said["flagged_share"]})
    return found


def _room(replay: Replay, part: float) -> dict[str, Any]:
    """Return precision and recall where people can look after this share of the customers."""
    hits = tried = left = 0
    for day in replay.matured(replay.horizon):
        looks = replay.looks[day]
        gone = {one.customer for one in looks if replay.left_within(one.customer, day, replay.horizon)}
        chosen = top(looks, max(1, round(part * len(looks))))
        hits, tried, left = hits + len(gone & set(chosen)), tried + len(chosen), left + len(gone)
    return {
        "share": part,
        "precision": hits / tried if tried else None,
        "recall": hits / left if left else None,
    }


def false_alarms(replay: Replay, cut: Cut) -> dict[str, Any]:
    """Return how many runs of flags came to nothing: nobody left in them or within the horizon after."""
    runs = [
        (days, right)
        for customer, track in replay.tracks.items()
        for days, right in _runs(replay, cut, customer, list(track))
    ]
    false = sorted((days[-1] - days[0]).days + replay.step for days, right in runs if not right)
    months = sum(len(replay.looks[day]) for day in replay.days) * replay.step / 30
    return {
        "runs": len(runs),
        "false": len(false),
        "share": len(false) / len(runs) if runs else None,
        "median_days": false[len(false) // 2] if false else None,
        "per_100_customers_a_month": 100 * len(false) / months if months else None,
    }


def _runs(
    replay: Replay, cut: Cut, customer: str, days: Sequence[dt.date]
) -> list[tuple[list[dt.date], bool]]:
    """Return the runs of flags of one customer whose outcome is known, and whether it left for them."""
    runs: list[list[dt.date]] = []
    was = False
    for day in days:
        is_flagged = customer in replay.flagged[cut][day]
        if is_flagged and was:
            runs[-1].append(day)
        elif is_flagged:
            runs.append([day])
        was = is_flagged
    found = []
    for run in runs:
        right = any(replay.left_within(customer, day, replay.horizon) for day in run)
        if right or run[-1] + dt.timedelta(days=replay.horizon) <= replay.settled:
            found.append((run, right))
    return found


def calibration(replay: Replay) -> list[dict[str, Any]]:
    """Return by month what was foretold on average, and what came."""
    months: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for day, look, hit in _outcomes(replay):
        months[f"{day:%Y-%m}"].append((look.probability, hit))
    return [{"month": month, **_mean(found)} for month, found in sorted(months.items())]


def reliability(replay: Replay) -> list[dict[str, Any]]:
    """Return the same by tenths of the looks, from the least likely to the most."""
    found = sorted(((look.probability, hit) for _, look, hit in _outcomes(replay)), key=lambda one: one[0])
    edges = [round(place * len(found) / BINS) for place in range(BINS + 1)]
    parts = (found[low:high] for low, high in pairwise(edges))
    return [_mean(part) for part in parts if part]


def _mean(found: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    return {
        "looks": len(found),
        "predicted": math.fsum(probability for probability, _ in found) / len(found),
        "observed": sum(hit for _, hit in found) / len(found),
    }


def _outcomes(replay: Replay) -> list[tuple[dt.date, Look, bool]]:
    return [
        (day, look, replay.left_within(look.customer, day, replay.horizon))
        for day in replay.matured(replay.horizon)
        for look in replay.looks[day]
    ]


def mix(replay: Replay) -> list[dict[str, Any]]:
    """Return the share of each tier on each replayed day."""
    found = []
    for day in replay.days:
        counts = Counter(look.tier for look in replay.looks[day])
        total = sum(counts.values())
        shares = {tier.value: counts[tier] / total if total else 0.0 for tier in RiskTier}
        found.append({"day": day.isoformat(), "customers": total, **shares})
    return found
