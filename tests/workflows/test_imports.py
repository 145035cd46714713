"""ImportWorkflow on the dev server, with workers that are killed while they read."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.import_orders import ImportOrder, open_import
from integrations.tabular import FileReader
from models.clock import wall_now
from models.database import Database
from models.imports import ImportRun, load_run
from models.mapping_files import load_mapping
from tests.support.binaries import dev_server
from tests.support.forked import ForkedProcess, forked
from tests.support.import_worker import work
from workers.import_report import summary
from workers.import_watch import watch
from workers.imports import ImportFailedError, start_import

pytestmark = [pytest.mark.devserver, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
ROWS = 5_000
BATCH = 200
MAPPING = """
source: {id: shop, name: Shop, provides: [customers, usage]}
files:
  - name: customers
    match: customers.csv
    columns: {id: {}, since: {type: date}}
    facts:
      - {type: customer, fields: {key: id, name: id, known_at: since, started_at: since}}
  - name: usage
    match: usage.csv
    columns: {id: {}, customer: {}, day: {type: date}, count: {type: integer, at_least: 0}}
    facts:
      - type: usage
        fields:
          key: id
          customer: customer
          feature: {constant: orders}
          quantity: count
          occurred_at: day
          known_at: {column: day, at: end_of_day}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(MAPPING)
    (tmp_path / "customers.csv").write_text("id,since\n" + "".join(f"c{n},2024-01-01\n" for n in range(20)))
    usage = (f"u{n},c{n % 20},2024-0{1 + n % 9}-{1 + n % 28:02},{n % 7}\n" for n in range(ROWS))
    (tmp_path / "usage.csv").write_text("id,customer,day,count\n" + "".join(usage) + "bad,c1,someday,1\n")
    return tmp_path


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=dev_server(), data_converter=pydantic_data_converter
    ) as env:
        yield env.client


def worker(database: Database, client: Client) -> AbstractContextManager[ForkedProcess]:
    """A worker in its own process, killed without warning at the end."""
    return forked(work, database.url, client.service_client.config.target_host, BATCH)


class Silent:
    def show(self, run: ImportRun) -> None:
        """Show nothing."""


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)


async def load(database: Database, run_id: uuid.UUID) -> ImportRun:
    async with database.transaction() as session:
        return await load_run(session, run_id)


async def one(database: Database, query: str) -> Any:
    async with database.transaction() as session:
        return await session.scalar(text(query))


async def test_an_import_survives_the_kill_of_its_worker_and_then_everyone_is_scored(
    database: Database, folder: Path, client: Client
) -> None:
    order = ImportOrder("shop", load_mapping(str(folder / "shop.yaml")), folder)
    opened = await open_import(database, FileReader(), order, wall_now())

    async def is_amid() -> bool:
        return (await load(database, opened.id)).total("rows_read") > 5 * BATCH

    with worker(database, client):
        await start_import(client, opened.id)
        await until(is_amid)
    amid = await load(database, opened.id)
    assert amid.total("rows_read") < ROWS
    again = await open_import(database, FileReader(), order, wall_now())
    assert (again.id, again.is_resumed) == (opened.id, True)
    with worker(database, client):
        await start_import(client, again.id)
        run = await watch(database, client, again.id, Silent())

        async def is_scored() -> bool:
            return bool(
                await one(database, "SELECT count(*) = 20 FROM customers WHERE health_score IS NOT NULL")
            )

        await until(is_scored)
    told = summary(run)
    assert (told["rows_read"], told["stored"], told["duplicates"]) == (ROWS + 21, ROWS + 20, 0)
    assert told["quarantined"] == 1
    assert await one(database, "SELECT sum(events) FROM usage_daily") == ROWS
    assert await one(database, "SELECT sum(quantity) FROM usage_events") == sum(n % 7 for n in range(ROWS))


async def test_an_import_that_cannot_go_on_ends_with_its_reason(
    database: Database, folder: Path, client: Client
) -> None:
    order = ImportOrder("shop", load_mapping(str(folder / "shop.yaml")), folder)
    opened = await open_import(database, FileReader(), order, wall_now())
    (folder / "usage.csv").unlink()
    with worker(database, client):
        await start_import(client, opened.id)
        with pytest.raises(ImportFailedError, match=r"there is no file usage\.csv"):
            await watch(database, client, opened.id, Silent())
