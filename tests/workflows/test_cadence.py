"""Whole interventions on the time-skipping server, with real Postgres: months in seconds."""

import datetime as dt

import pytest

from domain.vocabulary import InterventionState, Outcome, RiskTier, SignalKind, StepState, TaskState
from tests.support.loop import Loop
from tests.support.scenario import Scenario

pytestmark = pytest.mark.cadence


async def test_a_high_risk_opens_the_playbook_of_its_main_driver_and_writes_to_the_champion(
    loop: Loop, scene: Scenario
) -> None:
    await scene.open_signal(SignalKind.USAGE_DROP)
    await scene.set_tier(RiskTier.HIGH)
    await loop.ring()
    await loop.pass_time(dt.timedelta(days=8))
    run = (await scene.runs())[0]
    assert (run.playbook_key, run.state) == ("low-engagement", InterventionState.RUNNING)
    assert [message.to.email for message in loop.sender.accepted] == ["ann@acme.example"]
    assert {(step.step_id, step.state) for step in await scene.steps()} >= {
        ("tell-owner", StepState.DONE),
        ("breathe", StepState.DONE),
        ("check-in", StepState.DONE),
    }


async def test_a_customer_who_comes_back_on_the_day_before_the_email_is_left_alone(
    loop: Loop, scene: Scenario
) -> None:
    await scene.open_signal(SignalKind.USAGE_DROP)
    await scene.set_tier(RiskTier.HIGH)
    await loop.ring()
    await loop.pass_time(dt.timedelta(days=1))
    await scene.resolve_signal(SignalKind.USAGE_DROP, loop.clock.now())
    await loop.ring()
    await loop.pass_time(dt.timedelta(days=10))
    run = (await scene.runs())[0]
    assert (run.state, run.outcome) == (InterventionState.ENDED, Outcome.SAVED)
    assert run.receipt is not None
    assert "check-in" in run.receipt["cancelled_steps"]
    assert loop.sender.accepted == []


async def test_nobody_answering_ends_in_a_task_for_the_owner_and_no_change(
    loop: Loop, scene: Scenario
) -> None:
    await scene.open_signal(SignalKind.USAGE_DROP)
    await scene.set_tier(RiskTier.HIGH)
    await loop.ring()
    await loop.pass_time(dt.timedelta(days=40))
    run = (await scene.runs())[0]
    assert (run.state, run.outcome) == (InterventionState.ENDED, Outcome.NO_CHANGE)
    call = next(task for task in await scene.tasks() if task.effect_key.endswith("call/1/task"))
    assert call.state is TaskState.CANCELLED
    assert len(loop.sender.accepted) <= 3
