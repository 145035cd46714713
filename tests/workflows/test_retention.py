"""What a rising or falling risk sets off, and what ends it."""

import datetime as dt

import pytest

from domain.vocabulary import (
    CustomerStatus,
    DecisionKind,
    InterventionState,
    NoticeKind,
    Outcome,
    RiskTier,
    SignalKind,
    StepState,
    TaskOutcome,
    TaskState,
)
from tests.support.loop import Loop
from tests.support.scenario import Scenario

pytestmark = pytest.mark.cadence

HOUR = dt.timedelta(hours=1)


async def frustrate(loop: Loop, scene: Scenario) -> None:
    await scene.open_signal(SignalKind.TICKET_OVERDUE, loop.clock.now())
    await scene.set_tier(RiskTier.HIGH, "support", loop.clock.now())
    await loop.ring()
    await loop.pass_time(HOUR)


async def steps_of(scene: Scenario) -> dict[str, tuple[StepState, str | None]]:
    return {step.step_id: (step.state, step.reason) for step in await scene.steps()}


async def test_support_frustration_puts_the_case_before_a_person_then_apologises_and_escalates(
    loop: Loop, scene: Scenario
) -> None:
    await frustrate(loop, scene)
    (task,) = await scene.tasks()
    assert (task.kind, task.assignee_id, task.state) == ("review", scene.csm_id, TaskState.OPEN)
    assert loop.sender.accepted == []
    await scene.finish("Take the open tickets", TaskOutcome.RESOLVED, loop.clock.now())
    await loop.ring()
    await loop.live(0.5)
    assert [one.categories[0] for one in loop.sender.accepted] == ["support-frustration"]
    await loop.live(9)
    escalation = next(one for one in await scene.heads_ups() if "still open" in one.title)
    assert escalation.owner_id == scene.manager_id
    assert len(loop.sender.accepted) == 1, "nobody is asked whether it is solved while it is not"
    await loop.live(30)
    (run,) = [one for one in await scene.runs() if one.playbook_key == "support-frustration"]
    assert (run.state, run.outcome) == (InterventionState.ENDED, Outcome.NO_CHANGE)


async def test_a_reply_takes_the_other_branch_and_stops_the_reminders(loop: Loop, scene: Scenario) -> None:
    await scene.open_signal(SignalKind.USAGE_DROP, loop.clock.now())
    await scene.set_tier(RiskTier.HIGH, now=loop.clock.now())
    await loop.ring()
    await loop.live(3)
    assert len(loop.sender.accepted) == 1
    await scene.touch(loop.clock.now(), "reply", direction="in", channel="email", contact="ann")
    await loop.ring()
    await loop.live(1)
    found = await steps_of(scene)
    assert found["wait-for-reply"] == (StepState.DONE, "reply")
    assert "is-owned" not in found
    assert any("Answer" in task.title for task in await scene.tasks())
    await loop.live(8)
    assert len(loop.sender.accepted) == 1


async def test_a_critical_risk_replaces_what_runs_and_says_what_it_cancelled(
    loop: Loop, scene: Scenario
) -> None:
    await frustrate(loop, scene)
    await scene.set_tier(RiskTier.CRITICAL, "support", loop.clock.now())
    await loop.ring()
    await loop.pass_time(HOUR)
    old, new = await scene.runs()
    assert (old.playbook_key, old.outcome) == ("support-frustration", Outcome.REPLACED)
    assert old.receipt is not None
    assert old.receipt["cancelled_tasks"] == ["Take the open tickets of Acme in hand"]
    assert (new.playbook_key, new.state) == ("escalated-save", InterventionState.RUNNING)
    open_tasks = [task for task in await scene.tasks() if task.state is TaskState.OPEN]
    assert {task.assignee_id for task in open_tasks} == {scene.csm_id, scene.manager_id}
    handle = loop.client.get_workflow_handle(f"intervention/{old.id}")
    assert await handle.result() == "replaced"
    await loop.live(2)
    assert {one.categories[0] for one in loop.sender.accepted} == {"escalated-save"}


async def test_a_customer_who_leaves_ends_everything_that_was_planned(loop: Loop, scene: Scenario) -> None:
    await frustrate(loop, scene)
    await scene.change(status=CustomerStatus.CHURNED)
    await scene.tell(NoticeKind.CUSTOMER_CHURNED, {}, loop.clock.now())
    await loop.ring()
    await loop.pass_time(HOUR)
    (run,) = await scene.runs()
    assert run.outcome is Outcome.CHURNED
    assert {task.state for task in await scene.tasks()} == {TaskState.CANCELLED}
    assert {one.state.value for one in await scene.heads_ups()} == {"closed"}
    await loop.live(60)
    assert len(await scene.runs()) == 1
    assert loop.sender.accepted == []


async def test_medium_risk_is_watched_with_one_warning_until_it_is_low_again(
    loop: Loop, scene: Scenario
) -> None:
    await scene.set_tier(RiskTier.MEDIUM, now=loop.clock.now())
    await loop.ring()
    await loop.decided(scene.customer_id)
    assert await scene.runs() == []
    (warning,) = await scene.heads_ups()
    assert (warning.dedupe_key, warning.state.value) == ("watchlist", "open")
    await scene.set_tier(RiskTier.LOW, now=loop.clock.now())
    await loop.ring()
    await loop.decided(scene.customer_id)
    (warning,) = await scene.heads_ups()
    assert warning.state.value == "closed"
    said = [one.action for one in await scene.decisions() if "watchlist" in one.action]
    assert said == ["watchlist_on", "watchlist_off"]


async def test_a_signal_that_flickers_twenty_times_a_day_destroys_no_run(loop: Loop, scene: Scenario) -> None:
    await scene.open_signal(SignalKind.USAGE_DROP, loop.clock.now())
    await scene.set_tier(RiskTier.HIGH, now=loop.clock.now())
    await loop.ring()
    await loop.pass_time(HOUR)
    for _ in range(20):
        await scene.resolve_signal(SignalKind.USAGE_DROP, loop.clock.now())
        await loop.ring()
        await loop.pass_time(dt.timedelta(minutes=36))
        await scene.open_signal(SignalKind.USAGE_DROP, loop.clock.now())
        await loop.ring()
        await loop.pass_time(dt.timedelta(minutes=36))
    (run,) = await scene.runs()
    assert run.state is InterventionState.RUNNING
    assert loop.sender.accepted == []
    started = [
        one
        for one in await scene.decisions()
        if one.action == "start_run" and one.kind is DecisionKind.DIRECTIVE
    ]
    assert len(started) == 1
    assert [one.dedupe_key for one in await scene.heads_ups()].count(SignalKind.USAGE_DROP.value) == 1
    told = [one.subject for one in await scene.decisions() if one.action == "heads_up"]
    assert told.count(SignalKind.USAGE_DROP.value) == 1
    await loop.live(3)
    assert len(loop.sender.accepted) == 1
