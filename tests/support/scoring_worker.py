"""A worker for a night's scoring, in a process that a test may kill in the middle of a transaction."""

import asyncio
import time
from dataclasses import dataclass

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.scoring import ScoringActivities
from domain.ports import Clock
from domain.time import BusinessInstant, WallInstant
from ml.adapters import CatBoostModelReader, NumpyStatistician
from models.database import Database
from tests.support.forked import Told
from tests.support.portfolio import FixedClock
from workers.main import sandbox
from workflows.scoring import PortfolioScoringWorkflow

SHARD, BATCH = 40, 10
"""Customers per part and per transaction: small, so that a few hundred make many of both."""
NEVER = 0


@dataclass
class StoppingClock(Clock):
    """A clock at which the process stops for good, the `stops_at`th time that it is asked for the wall.

    A batch asks once, after it has written everything but its notices: it stops with open transactions.
    """

    told: Told
    stops_at: int
    asked: int = 0

    def wall_now(self) -> WallInstant:
        self.asked += 1
        if self.asked == self.stops_at:
            self.told.send("stopped")
            while True:
                time.sleep(60)
        return FixedClock().wall_now()

    def now(self) -> BusinessInstant:
        return FixedClock().now()

    def wall_at(self, due: BusinessInstant) -> WallInstant:
        return FixedClock().wall_at(due)

    def business_at(self, wall: WallInstant) -> BusinessInstant:
        return FixedClock().business_at(wall)


async def work(told: Told, database_url: str, address: str, stops_at: int = NEVER) -> None:
    """Serve the queue of scorings until killed."""
    clock = StoppingClock(told, stops_at)
    database, reader = Database(database_url), CatBoostModelReader()
    scoring = ScoringActivities(database, clock, reader, NumpyStatistician(), shard=SHARD, batch=BATCH)
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    worker = Worker(
        client,
        task_queue="scoring",
        workflows=[PortfolioScoringWorkflow],
        activities=[scoring.plan_shards, scoring.score_shard, scoring.finish_scoring],
        workflow_runner=sandbox(),
    )
    async with worker:
        await asyncio.Event().wait()
