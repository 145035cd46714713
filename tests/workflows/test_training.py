"""ModelTrainingWorkflow on the dev server, with a worker that is killed while it gathers."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import func, select
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.contracts_scoring import FinishScoringInput, ScoreShardResult
from activities.contracts_training import JudgeModelResult, TrainingInput
from activities.scoring import ScoringActivities
from domain.trained_model import ModelState, ModelTarget
from ml.adapters import CatBoostModelReader, NumpyStatistician
from models.database import Database
from models.model_registry import list_models
from models.tables.trained import TrainingPartRow
from models.trainings import kept_dates, load_training
from tests.support.binaries import dev_server
from tests.support.forked import ForkedProcess, forked
from tests.support.learned import add_portfolio
from tests.support.portfolio import NOW, FixedClock
from tests.support.simulators import until_true
from tests.support.training_worker import work
from workflows.training import ModelTrainingWorkflow

pytestmark = [pytest.mark.devserver, pytest.mark.timeout(600)]
REQUEST = TrainingInput(ModelTarget.CHURN, NOW.date())
PATIENCE = 240.0


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=dev_server(), data_converter=pydantic_data_converter
    ) as env:
        yield env.client


def worker(database: Database, client: Client) -> AbstractContextManager[ForkedProcess]:
    """A worker in its own process, killed without warning at the end."""
    return forked(work, database.url, client.service_client.config.target_host)


async def start(client: Client) -> WorkflowHandle[ModelTrainingWorkflow, JudgeModelResult]:
    return await client.start_workflow(
        ModelTrainingWorkflow.run,
        REQUEST,
        id=f"train/{REQUEST.key}",
        task_queue="scoring",
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
    )


async def test_a_training_goes_on_after_the_kill_of_its_worker(database: Database, client: Client) -> None:
    await add_portfolio(database)
    with worker(database, client):
        handle = await start(client)
        await until_true(lambda: has_parts(database, 4), PATIENCE)
    async with database.transaction() as session:
        query = select(TrainingPartRow.as_of, func.md5(TrainingPartRow.content))
        before = {row.as_of: row[1] for row in await session.execute(query)}
    with worker(database, client):
        result = await handle.result()
    async with database.transaction() as session:
        training, models = await load_training(session, REQUEST.key), await list_models(session)
        assert await kept_dates(session, REQUEST.key) == {}
    assert len(before) >= 4
    assert result.state in {ModelState.SHADOW, ModelState.REJECTED}
    assert [(one["name"], one["state"]) for one in models] == [("churn-2026-06-15-1", result.state)]
    assert training.outcome is not None
    with pytest.raises(WorkflowAlreadyStartedError):
        await start(client)


async def has_parts(database: Database, least: int) -> bool:
    async with database.transaction() as session:
        return len(await kept_dates(session, REQUEST.key)) >= least


async def test_the_end_of_a_night_starts_what_is_due_once(database: Database, client: Client) -> None:
    await add_portfolio(database)
    scoring = ScoringActivities(database, FixedClock(), CatBoostModelReader(), NumpyStatistician())
    environment = ActivityEnvironment(client=client)
    for _ in range(2):
        night = FinishScoringInput(NOW.date(), ScoreShardResult())
        await environment.run(scoring.finish_scoring, night)
    found = await client.get_workflow_handle(f"train/{REQUEST.key}").describe()
    assert found.workflow_type == "ModelTrainingWorkflow"
