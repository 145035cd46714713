"""The hidden state of many sample customers at once: how engaged they are, and what moves that.

Days are ordinals (`date.toordinal`), 0 meaning never. One definition for the portfolio that tells facts, for
its untreated twin, and for trials of thousands.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.simulation.archetypes import RECOVERY_PULL, Archetype, Care
from ml.simulation.causes import CARE_DAYS, VALUE, Effect
from ml.simulation.worlds import World

Days = NDArray[np.int64]
Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]

RETURNS, LEAVES, RELAPSES, VALUES, SIZES, AMOUNTS = range(6)
"""Columns of the luck of a day: uniform numbers, the same for the treated customer and its untreated twin."""
DRAWS = 6
CARES = tuple(Care)
KEPT = math.exp(-1 / CARE_DAYS)
MOST_RETURNING = 0.9
VALUE_SHAPE = 1.8
"""Weibull: hardly anybody reaches value in the first weeks, and who waits long is ever nearer to it."""
SETTLED_DAYS = 90
"""Nobody buys more so soon after the start."""
SILENT = 0.01
"""Silence is silence."""


@dataclass(frozen=True)
class Origin:
    """What nature made of the customers, one value each."""

    stories: Sequence[Archetype]
    sizes: Sequence[int]
    joined: Sequence[int]
    onsets: Sequence[int]
    paces: Sequence[float]
    values: Sequence[int]
    """Days of first value of those who had it before we look, else 0."""


class Population:
    """Customers as they are; `live` takes them through a day. Engagement is 1 at a customer's own normal."""

    def __init__(self, world: World, origin: Origin) -> None:
        self._world, self.joined = world, np.array(origin.joined, dtype=np.int64)
        self._onset = np.array(origin.onsets, dtype=np.int64)
        self._nature = _Nature(world, origin)
        count = len(self.joined)
        self.engagement: Numbers = np.ones(count)
        self.trouble_since: Days = np.zeros(count, dtype=np.int64)
        self.returned_on: Days = np.zeros(count, dtype=np.int64)
        self.left_on: Days = np.zeros(count, dtype=np.int64)
        self.value_on: Days = np.array(origin.values, dtype=np.int64)
        self.revenue: Numbers = np.ones(count)
        """Recurring revenue as a multiple of what it began with."""
        self._cared: Numbers = np.zeros((count, len(CARES)))
        self._value_scale = world.value_days / math.log(2) ** (1 / VALUE_SHAPE)

    @property
    def here(self) -> Mask:
        """Who has not left."""
        found: Mask = self.left_on == 0
        return found

    def in_trouble_since(self, since: Days, today: int) -> None:
        """Put customers (those above 0) into trouble that began on an earlier day."""
        some = since > 0
        self.trouble_since = np.where(some, since, self.trouble_since)
        left = (1 - self._nature.pull) ** np.maximum(0, today - since)
        fallen = self._nature.floor + (1 - self._nature.floor) * left
        self.engagement = np.where(some, fallen, self.engagement)

    def receive(self, who: int | Mask, care: Care) -> None:
        """Take a care of ours: it works from the next day on."""
        self._cared[who, CARES.index(care)] += 1.0

    def decide_elsewhere(self, who: Mask) -> None:
        """Let trouble of some neither pass nor make them leave by itself: `settle` and `leave` say so."""
        self._nature.rest(who)

    def meets_trouble_by(self, place: int, day: int) -> bool:
        """Tell whether a customer is in trouble, or will be for the first time on a day until then."""
        is_first = self.returned_on[place] == 0 and 0 < self._onset[place] <= day
        return bool(self.trouble_since[place] or is_first)

    def settle(self, place: int, day: int) -> None:
        """End the trouble of a customer, as one who came back."""
        self.trouble_since[place], self.returned_on[place] = 0, day

    def leave(self, place: int, day: int) -> None:
        """Let a customer go on a day."""
        self.left_on[place] = day

    def come_back(self, place: int, day: int) -> None:
        """Let a customer who had left be one again, without trouble."""
        self.left_on[place] = 0
        self.settle(place, day)

    def live(self, day: int, luck: Numbers, renews: Mask) -> None:
        """Go through one day; a renewal is the day on which an unhappy customer leaves most easily."""
        here = self.here & (self.joined < day)
        self._meet_trouble(day, luck, here)
        troubled = here & (self.trouble_since > 0)
        leaves = here & (luck[:, LEAVES] < self._leaving(day, troubled, renews))
        self.left_on[leaves] = day
        returns = troubled & ~leaves & (luck[:, RETURNS] < self._returning())
        self.trouble_since[returns], self.returned_on[returns] = 0, day
        stays = here & ~leaves
        self._reach_value(day, luck, stays)
        self._resize(day, luck, stays)
        self._drift(stays)
        self._cared *= KEPT

    def _meet_trouble(self, day: int, luck: Numbers, here: Mask) -> None:
        calm = here & self._nature.meets_trouble & (self.trouble_since == 0)
        first = (self.returned_on == 0) & (self._onset > 0) & (day >= self._onset)
        again = (self.returned_on > 0) & (luck[:, RELAPSES] < self._world.relapse)
        self.trouble_since[calm & (first | again)] = day

    def _ripeness(self, day: int) -> Numbers:
        nature = self._nature
        age = (day - self.trouble_since) * nature.pace - nature.quiet
        ripe: Numbers = np.clip(age / (nature.ripe - nature.quiet), 0.0, 1.0)
        return ripe

    def _leaving(self, day: int, troubled: Mask, renews: Mask) -> Numbers:
        nature = self._nature
        usual = np.where(renews, nature.leaves_at_renewal, nature.leaves)
        harmed = (self._cared * nature.care_leaves).sum(axis=1)
        hazard = np.minimum(self._ripeness(day) * usual * nature.by_size + harmed, MOST_RETURNING)
        return np.where(troubled, hazard, self._world.ordinary_leaving)

    def _returning(self) -> Numbers:
        added = (self._cared * self._nature.care_returns).sum(axis=1)
        hazard: Numbers = np.minimum(MOST_RETURNING, self._nature.returns_alone + added)
        return hazard

    def _reach_value(self, day: int, luck: Numbers, stays: Mask) -> None:
        waits = stays & (self.value_on == 0)
        age = np.maximum(0, day - self.joined) / self._value_scale
        alone = VALUE_SHAPE / self._value_scale * age ** (VALUE_SHAPE - 1)
        helped = 1 + self._cared @ np.array([VALUE[care] for care in CARES])
        self.value_on[waits & (luck[:, VALUES] < alone * helped)] = day

    def _resize(self, day: int, luck: Numbers, stays: Mask) -> None:
        nature, world = self._nature, self._world
        troubled = self.trouble_since > 0
        shrinking = self._ripeness(day) * nature.shrinks * nature.by_size
        shrinks = stays & troubled & (luck[:, SIZES] < shrinking)
        settled = day - self.joined >= SETTLED_DAYS
        grows = stays & ~troubled & settled & (luck[:, SIZES] < nature.grows)
        self.revenue[shrinks] *= 1 - _between(world.shrinks_by, luck[shrinks, AMOUNTS])
        self.revenue[grows] *= 1 + _between(world.grows_by, luck[grows, AMOUNTS])

    def _drift(self, stays: Mask) -> None:
        troubled = self.trouble_since > 0
        target = np.where(troubled, self._nature.floor, 1.0)
        pull = np.where(troubled, self._nature.pull, RECOVERY_PULL)
        moved = self.engagement + (target - self.engagement) * pull
        moved[moved < SILENT] = 0.0
        self.engagement = np.where(stays, moved, self.engagement)


