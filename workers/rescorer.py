"""Scores customers about whom something became known, soon and with a bounded share of a core."""

import asyncio
import uuid
from collections.abc import Callable
from time import monotonic
from typing import Any

import structlog

from activities.customer_scoring import Desk, score_customers
from ml.adapters import CatBoostModelReader
from models.clock import StoredClock
from models.database import Database
from models.listening import announcements
from models.rescoring import CHANNEL, Asked, settle, waiting

POLL_SECONDS = 1.0
BATCH = 20
"""Customers scored at once: this process also rings, and must not be busy for long."""
PAUSE_SHARE = 2.0
"""After scoring for a second, rest for two: a third of one core, however much comes in."""
DAY_SECONDS = 86_400
NIGHT_IS_SOON_SECONDS = 60.0
"""Where a business day is shorter than this, the nightly scoring is on demand enough."""
log: Any = structlog.get_logger("rescorer")


async def keep_scoring(database: Database, clock: StoredClock, gap_seconds: float) -> None:
    """Score whoever is asked for, until cancelled."""
    rescorer = Rescorer(database, clock, gap_seconds)
    async for _ in announcements(database.url, CHANNEL, at_least_every=POLL_SECONDS):
        await rescorer.run()


class Rescorer:
    """Takes customers from the queue, the longest waiting first, and scores them as the night does."""

    def __init__(
        self,
        database: Database,
        clock: StoredClock,
        gap_seconds: float,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """Leave at least `gap_seconds` between two scorings of a customer of whom only usage is told."""
        self._database = database
        self._clock = clock
        self._reader = CatBoostModelReader()
        self._gap = gap_seconds
        self._now = now
        self._scored: dict[uuid.UUID, float] = {}
        self._desk = Desk()

    async def run(self) -> int:
        """Go on until nobody waits but those who rest; return how many were scored."""
        scored = 0
        while found := await self._take():
            began = self._now()
            await self.score(found)
            scored += len(found)
            await asyncio.sleep(PAUSE_SHARE * (self._now() - began))
        return scored

    async def _take(self) -> list[Asked]:
        if self._clock.rate > DAY_SECONDS / NIGHT_IS_SOON_SECONDS:
            return []
        resting = self._resting()
        async with self._database.transaction() as session:
            return await waiting(session, resting, BATCH)

    async def score(self, found: list[Asked]) -> None:
        """Score, then take off the queue what was read before: a death between them scores once more."""
        ids = [one.customer_id for one in found]
        result = await score_customers(self._database, self._clock, self._reader, ids, desk=self._desk)
        async with self._database.transaction() as session:
            await settle(session, found)
        at = self._now()
        self._scored |= dict.fromkeys(ids, at)
        if result.notices:
            log.info("scored on demand", customers=result.scored, notices=result.notices)

    def _resting(self) -> list[uuid.UUID]:
        before = self._now() - self._gap
        self._scored = {one: at for one, at in self._scored.items() if at > before}
        return list(self._scored)
