"""Uploads on the dev server: the keeper starts their imports, takes them back and ends workflows."""

import asyncio
import datetime as dt
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar.datastructures import UploadFile
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.contracts import LifecycleState
from activities.imports import ImportActivities
from activities.scoring import ScoringActivities
from api.uploads import UploadDesk
from domain.mapping_draft import Choices
from integrations.tabular import FileReader
from ml.adapters import CatBoostModelReader, NumpyStatistician
from models.clock import open_clock, wall_now
from models.customer_standing import customers_of
from models.database import Database
from models.uploads import DONE, UNDONE, load_upload
from tests.support.binaries import dev_server
from tests.support.uploads import CUSTOMERS
from tests.support.web import web_settings
from workers.main import sandbox
from workers.upload_keeper import UploadKeeper
from workflows.imports import ImportWorkflow
from workflows.lifecycle import CustomerLifecycleWorkflow
from workflows.scoring import PortfolioScoringWorkflow

pytestmark = [pytest.mark.devserver, pytest.mark.timeout(300)]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=dev_server(), data_converter=pydantic_data_converter
    ) as env:
        yield env.client


async def test_an_upload_is_started_by_the_keeper_and_its_customers_workflows_end_with_the_undo(
    client: Client, database: Database, database_url: str, tmp_path: Path
) -> None:
    desk = UploadDesk(web_settings(database_url, upload_folder=tmp_path), database)
    clock = await open_clock(database)
    importing, scoring = (
        ImportActivities(database, clock, FileReader()),
        ScoringActivities(database, clock, CatBoostModelReader(), NumpyStatistician()),
    )
    keeper = UploadKeeper(client, database, clock)
    upload = await desk.receive(UploadFile("text/csv", "customers.csv", CUSTOMERS.encode()), None, wall_now())
    assert upload.choices is not None
    await desk.choose(upload.id, Choices.model_validate(upload.choices))
    await desk.start(upload.id, wall_now())
    runner = sandbox()
    workflows = [ImportWorkflow, PortfolioScoringWorkflow]
    async with (
        Worker(client, task_queue="lifecycle", workflows=workflows, workflow_runner=runner),
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
    ):
        await keeper.look()
        assert await state(database, upload.id) in {"importing", DONE}
        await until_state(database, upload.id, DONE)
    async with database.transaction() as session:
        customer = (await customers_of(session, upload.source_id))[0]
    handle = await client.start_workflow(
        CustomerLifecycleWorkflow.run,
        LifecycleState(customer),
        id=f"customer/{customer}",
        task_queue="nobody",
        execution_timeout=dt.timedelta(minutes=5),
    )
    await desk.undo(upload.id)
    await keeper.look()
    assert await state(database, upload.id) == UNDONE
    async with database.transaction() as session:
        undone = await load_upload(session, upload.id)
    assert undone.undo is not None
    assert undone.undo["customers_gone"] == 3
    assert undone.undo["end_workflows"] == []
    assert files_in(tmp_path) == []
    assert (await handle.describe()).status is WorkflowExecutionStatus.TERMINATED


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def state(database: Database, upload_id: uuid.UUID) -> str:
    async with database.transaction() as session:
        return (await load_upload(session, upload_id)).state


async def until_state(database: Database, upload_id: uuid.UUID, wanted: str) -> None:
    deadline = time.monotonic() + 120
    while await state(database, upload_id) != wanted:
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)
