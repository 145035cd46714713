"""The relay: one ring at a time per customer, none lost, whoever dies on the way."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError

from domain.vocabulary import NoticeKind
from models.clock import open_clock
from models.database import Database
from models.outbox import Notice, put_notices
from models.tables.playbooks import LifecycleRow
from tests.support.devserver import DevServer, running_dev_server
from tests.support.postgres import free_port
from tests.support.simulators import until_true
from tests.workflows.kills import MONDAY_AT_TEN, Site
from tests.workflows.sites import running_site
from workers.relay import Relay

pytestmark = pytest.mark.devserver
A_MOMENT = dt.timedelta(seconds=1)


@pytest.fixture
async def site(postgres_url: str, migrated_template: str, temporal_server: DevServer) -> AsyncIterator[Site]:
    async with running_site(postgres_url, migrated_template, temporal_server) as running:
        await running.begin()
        yield running


async def put(site: Site, customer_id: uuid.UUID, times: int = 1) -> None:
    async with site.database.transaction() as session:
        notice = Notice(customer_id, NoticeKind.CUSTOMER_CHANGED, {}, MONDAY_AT_TEN)
        wall = (await open_clock(site.database)).wall_now()
        await put_notices(session, [notice] * times, wall)


async def rings(client: Client, customer_id: uuid.UUID) -> int:
    """How many rings the customer's workflow has got."""
    handle = client.get_workflow_handle(f"customer/{customer_id}")
    kinds = [event.event_type async for event in handle.fetch_history_events()]
    return kinds.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)


async def until_rung(site: Site) -> None:
    """Let a relay that gives a ring only a moment to be answered ring until it has rung once."""
    relay = Relay(site.database, await open_clock(site.database), site.client, lease=A_MOMENT)

    async def has_rung() -> bool:
        return await relay.ring_all() == 1

    await until_true(has_rung)


async def rung_at(database: Database) -> list[dt.datetime | None]:
    async with database.transaction() as session:
        return list((await session.scalars(select(LifecycleRow.rung_at))).all())


async def test_any_number_of_notices_is_one_ring_until_it_is_answered(site: Site) -> None:
    customer_id = await site.add_customer("acme")
    await put(site, customer_id, times=500)
    assert [await site.ring() for _ in range(3)] == [1, 0, 0]
    await put(site, customer_id)
    assert await site.ring() == 0
    assert await rings(site.client, customer_id) == 1


async def test_a_ring_that_nobody_answered_is_repeated_after_its_lease(site: Site) -> None:
    customer_id = await site.add_customer("acme")
    assert await site.ring() == 1
    await until_rung(site)
    assert await rings(site.client, customer_id) == 2


async def test_a_relay_killed_between_claim_and_ring_loses_none(site: Site) -> None:
    customer_id = await site.add_customer("acme")
    with site.worker("after_claim") as doomed:
        assert await doomed.reached() == [str(customer_id)]
        doomed.kill()
    assert await site.ring() == 0
    with pytest.raises(RPCError, match="not found"):
        await rings(site.client, customer_id)
    await until_rung(site)
    assert await rings(site.client, customer_id) == 1


async def test_rings_wait_while_temporal_is_away_and_are_delivered_when_it_is_back(
    postgres_url: str, migrated_template: str, tmp_path: Path
) -> None:
    port, file = free_port(), str(tmp_path / "temporal.sqlite")
    with running_dev_server(port, file) as server:
        site_of = running_site(postgres_url, migrated_template, server)
        site = await site_of.__aenter__()
        await site.begin()
        first = await site.add_customer("acme")
        assert await site.ring() == 1
    try:
        second = await site.add_customer("brew")
        assert await site.ring() == 0
        assert None in await rung_at(site.database)
        with running_dev_server(port, file):
            assert await site.ring() == 1
            assert [await rings(site.client, one) for one in (first, second)] == [1, 1]
    finally:
        await site_of.__aexit__(None, None, None)
