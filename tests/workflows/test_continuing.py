"""Long lives on the dev server: continuing as new loses nothing, and lists can be asked."""

import datetime as dt
from collections.abc import AsyncIterator

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain.vocabulary import NoticeKind, RiskTier, SignalKind
from models.playbooks import load_library
from models.tables.playbooks import LifecycleRow
from tests.support.devserver import DevServer
from tests.support.loop import LIBRARY
from tests.support.runs import start_run
from tests.support.scenario import Scenario
from tests.support.simulators import until_true
from tests.workflows.kills import MONDAY_AT_TEN, PATIENCE, Site, heard
from tests.workflows.sites import running_site
from workflows.lifecycle import CustomerLifecycleWorkflow

pytestmark = [pytest.mark.devserver, pytest.mark.timeout(240)]
ENOUGH = 16
"""Decisions, each some six events long, after which this server has suggested to continue as new twice."""


@pytest.fixture
async def site(postgres_url: str, migrated_template: str, temporal_server: DevServer) -> AsyncIterator[Site]:
    async with running_site(postgres_url, migrated_template, temporal_server) as running:
        async with running.database.transaction() as session:
            await load_library(session, LIBRARY, MONDAY_AT_TEN)
        await running.begin()
        with running.worker():
            yield running


async def lives(site: Site, workflow_id: str) -> list[WorkflowExecutionStatus | None]:
    """The status of each execution of one workflow, as lists see them."""
    query = f"WorkflowId = '{workflow_id}'"
    return [one.status async for one in site.client.list_workflows(query)]


async def test_a_customers_workflow_continues_as_new_and_loses_no_ring_and_no_run(site: Site) -> None:
    scene = await Scenario(site.database, MONDAY_AT_TEN).begin()
    await scene.open_signal(SignalKind.USAGE_DROP)
    await scene.set_tier(RiskTier.HIGH)
    await heard(site, scene)
    (run,) = await scene.runs()
    for _ in range(ENOUGH):
        await scene.tell(NoticeKind.CUSTOMER_CHANGED, {})
        await heard(site, scene)
    customer = f"customer/{scene.customer_id}"

    async def has_continued() -> bool:
        statuses = await lives(site, customer)
        return statuses.count(WorkflowExecutionStatus.CONTINUED_AS_NEW) >= 2

    await until_true(has_continued, PATIENCE)
    assert (await lives(site, customer)).count(WorkflowExecutionStatus.RUNNING) == 1
    handle = site.client.get_workflow_handle(customer)

    async def is_in_step() -> bool:
        (row,) = await scene.rows(LifecycleRow)
        state = await handle.query(CustomerLifecycleWorkflow.standing)
        return bool(state.seq == row.decide_seq > ENOUGH)

    await until_true(is_in_step, PATIENCE)
    state = await handle.query(CustomerLifecycleWorkflow.standing)
    assert (state.phase, state.risk_tier) == ("high", "high")
    assert [one.id for one in await scene.runs()] == [run.id]
    child = await site.client.get_workflow_handle(f"intervention/{run.id}").describe()
    assert child.status is WorkflowExecutionStatus.RUNNING


async def test_a_renewal_begins_a_new_life_that_keeps_the_phase_and_goes_on_hearing(site: Site) -> None:
    scene = await Scenario(site.database, MONDAY_AT_TEN).begin(renewal_on=dt.date(2026, 9, 1))
    await scene.set_tier(RiskTier.LOW)
    await heard(site, scene)
    customer = f"customer/{scene.customer_id}"
    await scene.change(renewal_on=dt.date(2027, 9, 1))
    await scene.tell(NoticeKind.CUSTOMER_CHANGED, {})
    await heard(site, scene)

    async def has_begun_anew() -> bool:
        return sorted(one.name for one in await lives(site, customer) if one) == [
            "CONTINUED_AS_NEW",
            "RUNNING",
        ]

    await until_true(has_begun_anew, PATIENCE)
    await scene.set_tier(RiskTier.HIGH)
    await heard(site, scene)
    handle = site.client.get_workflow_handle(customer)

    async def is_high() -> bool:
        return bool((await handle.query(CustomerLifecycleWorkflow.standing)).phase == "high")

    await until_true(is_high, PATIENCE)
    assert len(await lives(site, customer)) == 2, "one renewal begins one new life"


async def test_workflows_are_listed_by_customer_phase_risk_and_motion(site: Site) -> None:
    scene = await Scenario(site.database, MONDAY_AT_TEN).begin()
    await scene.open_signal(SignalKind.USAGE_DROP)
    await scene.set_tier(RiskTier.HIGH)
    await heard(site, scene)
    (run,) = await scene.runs()
    mine = f"CustomerId = '{scene.customer_id}'"

    async def found(query: str) -> set[str]:
        return {one.id async for one in site.client.list_workflows(query)}

    async def are_listed() -> bool:
        return len(await found(mine)) == 2 and bool(await found("RiskTier = 'high'"))

    await until_true(are_listed, PATIENCE)
    customer, intervention = f"customer/{scene.customer_id}", f"intervention/{run.id}"
    assert await found(mine) == {customer, intervention}
    assert await found("RiskTier = 'high' AND Phase = 'high'") == {customer}
    assert await found("Motion = 'retention'") == {intervention}


async def test_a_run_that_is_started_twice_is_one(site: Site) -> None:
    scene = await Scenario(site.database, MONDAY_AT_TEN).begin()
    await scene.open_signal(SignalKind.USAGE_DROP)
    await scene.set_tier(RiskTier.HIGH)
    await heard(site, scene)
    (run,) = await scene.runs()

    async def is_started() -> bool:
        return bool(await scene.steps())

    await until_true(is_started, PATIENCE)
    customer = f"customer/{scene.customer_id}"
    await site.client.get_workflow_handle(customer).terminate("a test: the customer's workflow is lost")
    await scene.tell(NoticeKind.CUSTOMER_CHANGED, {})
    await heard(site, scene)
    assert len(await lives(site, customer)) == 2
    assert [one.id for one in await scene.runs()] == [run.id]
    assert len(await lives(site, f"intervention/{run.id}")) == 1
    with pytest.raises(WorkflowAlreadyStartedError):
        await start_run(site.client, run.id)
