"""How long a compressed day lasts: as short as the machine keeps up with, and no shorter."""

import asyncio
import datetime as dt
from dataclasses import dataclass

from domain.time import WallInstant, after
from models.clock import StoredClock, change_rate, wall_now
from models.clock_rings import ring_those_who_wake_soon
from models.database import Database
from models.demo_report import lateness

DAY_SECONDS = 86_400.0
SHORTEST_DAY = 4.0
"""Seconds; timers of the development server under one second fire at one, so shorter days fall apart."""
CUSTOMERS_PER_SHORTEST_DAY = 140
"""With the whole library, measured on two cores: at more the Mondays come too late."""
LATE_HOURS, CALM_HOURS = 1.0, 0.4
"""Lateness p95 above which a day gets longer, and below which it gets shorter."""
SWAMPED_HOURS = 5.0
"""Lateness p95 above which a day gets longer whatever the budget says: rather slow than wrong."""
LONGER, MUCH_LONGER, SHORTER = 1.2, 1.5, 0.75
LONGEST_DAY, LONGEST_LOOK = 90.0, 8.0
WINDOW_DAYS = 2.0
"""Lateness is looked at over so many business days, and since the last change of pace at most."""
FEWEST_WAKES = 3
"""Fewer say nothing."""
SETTLING_DAYS = 0.5
"""What happens so soon after a change of pace says nothing yet."""
CALM_DAYS, MOST_PATIENCE = 7.0, 28.0
"""Business days without lateness before a day gets shorter: every week has its Monday, when doors open."""
RING_AHEAD = dt.timedelta(days=1.5)
"""After going faster, runs that wake within this time are rung; we look at least once a day."""


@dataclass(frozen=True)
class PaceLimits:
    """Seconds between which a day may last, unless we are swamped."""

    shortest: float
    longest: float


def shortest_day(customers: int) -> float:
    """Return the seconds that a day needs at least for so many customers."""
    return SHORTEST_DAY * max(1.0, customers / CUSTOMERS_PER_SHORTEST_DAY)


def next_day_seconds(now: float, late_p95_hours: float, limits: PaceLimits, *, is_calm: bool) -> float:
    """Return how long the next days last, from how late we were in the last ones."""
    if late_p95_hours > SWAMPED_HOURS:
        return max(limits.shortest, min(now * MUCH_LONGER, LONGEST_DAY))
    wanted = now
    if late_p95_hours > LATE_HOURS:
        wanted = max(now, min(now * LONGER, limits.longest))
    elif is_calm and now > limits.longest:  # we were swamped, and are no more: back into the budget
        wanted = max(now * SHORTER, limits.longest)
    elif is_calm and late_p95_hours < CALM_HOURS:
        wanted = now * SHORTER
    return max(wanted, limits.shortest)


class PaceController:
    """Looks at lateness about once a business day, or more often, and changes the stored pace."""

    def __init__(self, database: Database, clock: StoredClock, limits: PaceLimits) -> None:
        self._database = database
        self._clock = clock
        self.limits = limits
        self._calm_since = clock.now()
        self._patience = CALM_DAYS
        self._changed_at = wall_now()
        self._faster_since: WallInstant | None = None

    @property
    def day_seconds(self) -> float:
        """How long a business day lasts now."""
        return DAY_SECONDS / self._clock.rate if self._clock.rate else float("inf")

    async def run(self) -> None:
        """Control the pace for ever."""
        while True:
            await asyncio.sleep(min(self.day_seconds, LONGEST_LOOK))
            await self.look()
            await self.ring()

    async def ring(self) -> None:
        """Have those armed anew in time whose timers count on a slower pace."""
        if self._faster_since is None:
            return
        now, since = self._clock.now(), self._faster_since
        async with self._database.transaction() as session:
            await ring_those_who_wake_soon(
                session, now, wall_now(), before=after(now, RING_AHEAD), since=since
            )

    async def look(self) -> None:
        """Measure once, and change the pace if that is due."""
        before = self.day_seconds
        window = WallInstant(wall_now() - dt.timedelta(seconds=WINDOW_DAYS * before))
        async with self._database.transaction() as session:
            late = await lateness(session, self._clock, max(window, self._changed_at))
        if late.wakes < FEWEST_WAKES:
            return
        now = self._clock.now()
        if late.p95 > LATE_HOURS:
            self._calm_since = now
        if late.p95 > SWAMPED_HOURS:  # it was too fast: wait longer before trying again
            self._patience = min(2 * self._patience, MOST_PATIENCE)
        is_calm = now - self._calm_since >= dt.timedelta(days=self._patience)
        wanted = next_day_seconds(before, late.p95, self.limits, is_calm=is_calm)
        if abs(wanted - before) > before * 0.02:
            await self.set_day(wanted)

    async def set_day(self, seconds: float) -> None:
        """Make a day last so long. Only shorter days make timers late, so only then we ring."""
        faster, wall = seconds < self.day_seconds, wall_now()
        async with self._database.transaction() as session:
            await change_rate(session, wall, DAY_SECONDS / seconds, "pace")
        self._changed_at = WallInstant(wall + dt.timedelta(seconds=seconds * SETTLING_DAYS))
        if faster:
            self._faster_since = wall
            await self.ring()
        await self._clock.refresh(self._database)
        self._calm_since = self._clock.now()
