"""A workflow that is ended by hand, or fails, is found by the monitor and mended from what is stored."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import update
from temporalio.client import Client, WorkflowExecutionStatus

from domain.monitoring import Finding, Repair, Trouble, late_since
from domain.vocabulary import InterventionState, Outcome
from models.clock import open_clock
from models.hands import Hand
from models.monitor import load_monitor
from models.repairs import Repaired, RepairOrder, repair_all
from models.tables.playbooks import InterventionRow
from tests.support.devserver import DevServer
from tests.support.runs import one_letter, open_run, start_run
from tests.support.simulators import until_true
from tests.workflows.kills import MONDAY_AT_TEN, PATIENCE, Site
from tests.workflows.sites import running_site
from workers.workflow_keeper import carry_out_orders, look_around

pytestmark = pytest.mark.devserver
REST = {"id": "rest", "wait": {"duration": "7d"}}
THEN = {"id": "then", "wait": {"duration": "7d"}}


@pytest.fixture
async def site(postgres_url: str, migrated_template: str, temporal_server: DevServer) -> AsyncIterator[Site]:
    async with running_site(postgres_url, migrated_template, temporal_server) as running:
        await running.begin()
        yield running


async def a_run(site: Site) -> uuid.UUID:
    customer_id = await site.add_customer("acme")
    document = one_letter(steps=[REST, THEN], goal={"when": "touchpoint", "window": "60d"})
    return await open_run(site.database, document, customer_id, MONDAY_AT_TEN)


async def run_row(site: Site, run_id: uuid.UUID) -> InterventionRow:
    async with site.database.transaction() as session:
        row = await session.get(InterventionRow, run_id)
        assert row is not None
        return row


async def until_at(site: Site, run_id: uuid.UUID, step: str, visit: int = 1) -> None:
    async def is_there() -> bool:
        row = await run_row(site, run_id)
        waits = row.expected_wake_at is not None
        return waits and row.position.get("step") == step and row.position["visits"][step] == visit

    await until_true(is_there, PATIENCE)


async def look(site: Site, client: Client | None = None) -> Sequence[Finding]:
    """Ask Temporal, then look as the page does."""
    clock = await open_clock(site.database)
    await look_around(client or site.client, site.database, clock, 1.0)
    async with site.database.transaction() as session:
        found = await load_monitor(session, late_since(clock.now(), 1.0), clock.wall_now())
    return found.findings


async def repair(site: Site, findings: Sequence[Finding], order: RepairOrder) -> Repaired:
    clock = await open_clock(site.database)
    hand = Hand("Otto Operator", None, clock.now(), clock.wall_now())
    async with site.database.transaction() as session:
        return await repair_all(session, findings, order, hand)


async def test_a_run_whose_workflow_was_terminated_is_found_and_goes_on_where_it_stood(site: Site) -> None:
    run_id = await a_run(site)
    clock = await open_clock(site.database)
    with site.worker():
        await start_run(site.client, run_id)
        await until_at(site, run_id, "rest")
        due = (await run_row(site, run_id)).expected_wake_at
        handle = site.client.get_workflow_handle(f"intervention/{run_id}")
        await handle.terminate("by hand")
        await site.jump(dt.timedelta(hours=3))
        clock = await open_clock(site.database)
        (lost,) = [one for one in await look(site) if one.run_id == run_id]
        assert (lost.trouble, lost.sentence) == (
            Trouble.LOST_WORKFLOW,
            "Its workflow is gone, though it should run: it is terminated.",
        )
        assert (await repair(site, [lost], RepairOrder(Repair.RETRY))).done == (lost.key,)
        assert await carry_out_orders(site.client, site.database, clock) == 1
        assert await carry_out_orders(site.client, site.database, clock) == 0, "an order is carried out once"
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
        assert [one for one in await look(site) if one.run_id == run_id] == []
        assert (await run_row(site, run_id)).expected_wake_at == due, "the wait was not begun anew"
        await repair(site, [lost], RepairOrder(Repair.SKIP))
        await carry_out_orders(site.client, site.database, clock)
        await until_at(site, run_id, "then")


async def test_a_workflow_that_nobody_serves_is_started_anew_without_losing_its_place(site: Site) -> None:
    run_id = await a_run(site)
    with site.worker():
        await start_run(site.client, run_id)
        await until_at(site, run_id, "rest")
        clock = await open_clock(site.database)
        old = (await site.client.get_workflow_handle(f"intervention/{run_id}").describe()).run_id
        row = await run_row(site, run_id)
        finding = Finding(
            Trouble.OVERSLEPT_RUN, str(run_id), row.customer_id, "Acme", "", MONDAY_AT_TEN, run_id=run_id
        )
        await repair(site, [finding], RepairOrder(Repair.RESTART_WORKFLOW))
        await carry_out_orders(site.client, site.database, clock)
        new = (await site.client.get_workflow_handle(f"intervention/{run_id}").describe()).run_id
        assert new != old

        async def has_looked() -> bool:
            return (await run_row(site, run_id)).advance_seq > row.advance_seq

        await until_true(has_looked, PATIENCE)
        assert (await run_row(site, run_id)).position == row.position


async def test_many_are_repaired_at_once_and_one_that_cannot_be_keeps_no_other_from_it(site: Site) -> None:
    run_id, other = await a_run(site), uuid.uuid4()
    row = await run_row(site, run_id)
    findings = [
        Finding(Trouble.OVERSLEPT_RUN, str(one), row.customer_id, "Acme", "", MONDAY_AT_TEN, run_id=one)
        for one in (run_id, other)
    ]
    repaired = await repair(site, findings, RepairOrder(Repair.STOP, Outcome.NO_CHANGE, "nobody is there"))
    assert repaired.done == (f"overslept_run:{run_id}",)
    assert [key for key, _reason in repaired.refused] == [f"overslept_run:{other}"]
    ended = await run_row(site, run_id)
    assert (ended.state, ended.outcome) == (InterventionState.ENDED, Outcome.NO_CHANGE)
    assert ended.outcome_reason == "nobody is there (by Otto Operator)"


async def test_without_temporal_the_monitor_says_so_and_shows_what_the_database_knows(site: Site) -> None:
    await a_run(site)
    early = MONDAY_AT_TEN - dt.timedelta(days=2)
    async with site.database.transaction() as session:
        await session.execute(update(InterventionRow).values(expected_wake_at=early))
    away = await Client.connect(site.address, namespace="gone")
    assert [one.trouble for one in await look(site, away)] == [Trouble.OVERSLEPT_RUN]
    async with site.database.transaction() as session:
        clock = await open_clock(site.database)
        told = (await load_monitor(session, late_since(clock.now(), 1.0), clock.wall_now())).look
    assert told is not None
    assert told.problem