class _Nature:
    """The table of the stories, spread over the customers."""

    def __init__(self, world: World, origin: Origin) -> None:
        found = [world.troubles.get(story) for story in origin.stories]
        self.meets_trouble: Mask = np.array([one is not None for one in found], dtype=bool)
        self.pace: Numbers = np.array(origin.paces, dtype=float)

        def each(name: str, otherwise: float = 0.0) -> Numbers:
            values = [otherwise if one is None else getattr(one, name) for one in found]
            return np.array(values, dtype=float)

        self.pull = 1 - (1 - each("pull")) ** self.pace
        self.floor = each("floor", 1.0)
        self.returns_alone = each("returns_alone")
        self.leaves, self.leaves_at_renewal = each("leaves"), each("leaves_at_renewal")
        self.shrinks = each("shrinks")
        self.quiet, self.ripe = each("quiet_days"), each("ripe_days", 1.0)
        self.by_size: Numbers = np.array([world.by_size[size - 1] for size in origin.sizes], dtype=float)
        self.grows: Numbers = np.array([world.grows.get(story, 0.0) for story in origin.stories], dtype=float)
        effects = [[_effect(world, story, care) for care in CARES] for story in origin.stories]
        shape = (len(found), len(CARES))
        self.care_returns = np.array([[one.returns for one in row] for row in effects]).reshape(shape)
        self.care_leaves = np.array([[one.leaves for one in row] for row in effects]).reshape(shape)

    def rest(self, who: Mask) -> None:
        """Take every hazard of trouble from some."""
        for hazard in (self.returns_alone, self.leaves, self.leaves_at_renewal):
            hazard[who] = 0.0
        self.care_returns[who], self.care_leaves[who] = 0.0, 0.0


def _effect(world: World, story: Archetype, care: Care) -> Effect:
    return world.effects.get(story, {}).get(care, Effect())


def _between(bounds: tuple[float, float], luck: Numbers) -> Numbers:
    low, high = bounds
    return low + (high - low) * luck
