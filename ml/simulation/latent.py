"""The hidden state of one sample customer: how engaged they are, and what moves that."""

import datetime as dt
import math
from dataclasses import dataclass, field
from random import Random

from ml.simulation.archetypes import (
    CARE_DAYS,
    ORDINARY_LEAVING,
    RECOVERY_PULL,
    RELAPSE,
    TROUBLES,
    Archetype,
    Care,
    Trouble,
)

FULL_LEAVING_DAYS = 30
LEAVING_AT_RENEWAL = 0.5
LONGEST_CARE_DAYS = 30


@dataclass(frozen=True)
class Draws:
    """The luck of one customer on one day: the same for the treated customer and for the untreated twin."""

    returns: float
    leaves: float
    relapses: float

    @classmethod
    def of(cls, random: Random) -> "Draws":
        """Take the day's luck, always the same number of draws."""
        return cls(random.random(), random.random(), random.random())


@dataclass
class Latent:
    """What nobody can see. `engagement` is 1 at the customer's own normal."""

    archetype: Archetype
    onset: dt.date | None
    engagement: float = 1.0
    trouble_since: dt.date | None = None
    returned_on: dt.date | None = None
    left_on: dt.date | None = None
    cares: list[tuple[dt.date, Care]] = field(default_factory=list)

    @property
    def trouble(self) -> Trouble | None:
        """How the present trouble runs, None without trouble."""
        return TROUBLES.get(self.archetype) if self.trouble_since else None

    def receive(self, day: dt.date, care: Care) -> None:
        """Take a care of ours: it works from the next day on."""
        self.cares.append((day, care))

    def live(self, day: dt.date, draws: Draws, *, is_renewal: bool = False) -> None:
        """Go through one day; a renewal is the day on which an unhappy customer leaves most easily."""
        if self.left_on is not None:
            return
        self._meet_trouble(day, draws)
        if draws.leaves < self.leaving_hazard(day, is_renewal=is_renewal):
            self.left_on = day
        elif self.trouble is not None and draws.returns < self.return_hazard(day):
            self.trouble_since, self.returned_on = None, day
        self._drift()

    def return_hazard(self, day: dt.date) -> float:
        """Chance of coming back on this day: alone, plus what is left of each care."""
        trouble = self.trouble
        if trouble is None:
            return 0.0
        self.cares = [each for each in self.cares if (day - each[0]).days <= LONGEST_CARE_DAYS]
        ages = [((day - since).days, care) for since, care in self.cares]
        added = sum(trouble.care[care] * math.exp((1 - age) / CARE_DAYS) for age, care in ages if age > 0)
        return min(0.9, trouble.returns_alone + added)

    def leaving_hazard(self, day: dt.date, *, is_renewal: bool = False) -> float:
        """Chance of cancelling on this day, growing over the first month of trouble."""
        trouble = self.trouble
        if trouble is None or self.trouble_since is None:
            return ORDINARY_LEAVING
        ripeness = min(1.0, (day - self.trouble_since).days / FULL_LEAVING_DAYS)
        return ripeness * (LEAVING_AT_RENEWAL if is_renewal else trouble.leaves)

    def _meet_trouble(self, day: dt.date, draws: Draws) -> None:
        if self.archetype not in TROUBLES or self.trouble_since is not None:
            return
        starts = self.onset is not None and day >= self.onset and self.returned_on is None
        relapses = self.returned_on is not None and draws.relapses < RELAPSE
        if starts or relapses:
            self.trouble_since = day

    def _drift(self) -> None:
        target, pull = (1.0, RECOVERY_PULL)
        if self.trouble is not None:
            target, pull = self.trouble.floor, self.trouble.pull
        self.engagement += (target - self.engagement) * pull
        if self.engagement < 0.01:  # noqa: PLR2004 - silence is silence
            self.engagement = 0.0
