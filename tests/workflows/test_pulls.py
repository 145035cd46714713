"""PullWorkflow on the dev server, with workers that are killed while they read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from integrations.simulators.hubspot.account import SimulatedHubSpot
from integrations.simulators.providers import ReadFault, ReadFaultRule
from integrations.simulators.sample_accounts import sample_companies
from models.clock import wall_now
from models.connections import get_listed, load_connection, pause_connection
from models.database import Database
from tests.support.binaries import dev_server
from tests.support.forked import ForkedProcess, forked
from tests.support.pull_worker import work
from tests.support.pulls import CIPHER, SMALL, Providers, connect, soon, value
from tests.support.simulators import running_simulators, until_true
from workers.pull_keeper import keep_pulls, start_pull

pytestmark = [pytest.mark.devserver, pytest.mark.timeout(300)]

CUSTOMERS, PATIENCE = 4, 120.0
PASS_DONE = "SELECT count(*) FROM pull_runs WHERE stream = 'notes' AND state = 'done'"


@pytest.fixture
def providers() -> Providers:
    return Providers(
        hubspot=SimulatedHubSpot(sample_companies(customers=CUSTOMERS, leads=1), page_size=SMALL)
    )


@pytest.fixture
async def url(providers: Providers, tmp_path: Path) -> AsyncIterator[str]:
    async with running_simulators(providers.options(tmp_path)) as address:
        yield address


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=dev_server(), data_converter=pydantic_data_converter
    ) as env:
        yield env.client


def worker(database: Database, client: Client) -> AbstractContextManager[ForkedProcess]:
    """A worker in its own process, killed without warning at the end."""
    return forked(work, database.url, client.service_client.config.target_host)


async def until_value(database: Database, query: str, least: int) -> None:
    async def holds() -> bool:
        return int(await value(database, query) or 0) >= least

    await until_true(holds, PATIENCE)


async def test_a_pull_goes_on_after_the_kill_of_its_worker_and_counts_nothing_twice(
    database: Database, client: Client, url: str, providers: Providers
) -> None:
    await connect(database, "hubspot", url, customers=True)
    slow = ReadFaultRule(ReadFault.SLOW, times=10_000, path="/crm/v3/objects", seconds=0.3)
    providers.simulations["hubspot"].faults = [slow]
    with worker(database, client):
        assert await start_pull(client, "hubspot", "pull_now")
        await until_value(database, "SELECT count(*) FROM contacts", 3)
    amid = int(await value(database, "SELECT count(*) FROM contacts"))
    assert amid < 3 * CUSTOMERS
    slow.times = 0
    with worker(database, client):
        await until_value(database, PASS_DONE, 1)
        assert await value(database, "SELECT count(*) FROM contacts") == 3 * CUSTOMERS
        assert await value(database, "SELECT count(*) FROM touchpoints") == 6 * CUSTOMERS
        assert (
            await value(database, "SELECT sum(stored) FROM pull_runs WHERE stream = 'contacts'")
            == 3 * CUSTOMERS
        )
        assert await start_pull(client, "hubspot", "pull_now")
        await until_value(database, PASS_DONE, 2)
    assert (
        await value(database, "SELECT sum(stored) FROM pull_runs WHERE stream = 'contacts'") == 3 * CUSTOMERS
    )
    assert await value(database, "SELECT count(*) FROM quarantined_rows") == 0


async def test_a_connection_is_started_paused_resumed_and_told_what_is_wrong(
    database: Database, client: Client, url: str, providers: Providers
) -> None:
    keeper = asyncio.create_task(keep_pulls(client, database))
    try:
        with worker(database, client):
            await connect(database, "hubspot", url, customers=True, every=5.0)
            await until_value(database, PASS_DONE, 2)
            async with database.transaction() as session:
                await pause_connection(session, "hubspot", wall_now())
            await until_value(database, "SELECT count(*) FROM pull_runs WHERE state = 'running'", 0)
            providers.simulations["hubspot"].faults = [ReadFaultRule(ReadFault.UNAUTHORIZED, times=10_000)]
            async with database.transaction() as session:
                await pause_connection(session, "hubspot", None)

            async def is_told() -> bool:
                async with database.transaction() as session:
                    return "not accepted" in ((await get_listed(session, "hubspot")).problem or "")

            await until_true(is_told, PATIENCE)
            providers.simulations["hubspot"].faults.clear()
            providers.hubspot.change("companies", "1001", soon(), name="Renamed")
            await until_value(database, "SELECT count(*) FROM customers WHERE name = 'Renamed'", 1)
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
    assert "simulator" not in repr(await _loaded(database))


async def _loaded(database: Database) -> object:
    async with database.transaction() as session:
        return await load_connection(session, "hubspot", CIPHER)
