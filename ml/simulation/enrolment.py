"""Customers in trouble on the day on which a trial takes them in."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from domain.vocabulary import Segment
from ml.simulation.archetypes import Archetype
from ml.simulation.population import Days, Numbers, Origin, Population
from ml.simulation.portfolio import SIZE_SHARES, YEAR
from ml.simulation.worlds import World

DAY_0 = 10_000
"""Ordinal of the day before enrolment takes effect; any would do."""
LEAST_AGE = 10
"""Days of trouble before anybody could have noticed."""
DIP = 0.6
"""Engagement of a false alarm: a customer without trouble who looks like one."""
FALSE_ALARM = Archetype.HEALTHY
SEGMENTS = (Segment.SMALL, Segment.MID_MARKET, Segment.ENTERPRISE)


@dataclass(frozen=True)
class Enrolled:
    """The customers of a trial, one value each. `stories` are codes of `names`, sizes 0 to 2."""

    world: World
    names: tuple[Archetype, ...]
    stories: Days
    sizes: Days
    since: Days
    """Day on which trouble began, 0 for a false alarm."""
    paces: Numbers
    phases: Days

    def population(self) -> Population:
        """Return them as they are on the day of enrolment."""
        count = len(self.stories)
        found = Population(
            self.world,
            Origin(
                stories=[self.names[code] for code in self.stories],
                sizes=[int(size) + 1 for size in self.sizes],
                joined=[1] * count,
                onsets=[0] * count,
                paces=self.paces.tolist(),
                values=[1] * count,
            ),
        )
        found.engagement[:] = DIP
        found.in_trouble_since(self.since, DAY_0)
        return found

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The size of each, in the words of the model."""
        return tuple(SEGMENTS[size] for size in self.sizes)


def enrol(
    world: World, shares: Mapping[Archetype, float], false_alarms: float, customers: int, seed: int
) -> Enrolled:
    """Draw customers in trouble, and some who only look like it."""
    random = np.random.default_rng([seed, 1])
    names = (*world.troubles, FALSE_ALARM)
    weights = np.array([shares.get(story, 0.0) for story in world.troubles])
    odds = np.array([*(weights / weights.sum() * (1 - false_alarms)), false_alarms])
    stories = random.choice(len(names), size=customers, p=odds)
    quiet, ripe = (
        np.array([*(getattr(one, name) for one in world.troubles.values()), 0])[stories]
        for name in ("quiet_days", "ripe_days")
    )
    age = LEAST_AGE + quiet / 3 + random.random(customers) * (0.8 * ripe - quiet / 3)
    is_false = stories == len(names) - 1
    return Enrolled(
        world=world,
        names=names,
        stories=stories,
        sizes=random.choice(3, size=customers, p=SIZE_SHARES),
        since=np.where(is_false, 0, DAY_0 - age.astype(np.int64)),
        paces=random.uniform(*world.pace, size=customers),
        phases=random.integers(0, YEAR, size=customers),
    )
