"""The nightly scoring of everyone, and the nights themselves."""

import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import structlog
from temporalio import activity

from activities.beats import Beat
from activities.contracts import Wake
from activities.contracts_scoring import (
    CalendarContract,
    FinishScoringInput,
    NextNightInput,
    NextNightResult,
    PlanShardsInput,
    PlanShardsResult,
    ScoreShardInput,
    ScoreShardResult,
    ScoringContract,
    Shard,
)
from activities.customer_scoring import BATCH, Desk, score_in_batches
from activities.night_end import end_night
from activities.training import promote_shadows, start_due_training
from domain.nights import next_night
from domain.ports import Clock
from domain.statistician import Statistician
from domain.voices import ModelReader
from models.database import Database
from models.freshness import watch_freshness
from models.scores import load_policy, scorable_ids
from models.wakes import record_wake

SHARD = 2000
"""Customers per activity: a minute of work at most, and one line of the workflow's history."""
MOST_SHARDS = 200

log = structlog.get_logger()


class ScoringActivities(ScoringContract):
    """Scores the portfolio in parts. Task queue `scoring`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        reader: ModelReader,
        statistician: Statistician,
        *,
        shard: int = SHARD,
        batch: int = BATCH,
    ) -> None:
        """Take the system of record, the clock, who reads models and who reckons over many customers.

        `shard` are customers per activity, `batch` those of one transaction of it.
        """
        self._database = database
        self._clock = clock
        self._reader = reader
        self._statistician = statistician
        self._shard, self._desk = shard, Desk(batch)

    @activity.defn(name="plan_shards")
    async def plan_shards(self, request: PlanShardsInput) -> PlanShardsResult:
        """Cut the portfolio into parts and fix the instant, so that every part is scored as of the same.

        Whether the sources are talking is looked at here, once for all parts.
        """
        as_of = self._clock.now()
        async with self._database.transaction() as session:
            ids = await scorable_ids(session)
            await watch_freshness(session, as_of, (await load_policy(session)).freshness)
        log.info("scoring planned", business_date=request.business_date.isoformat(), customers=len(ids))
        return PlanShardsResult(as_of, cut(ids, self._shard))

    @activity.defn(name="score_shard")
    async def score_shard(self, request: ScoreShardInput) -> ScoreShardResult:
        """Score one part; a repeated attempt goes on behind the last batch that was committed."""
        reached = Reached()
        async with self._database.transaction() as session:
            ids = await scorable_ids(session, request.shard.first, request.shard.last)
        left = [customer_id for customer_id in ids if reached.last is None or customer_id > reached.last]
        async with reached.told():
            batches = score_in_batches(
                self._database, self._clock, self._reader, left, request.as_of, self._desk
            )
            async for last, part in batches:
                reached.go_on(last, part)
        return reached.total

    @activity.defn(name="finish_scoring")
    async def finish_scoring(self, request: FinishScoringInput) -> None:
        """Do what a night ends with: look back, use what was in shadow long enough, train what is due."""
        await end_night(self._database, self._clock, self._statistician, request.business_date)
        total = request.total
        promoted = await promote_shadows(self._database, self._clock)
        await start_due_training(self._database, self._clock, request.business_date)
        log.info(
            "scoring finished",
            business_date=request.business_date.isoformat(),
            scored=total.scored,
            signals_opened=total.signals_opened,
            signals_resolved=total.signals_resolved,
            tier_changes=total.tier_changes,
            notices=total.notices,
            promoted=promoted,
        )


def cut(ids: Sequence[uuid.UUID], least: int = SHARD) -> tuple[Shard, ...]:
    """Cut ordered ids into parts of about equal size, `least` or more in each."""
    size = max(least, -(-len(ids) // MOST_SHARDS))
    parts = [ids[start : start + size] for start in range(0, len(ids), size)]
    return tuple(Shard(part[0], part[-1], len(part)) for part in parts)


class Reached:
    """How far a part is, as the server is told while it is under way.

    On a busy machine a batch may take longer than the server waits for a word; it would give the part to
    another worker, and both would score it.
    """

    def __init__(self) -> None:
        """Go on where the attempt before this one was, with what it had found."""
        details = activity.info().heartbeat_details
        cursor = details[0] if details and isinstance(details[0], dict) else {}
        self.last = uuid.UUID(cursor["last"]) if cursor.get("last") else None
        self.total = ScoreShardResult(**cursor.get("total", {}))
        self._beat = Beat()
        self._beat.cursor = self._cursor()

    def go_on(self, last: uuid.UUID, part: ScoreShardResult) -> None:
        """Note a batch that was committed."""
        self.last, self.total = last, self.total.plus(part)
        self._beat.cursor = self._cursor()

    def told(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Tell it to the server again and again until the end of the block."""
        return self._beat.beating()

    def _cursor(self) -> dict[str, Any]:
        return {"last": None if self.last is None else str(self.last), "total": asdict(self.total)}


class CalendarActivities(CalendarContract):
    """Asks the business clock. Task queue `decisions`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the clock, and the database where lateness is recorded."""
        self._database = database
        self._clock = clock

    @activity.defn(name="next_night")
    async def next_night(self, request: NextNightInput) -> NextNightResult:
        """Say which date is due now, the newest only, and when the next one will be."""
        async with self._database.transaction() as session:
            await record_wake(session, "calendar", request.woken_for, self._clock)
        night = next_night(self._clock.now(), request.scored)
        return NextNightResult(night.due_date, Wake(night.next_due, self._clock.wall_at(night.next_due)))
