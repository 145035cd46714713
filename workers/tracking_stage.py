"""The second stage of tracking: raw events, durably stored, become identities, usage and what follows."""

import asyncio
from typing import Any

import structlog

from domain.ports import Clock
from domain.tracked import fold
from models.attribution import (
    CHANNEL,
    Attributed,
    WaitingBatch,
    attribute,
    claim_batches,
    count,
    finish,
    live_customers,
    may_attribute,
    note_sources,
    stage,
    staged_calls,
)
from models.database import Database, Session
from models.holding import has_news, release
from models.identities import resolve, tell
from models.listening import announcements
from models.marketing_sends import store_sends
from models.playbooks import PlaybookShelf
from models.rescoring import USAGE, ask_rescoring
from models.seen_events import note_seen
from models.watched_events import tell_of_watched_events

POLL_SECONDS = 1.0
MOST_EVENTS = 10_000
"""Events per transaction: customers' rows are locked for less than a second."""
MOST_BATCHES = 500
RETRY_SECONDS = 30.0
"""How long a batch that cannot be attributed is left aside, so that those behind it go on."""
log: Any = structlog.get_logger("tracking")


async def keep_attributing(database: Database, clock: Clock) -> None:
    """Attribute whatever comes in, until cancelled."""
    tracking = TrackingStage(database, clock)
    async for _ in announcements(database.url, CHANNEL, at_least_every=POLL_SECONDS):
        await tracking.run()


class TrackingStage:
    """Takes waiting batches, each exactly once: all that follows from one commits with its mark."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the system of record and the clock."""
        self._database = database
        self._clock = clock
        self._aside: dict[int, float] = {}
        self._shelf = PlaybookShelf()

    async def run(self) -> Attributed:
        """Go on until nothing waits; return the sum."""
        total = Attributed()
        while (one := await self._attempt()) is not None:
            total = Attributed(
                total.counted + one.counted, total.held + one.held, total.released + one.released
            )
        return total

    async def _attempt(self) -> Attributed | None:
        """Attribute several batches at once; if that fails, one, which is left aside if it fails alone."""
        try:
            return await self.run_once(MOST_BATCHES)
        except Exception as error:  # noqa: BLE001 - whatever one batch does, the others go on
            log.warning("several batches could not be attributed at once", reason=str(error)[:500])
        taken: list[WaitingBatch] = []
        try:
            return await self.run_once(1, taken)
        except Exception:
            if not taken:
                raise  # it is no batch's fault: the process says so, and is started again
            self._aside[taken[0].id] = asyncio.get_running_loop().time() + RETRY_SECONDS
            log.exception("a batch could not be attributed and is left aside", batch=taken[0].id)
            return Attributed()

    async def run_once(self, most: int, taken: list[WaitingBatch] | None = None) -> Attributed | None:
        """Attribute some waiting batches in one transaction; None if nothing waits.

        What it took is added to `taken`, for a caller that wants to know when it fails.
        """
        async with self._database.transaction() as session:
            if not await may_attribute(session):
                return None
            batches = await claim_batches(session, MOST_EVENTS, most, self._left_aside())
            if taken is not None:
                taken += batches
            if not batches and not await has_news(session):
                return None
            return await self._attribute(session, batches)

    async def _attribute(self, session: Session, batches: list[WaitingBatch]) -> Attributed:
        now, wall = self._clock.now(), self._clock.wall_now()
        await stage(session, batches)
        await tell(session, fold(await staged_calls(session)))
        await resolve(session, now, wall)
        await release(session, MOST_EVENTS)
        done = await count(session, await attribute(session), batches, now.date())
        await store_sends(session, wall)
        await note_seen(session)
        await note_sources(session)
        await tell_of_watched_events(session, self._shelf, now, wall)
        await ask_rescoring(session, await live_customers(session), wall, USAGE)
        await finish(session, batches, wall)
        return done

    def _left_aside(self) -> list[int]:
        now = asyncio.get_running_loop().time()
        self._aside = {batch: until for batch, until in self._aside.items() if until > now}
        return list(self._aside)
