"""A worker for pulls, in a process that a test may kill."""

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from models.database import Database
from tests.support.pulls import activities_of
from workers.main import sandbox
from workflows.pulls import PullWorkflow


async def work(_told: object, database_url: str, address: str) -> None:
    """Serve the queues of a pull until killed."""
    pulls = await activities_of(Database(database_url))
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    lifecycle = Worker(client, task_queue="lifecycle", workflows=[PullWorkflow], workflow_runner=sandbox())
    activities: list[Callable[..., Any]] = [pulls.plan_pull, pulls.pull_stream, pulls.finish_pull]
    async with lifecycle, Worker(client, task_queue="bulk", activities=activities):
        await asyncio.Event().wait()
