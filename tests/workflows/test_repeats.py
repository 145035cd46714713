"""An activity that was carried out and never reported is asked for again: it returns what it stored."""

from collections.abc import AsyncIterator

import pytest
from temporalio.api.enums.v1 import EventType

from domain.vocabulary import RiskTier, SignalKind
from models.playbooks import load_library
from models.tables.playbooks import LifecycleRow
from tests.support.devserver import DevServer
from tests.support.loop import LIBRARY
from tests.support.scenario import Scenario
from tests.support.simulators import until_true
from tests.workflows.kills import MONDAY_AT_TEN, PATIENCE, Site
from tests.workflows.sites import running_site

pytestmark = [pytest.mark.devserver, pytest.mark.timeout(240)]


@pytest.fixture
async def site(postgres_url: str, migrated_template: str, temporal_server: DevServer) -> AsyncIterator[Site]:
    async with running_site(postgres_url, migrated_template, temporal_server) as running:
        async with running.database.transaction() as session:
            await load_library(session, LIBRARY, MONDAY_AT_TEN)
        await running.begin()
        yield running


async def test_a_worker_killed_after_a_decision_and_after_an_advance_repeats_neither(site: Site) -> None:
    scene = await Scenario(site.database, MONDAY_AT_TEN).begin()
    await scene.open_signal(SignalKind.USAGE_DROP)
    await scene.set_tier(RiskTier.HIGH)
    assert await site.ring() == 1
    with site.worker("after_decide") as doomed:
        assert await doomed.reached() == ["1"]
        doomed.kill()
    (before,) = await scene.rows(LifecycleRow)
    with site.worker("after_advance") as doomed:
        assert await doomed.reached() == ["1"]
        doomed.kill()
    (run,) = await scene.runs()
    assert run.advance_seq == 1
    with site.worker():
        await until_true(lambda: _is_asleep(site, run.id), PATIENCE)
    (after,) = await scene.rows(LifecycleRow)
    assert (after.decide_seq, after.last_result) == (1, before.last_result)
    assert [row.advance_seq for row in await scene.runs()] == [1]
    titles = [one.title for one in await scene.heads_ups()]
    assert len(titles) == len(set(titles))
    assert [(step.step_id, step.occurrence) for step in await scene.steps()] == [
        ("tell-owner", 1),
        ("breathe", 1),
    ]
    assert [one.action for one in await scene.decisions()].count("start_run") == 1


async def _is_asleep(site: Site, run_id: object) -> bool:
    """Whether the run's workflow waits for its timer: its first advance was reported at last."""
    handle = site.client.get_workflow_handle(f"intervention/{run_id}")
    kinds = [event.event_type async for event in handle.fetch_history_events()]
    return EventType.EVENT_TYPE_TIMER_STARTED in kinds
