"""The life of a training for the replay corpus, with activities that only answer."""

import datetime as dt
from collections.abc import AsyncIterator

from temporalio import activity
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.contracts_training import (
    GatherSamplesInput,
    GatherSamplesResult,
    JudgeModelResult,
    PlanTrainingResult,
    TrainingContract,
    TrainingInput,
    TrainModelInput,
    TrainModelResult,
)
from domain.trained_model import ModelState, ModelTarget
from models.database import Database
from tests.replay.recording import Recorded, record
from tests.support.binaries import time_skipping_server
from workers.main import sandbox
from workflows.training import ModelTrainingWorkflow

DATES = (dt.date(2026, 1, 1), dt.date(2026, 2, 1))


class Answers(TrainingContract):
    """Enough of churn to learn from; of expansion too little to gather, of unpaid invoices to learn."""

    @activity.defn(name="plan_training")
    async def plan_training(self, request: TrainingInput) -> PlanTrainingResult:
        return PlanTrainingResult(() if request.target is ModelTarget.EXPANSION else DATES)

    @activity.defn(name="gather_samples")
    async def gather_samples(self, request: GatherSamplesInput) -> GatherSamplesResult:
        return GatherSamplesResult(len(request.dates), 100)

    @activity.defn(name="train_model")
    async def train_model(self, request: TrainModelInput) -> TrainModelResult:
        return TrainModelResult("churn-2026-03-01-1" if request.key.startswith("churn") else None)

    @activity.defn(name="judge_model")
    async def judge_model(self, _request: TrainModelInput) -> JudgeModelResult:
        return JudgeModelResult(ModelState.SHADOW)


async def trainings(_database: Database) -> AsyncIterator[Recorded]:
    """A training to its end, one that finds too little to gather, and one that finds too little to learn."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=time_skipping_server(),
        data_converter=pydantic_data_converter,
        identity="everstay",
    ) as env:
        answers = Answers()
        worker = Worker(
            env.client,
            task_queue="scoring",
            workflows=[ModelTrainingWorkflow],
            activities=[
                answers.plan_training,
                answers.gather_samples,
                answers.train_model,
                answers.judge_model,
            ],
            workflow_runner=sandbox(),
        )
        async with worker:
            yield await _recorded(env.client, "training-to-its-end", ModelTarget.CHURN)
            yield await _recorded(env.client, "training-with-too-little-to-gather", ModelTarget.EXPANSION)
            yield await _recorded(env.client, "training-with-too-little-to-learn", ModelTarget.INVOLUNTARY)


async def _recorded(client: Client, name: str, target: ModelTarget) -> Recorded:
    request = TrainingInput(target, dt.date(2026, 3, 1))
    workflow_id = f"train/{request.key}"
    await client.execute_workflow(ModelTrainingWorkflow.run, request, id=workflow_id, task_queue="scoring")
    return await record(client, name, workflow_id)
