"""Deadlines that a customer's workflow keeps by itself: silence, renewal, executives."""

import datetime as dt

import pytest

from domain.vocabulary import (
    HealthStatus,
    InterventionState,
    Outcome,
    SignalKind,
    SignalState,
    TaskOutcome,
    TouchTier,
)
from models.tables.scoring import SignalRow
from tests.support.loop import Loop
from tests.support.scenario import Scenario
from tests.support.simulators import until_true
from tests.workflows.conftest import begin

pytestmark = pytest.mark.cadence


@pytest.mark.parametrize(
    ("tier", "days"), [(TouchTier.STRATEGIC, 21), (TouchTier.MANAGED, 30), (TouchTier.TECH_TOUCH, 45)]
)
async def test_silence_is_noticed_when_the_touch_tier_allows_no_more_of_it(
    loop: Loop, tier: TouchTier, days: int
) -> None:
    scene = await begin(loop, tier=tier)
    await loop.live(days - 0.5)
    assert await scene.runs() == []
    await loop.live(1.5)
    (run,) = await scene.runs()
    assert (run.playbook_key, run.state) == ("stay-in-touch", InterventionState.RUNNING)
    tasks = [task.assignee_id for task in await scene.tasks()]
    assert tasks == ([] if tier is TouchTier.TECH_TOUCH else [scene.csm_id])
    await loop.live(3)
    assert len(loop.sender.accepted) == (1 if tier is TouchTier.TECH_TOUCH else 0)


async def test_a_call_that_reached_somebody_ends_the_silence(loop: Loop, scene: Scenario) -> None:
    await loop.live(32)
    await scene.finish("Speak with", TaskOutcome.REACHED, loop.clock.now())
    await loop.live(1)
    (run,) = await scene.runs()
    assert (run.state, run.outcome) == (InterventionState.ENDED, Outcome.SAVED)
    (signal,) = await scene.rows(SignalRow)
    assert (signal.kind, signal.state) == (SignalKind.NO_CONTACT, SignalState.RESOLVED)
    await loop.live(25)
    assert len(await scene.runs()) == 1
    assert loop.sender.accepted == []


async def test_a_call_that_nobody_answered_is_followed_by_the_letter(loop: Loop, scene: Scenario) -> None:
    await loop.live(32)
    await scene.finish("Speak with", TaskOutcome.NO_ANSWER, loop.clock.now())
    await loop.live(8)
    assert [one.categories[0] for one in loop.sender.accepted] == ["stay-in-touch"]
    (run,) = await scene.runs()
    assert run.outcome is not Outcome.SAVED


async def test_sixty_days_before_the_renewal_the_question_is_asked_and_renewing_ends_the_run(
    loop: Loop,
) -> None:
    renewal = (loop.clock.now() + dt.timedelta(days=64)).date()  # too late for the plan of ninety days before
    scene = await begin(loop, renewal_on=renewal)
    await scene.change(health_status=HealthStatus.ENGAGED)
    await loop.live(2.5)
    assert await scene.runs() == []
    await loop.live(3)
    (run,) = await scene.runs()
    assert (run.playbook_key, run.reason) == ("renewal-check-in", f"renewal:{renewal.isoformat()}")
    await loop.live(2)
    assert [one.categories[0] for one in loop.sender.accepted] == ["renewal-check-in"]
    await scene.change(renewal_on=renewal + dt.timedelta(days=365))
    await scene.changed(loop.clock.now())
    await loop.ring()

    async def is_over() -> (
        bool
    ):  # no time may pass: the workflow continues as new, and this server stops its clock
        return (await scene.runs())[0].state is InterventionState.ENDED

    await until_true(is_over)
    assert (await scene.runs())[0].outcome is Outcome.RENEWED


async def test_a_strategic_customer_whose_champion_left_gets_an_executive_and_others_do_not(
    loop: Loop,
) -> None:
    scene = await begin(loop, tier=TouchTier.STRATEGIC)
    await scene.open_signal(SignalKind.CHAMPION_LEFT, loop.clock.now())
    await loop.live(1)
    (run,) = await scene.runs()
    assert run.playbook_key == "executive-check-in"
    (task,) = await scene.tasks()
    assert (task.kind, task.assignee_id) == ("executive", scene.manager_id)
    await loop.live(7)
    assert [one.categories[0] for one in loop.sender.accepted] == ["executive-check-in"]
    await scene.touch(loop.clock.now())
    await loop.live(1)
    assert (await scene.runs())[0].outcome is Outcome.SAVED


async def test_at_a_managed_customer_the_owner_finds_out_who_takes_over(loop: Loop, scene: Scenario) -> None:
    await scene.open_signal(SignalKind.CHAMPION_LEFT, loop.clock.now())
    await loop.live(2)
    (run,) = await scene.runs()
    assert run.playbook_key == "champion-left"
    assert [task.assignee_id for task in await scene.tasks()] == [scene.csm_id]
    assert loop.sender.accepted == []
    assert [one.dedupe_key for one in await scene.heads_ups()] == ["champion_left"]


async def test_what_no_playbook_is_meant_for_is_a_warning_only(loop: Loop, scene: Scenario) -> None:
    await scene.open_signal(SignalKind.LIMIT_PROXIMITY, loop.clock.now())
    await loop.live(2)
    assert await scene.runs() == []
    assert [one.dedupe_key for one in await scene.heads_ups()] == ["limit_proximity"]


@pytest.mark.parametrize("health", [HealthStatus.NEUTRAL, None])
async def test_sixty_days_before_the_renewal_in_less_than_good_health_owner_and_manager_are_alerted(
    loop: Loop, health: HealthStatus | None
) -> None:
    scene = await begin(loop, renewal_on=(loop.clock.now() + dt.timedelta(days=55)).date())
    await scene.change(health_status=health)
    await loop.live(20)
    alerts = [one for one in await scene.heads_ups() if "health is not good" in one.title]
    assert {one.owner_id for one in alerts} == {scene.csm_id, scene.manager_id}
    assert "Speak with Acme about the renewal" in [task.title for task in await scene.tasks()]
