"""A worker for trainings, in a process that a test may kill."""

import asyncio

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.training import TrainingActivities
from ml.adapters import CatBoostLearner
from models.database import Database
from tests.support.learned import QUICK
from tests.support.portfolio import FixedClock
from workers.main import sandbox
from workflows.training import ModelTrainingWorkflow


async def work(_told: object, database_url: str, address: str) -> None:
    """Serve the queue of trainings until killed."""
    training = TrainingActivities(Database(database_url), FixedClock(), CatBoostLearner(QUICK))
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    worker = Worker(
        client,
        task_queue="scoring",
        workflows=[ModelTrainingWorkflow],
        activities=[
            training.plan_training,
            training.gather_samples,
            training.train_model,
            training.judge_model,
        ],
        workflow_runner=sandbox(),
    )
    async with worker:
        await asyncio.Event().wait()
