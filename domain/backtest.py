"""A replay of scoring: what would have been said of whom on each day, and who left in truth."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Protocol

from domain.features import CustomerFeatures
from domain.risk import tier_of
from domain.vocabulary import RiskTier

HORIZON = 90
"""Days within which a departure is foretold: that of the score."""
SLOW_BEFORE, SLOW_LEVEL, EARLIER = 60, 0.75, 120
"""Use was below this share of its earlier level two months before the end; earlier is four months before."""


class Cut(StrEnum):
    """Who counts as flagged on a day."""

    TIER = "tier"
    """A raw tier of high or critical."""
    CAPACITY = "capacity"
    """Among the most likely to leave, as many as people can look after."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a voice says of one customer."""

    probability: float
    score: int


class Voice(Protocol):
    """What scores in a replay: the scorecard, or a model with it."""

    @property
    def name(self) -> str:
        """Return how it is called in the result."""
        ...

    def say(self, features: Sequence[CustomerFeatures]) -> list[Said]:
        """Return what it says of each."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """What was said of a customer on a day, and what it paid and used then."""

    customer: str
    probability: float
    score: int
    mrr_minor: int
    currency: str
    use: float | None = None
    """Use in the mean week of the last four; None: not known."""

    @property
    def tier(self) -> RiskTier:
        """Return the raw tier."""
        return tier_of(self.score)


@dataclass(frozen=True, slots=True)
class Gone:
    """A departure: who, when, whose doing, and what people said about it."""

    customer: str
    on: dt.date
    cause: str
    reason: str = ""
    group: str = ""
    """A grouping that was handed in beside the data; empty: none."""


@dataclass(frozen=True)
class Replay:
    """Every look of every replayed day, in order, and all departures after the first of them.

    `settled` is the last day up to which departures are known for good: what lies after it has not matured.
    """

    looks: Mapping[dt.date, Sequence[Look]]
    gone: Sequence[Gone]
    settled: dt.date
    capacity: int | None = None
    """Customers that people can look after; None: a tenth."""
    horizon: int = HORIZON

    @cached_property
    def days(self) -> tuple[dt.date, ...]:
        """Return the replayed days, oldest first."""
        return tuple(sorted(self.looks))

    @cached_property
    def step(self) -> int:
        """Return the usual number of days between two replayed days."""
        gaps = sorted((later - day).days for day, later in pairwise(self.days))
        return gaps[len(gaps) // 2] if gaps else 1

    @cached_property
    def left_on(self) -> Mapping[str, Sequence[dt.date]]:
        """Return by customer when it left."""
        found: dict[str, list[dt.date]] = defaultdict(list)
        for one in self.gone:
            found[one.customer].append(one.on)
        return found

    @cached_property
    def tracks(self) -> Mapping[str, Mapping[dt.date, Look]]:
        """Return the looks of each customer by day, oldest first."""
        found: dict[str, dict[dt.date, Look]] = defaultdict(dict)
        for day in self.days:
            for look in self.looks[day]:
                found[look.customer][day] = look
        return found

    @cached_property
    def flagged(self) -> Mapping[Cut, Mapping[dt.date, frozenset[str]]]:
        """Return who was flagged on each day, by cut."""
        return {
            Cut.TIER: {day: frozenset(_high(self.looks[day])) for day in self.days},
            Cut.CAPACITY: {
                day: frozenset(top(self.looks[day], self.room(len(self.looks[day])))) for day in self.days
            },
        }

    def room(self, customers: int) -> int:
        """Return how many customers people can look after, of so many."""
        return min(customers, self.capacity) if self.capacity is not None else max(1, round(customers / 10))

    def left_within(self, customer: str, day: dt.date, days: int) -> bool:
        """Tell whether a customer left in so many days after a day."""
        return any(day < on <= day + dt.timedelta(days=days) for on in self.left_on.get(customer, ()))

    def matured(self, days: int) -> tuple[dt.date, ...]:
        """Return the replayed days of which we know what happened within so many days."""
        return tuple(day for day in self.days if day + dt.timedelta(days=days) <= self.settled)

    def pace(self, one: Gone) -> str:
        """Tell how a customer went: slowly, suddenly, or unknown where too little of its use was seen."""
        track = self.tracks.get(one.customer, {})
        seen = [((one.on - day).days, look.use) for day, look in track.items() if day < one.on]
        earlier = sorted(use for days, use in seen if days >= EARLIER and use is not None)
        late = [use for days, use in seen if days >= SLOW_BEFORE]
        if not earlier or late[-1] is None or not earlier[len(earlier) // 2]:
            return "unknown"
        return "slow" if late[-1] < SLOW_LEVEL * earlier[len(earlier) // 2] else "sudden"


def top(looks: Sequence[Look], count: int) -> list[str]:
    """Return the customers that were most likely to leave; among equals the order of their names decides."""
    ordered = sorted(looks, key=lambda one: (-one.probability, one.customer))
    return [one.customer for one in ordered[:count]]


def _high(looks: Sequence[Look]) -> list[str]:
    return [one.customer for one in looks if one.tier.rank >= RiskTier.HIGH.rank]
