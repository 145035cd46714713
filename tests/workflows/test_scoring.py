"""Nights on the time-skipping server; a whole scoring run on the dev server with real Postgres."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.contracts import Wake
from activities.contracts_scoring import (
    CalendarContract,
    CalendarState,
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
from activities.scoring import ScoringActivities
from domain.nights import next_night
from domain.time import BusinessInstant, WallInstant
from ml.adapters import CatBoostModelReader, NumpyStatistician
from models.database import Database
from tests.support.binaries import dev_server, time_skipping_server
from tests.support.portfolio import NOW, FixedClock, Portfolio
from workers.main import sandbox
from workflows.calendar import CALENDAR_ID, CalendarWorkflow
from workflows.scoring import PortfolioScoringWorkflow, workflow_id


@dataclass
class Sky(CalendarContract, ScoringContract):
    """The business clock and the scoring, on the test server's time."""

    env: WorkflowEnvironment
    rate: float = 1.0
    jumped: dt.timedelta = dt.timedelta()
    fails_on: frozenset[dt.date] = frozenset()
    start: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    scored: list[dt.date] = field(default_factory=list)
    finished: list[dt.date] = field(default_factory=list)

    async def now(self) -> BusinessInstant:
        elapsed = await self.env.get_current_time() - self.start
        return BusinessInstant(self.start + self.jumped + elapsed * self.rate)

    @activity.defn(name="next_night")
    async def next_night(self, request: NextNightInput) -> NextNightResult:
        now = await self.now()
        night = next_night(now, request.scored)
        wall = await self.env.get_current_time() + (night.next_due - now) / self.rate
        return NextNightResult(night.due_date, Wake(night.next_due, WallInstant(wall)))

    @activity.defn(name="plan_shards")
    async def plan_shards(self, request: PlanShardsInput) -> PlanShardsResult:
        self.scored.append(request.business_date)
        if request.business_date in self.fails_on:
            raise ApplicationError("no", non_retryable=True)
        shard = Shard(uuid.UUID(int=0), uuid.UUID(int=1), 2)
        return PlanShardsResult(await self.now(), (shard, shard))

    @activity.defn(name="score_shard")
    async def score_shard(self, request: ScoreShardInput) -> ScoreShardResult:
        return ScoreShardResult(scored=request.shard.customers)

    @activity.defn(name="finish_scoring")
    async def finish_scoring(self, request: FinishScoringInput) -> None:
        self.finished.append(request.business_date)


@asynccontextmanager
async def nights(**changes: Any) -> AsyncIterator[tuple[Sky, Client]]:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=time_skipping_server(), data_converter=pydantic_data_converter
    ) as env:
        sky = Sky(env, start=await env.get_current_time(), **changes)
        flows = Worker(
            env.client, task_queue="lifecycle", workflows=[CalendarWorkflow], workflow_runner=sandbox()
        )
        clock = Worker(env.client, task_queue="decisions", activities=[sky.next_night])
        scoring = Worker(
            env.client,
            task_queue="scoring",
            workflows=[PortfolioScoringWorkflow],
            activities=[sky.plan_shards, sky.score_shard, sky.finish_scoring],
            workflow_runner=sandbox(),
        )
        async with flows, clock, scoring:
            await env.client.start_workflow(
                CalendarWorkflow.run, CalendarState(), id=CALENDAR_ID, task_queue="lifecycle"
            )
            yield sky, env.client


def days(scored: list[dt.date]) -> list[int]:
    return [(later - earlier).days for earlier, later in pairwise(scored)]


@pytest.mark.cadence
async def test_every_utc_night_is_scored_once_for_a_season() -> None:
    async with nights() as (sky, _client):
        for _ in range(20):  # a call that lets a whole season pass may take longer than calls may
            await sky.env.sleep(dt.timedelta(days=5))
        assert len(sky.scored) in {101, 102}
        assert set(days(sky.scored)) == {1}


@pytest.mark.cadence
async def test_compressed_nights_follow_each_other_without_gap_or_repeat() -> None:
    async with nights(rate=86400 / 4) as (sky, _client):
        for _ in range(6):
            await sky.env.sleep(dt.timedelta(seconds=40))
        assert len(sky.scored) >= 55
        assert len(set(sky.scored)) == len(sky.scored)


@pytest.mark.cadence
async def test_when_the_clock_jumps_over_days_only_the_newest_is_scored() -> None:
    async with nights() as (sky, client):
        await sky.env.sleep(dt.timedelta(days=2))
        before = len(sky.scored)
        sky.jumped = dt.timedelta(days=30)
        await client.get_workflow_handle(CALENDAR_ID).signal("ring")
        await sky.env.sleep(dt.timedelta(minutes=1))
        assert len(sky.scored) == before + 1
        assert days(sky.scored)[-1] >= 29


@pytest.mark.cadence
async def test_a_night_that_fails_for_good_does_not_end_the_calendar() -> None:
    async with nights() as (sky, _client):
        today = (await sky.now()).date()
        sky.fails_on = frozenset({today, today + dt.timedelta(days=1)})
        await sky.env.sleep(dt.timedelta(days=4))
        assert len(sky.scored) >= 4


@pytest.mark.devserver
async def test_a_night_scores_every_customer_in_parts_and_answers_how_far_it_is(database: Database) -> None:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        for _ in range(5):
            await portfolio.customer()
        await portfolio.customer(status="churned")
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=dev_server(), data_converter=pydantic_data_converter
    ) as env:
        scoring = ScoringActivities(database, FixedClock(), CatBoostModelReader(), NumpyStatistician())
        worker = Worker(
            env.client,
            task_queue="scoring",
            workflows=[PortfolioScoringWorkflow],
            activities=[scoring.plan_shards, scoring.score_shard, scoring.finish_scoring],
            workflow_runner=sandbox(),
        )
        async with worker:
            handle = await start(env.client)
            total = await handle.result()
            assert (total.scored, total.assessments, total.notices) == (5, 5, 0)
            progress = await handle.query(PortfolioScoringWorkflow.progress)
            assert (progress.shards, progress.done, progress.total.scored) == (1, 1, 5)
            with pytest.raises(WorkflowAlreadyStartedError):
                await start(env.client)


async def start(client: Client) -> WorkflowHandle[PortfolioScoringWorkflow, ScoreShardResult]:
    return await client.start_workflow(
        PortfolioScoringWorkflow.run,
        PlanShardsInput(NOW.date()),
        id=workflow_id(NOW.date()),
        task_queue="scoring",
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
    )
