"""A worker for imports, in a process that a test may kill."""

import asyncio

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities import imports
from activities.scoring import ScoringActivities
from integrations.tabular import FileReader
from ml.adapters import CatBoostModelReader, NumpyStatistician
from models.clock import open_clock
from models.database import Database
from workers.main import sandbox
from workflows.imports import ImportWorkflow
from workflows.scoring import PortfolioScoringWorkflow


async def work(_told: object, database_url: str, address: str, batch_rows: int) -> None:
    """Serve the queues of an import until killed."""
    imports.BATCH_ROWS = batch_rows
    database = Database(database_url)
    clock = await open_clock(database)
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    importing = imports.ImportActivities(database, clock, FileReader())
    scoring = ScoringActivities(database, clock, CatBoostModelReader(), NumpyStatistician())
    runner = sandbox()
    workers = (
        Worker(client, task_queue="lifecycle", workflows=[ImportWorkflow], workflow_runner=runner),
        Worker(
            client,
            task_queue="bulk",
            activities=[importing.plan_import, importing.import_file, importing.finish_import],
        ),
        Worker(
            client,
            task_queue="scoring",
            workflows=[PortfolioScoringWorkflow],
            activities=[scoring.plan_shards, scoring.score_shard, scoring.finish_scoring],
            workflow_runner=runner,
        ),
    )
    async with workers[0], workers[1], workers[2]:
        await asyncio.Event().wait()
