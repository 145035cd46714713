"""Waits and what interrupts them: exits told weeks late, events nobody could wait for, silent endings."""

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from domain.facts import UsageFact
from domain.playbook import Playbook
from domain.vocabulary import (
    HealthStatus,
    InterventionState,
    NoticeKind,
    Outcome,
    StepState,
    TaskState,
)
from models.run_control import stop_run
from tests.support.journeys import Journey, call, journey, letter, recipe, rest
from tests.support.loop import Loop
from tests.support.scenario import Scenario

DAY = dt.timedelta(days=1)
cadence = pytest.mark.cadence
WELL = {"field": "health_status", "is": "thriving"}
EXIT = {"if": WELL, "reason": "they thrive", "outcome": "stopped"}


async def thrive(run: Journey) -> None:
    """Let scoring find them thriving."""
    await run.scene.change(health_status=HealthStatus.THRIVING)
    await run.scene.changed(run.loop.clock.now())


@cadence
async def test_an_exit_on_the_first_day_of_a_long_wait_ends_the_run_on_that_day(
    loop: Loop, scene: Scenario
) -> None:
    run = await journey(loop, scene, recipe(rest("long", "30d"), letter("letter"), exits=[EXIT]))
    await loop.live(1)
    await thrive(run)
    await run.hear()
    row = await run.row()
    assert (row.state, row.outcome) == (InterventionState.ENDED, Outcome.STOPPED)
    assert row.started_at is not None
    assert row.ended_at is not None
    assert row.ended_at - row.started_at < 2 * DAY
    assert await run.became("long") == (StepState.CANCELLED, "they thrive")
    await loop.live(32)
    assert loop.sender.accepted == []


@cadence
async def test_a_run_waits_for_what_people_do_and_goes_on_at_once_when_they_do_it(
    loop: Loop, scene: Scenario
) -> None:
    done = {"performed": "Report Exported", "within": "7d"}
    wait = {"condition": done, "timeout": "20d", "on_event": "thank", "on_timeout": "rest"}
    run = await journey(
        loop, scene, recipe({"id": "export", "wait": wait}, rest("rest", "9d"), call("thank"))
    )
    await loop.live(2)
    assert await run.at() == "export"
    now = loop.clock.now()
    event = UsageFact(
        key="e1", known_at=now, customer="acme", feature="Report Exported", quantity=1, occurred_at=now
    )
    await scene.hear(event, now=now)
    await scene.tell(NoticeKind.PERFORMED, {}, now)
    await run.hear()
    assert await run.became("export") == (StepState.DONE, "condition")
    assert "rest" not in await run.visits()
    assert [task.title for task in await scene.tasks()] == ["Call Acme"]


@cadence
async def test_a_goal_that_was_reached_before_it_was_set_ends_the_runs_that_take_it_up(
    loop: Loop, scene: Scenario
) -> None:
    steps = (rest("long", "30d"), letter("letter"))
    run = await journey(loop, scene, recipe(*steps))
    await thrive(run)
    await run.hear()
    assert (await run.row()).state is InterventionState.RUNNING
    goal = {"when": "condition", "condition": WELL, "outcome": "saved", "window": "300d"}
    await run.publish(recipe(*steps, goal=goal))
    assert await run.ending() == (InterventionState.ENDED, Outcome.SAVED)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"goal": {"when": "condition"}}, "a goal has a condition where"),
        ({"goal": {"when": "renewed", "condition": WELL}}, "a goal has a condition where"),
        ({"goal": {"when": "conversion"}}, "'causes_reversed', 'touchpoint'"),
        ({"exits": [{"reason": "they thrive"}]}, "exits.0.if"),
        (
            {"exits": [EXIT | {"if": {"field": "helth_status", "is": "thriving"}}]},
            "did you mean health_status",
        ),
        ({"exits": [EXIT | {"if": {"field": "health_status", "is": "thrivng"}}]}, "thriving"),
    ],
)
def test_a_goal_or_an_exit_that_could_never_be_is_refused_by_name(part: dict[str, Any], words: str) -> None:
    document = recipe(rest("rest", "1d")).model_dump(mode="json", by_alias=True) | part
    with pytest.raises(ValidationError) as refusal:
        Playbook.model_validate(document)
    assert words in str(refusal.value)


@cadence
async def test_a_run_of_many_waits_ends_after_its_last_one_and_never_before(
    loop: Loop, scene: Scenario
) -> None:
    """Through three queues, an answer that does not come and work that nobody does."""
    reply = {"event": "reply", "timeout": "3d"}
    done = {"event": "task_done", "step": "call", "timeout": "2d"}
    steps = (
        rest("breathe", "1d"),
        letter("letter"),
        {"id": "reply", "wait": reply},
        call("call"),
        {"id": "called", "wait": done},
        {"id": "hour", "wait": {"until_window": {"weekdays": ["tue"], "from": "09:00", "to": "12:00"}}},
        rest("last", "5d"),
    )
    run = await journey(loop, scene, recipe(*steps, goal={"when": "touchpoint", "window": "60d"}))
    await loop.live(25)
    row, visits = await run.row(), await run.visits()
    assert (row.state, row.outcome) == (InterventionState.ENDED, Outcome.NO_CHANGE)
    assert row.outcome_reason == "every step was taken"
    assert {name: one.state for name, one in visits.items()} == dict.fromkeys(
        [str(step["id"]) for step in steps], StepState.DONE
    )
    for name in ("breathe", "reply", "called", "hour", "last"):
        finished, due = visits[name].finished_at, visits[name].due_at
        assert finished is not None
        assert due is not None
        assert due <= finished <= row.ended_at  # type: ignore[operator]  # it has ended
    assert row.expected_wake_at is None


@cadence
@pytest.mark.parametrize("way", ["goal", "exit", "window", "person"])
async def test_whichever_way_a_run_ends_none_of_its_tasks_stays_open(
    loop: Loop, scene: Scenario, way: str
) -> None:
    goal = {"when": "touchpoint", "outcome": "saved", "window": "6d"}
    run = await journey(loop, scene, recipe(call("call"), rest("rest", "40d"), exits=[EXIT], goal=goal))
    assert [task.state for task in await scene.tasks()] == [TaskState.OPEN]
    if way == "goal":
        await scene.touch(loop.clock.now())
    elif way == "exit":
        await thrive(run)
    elif way == "window":
        await loop.live(7)
    else:
        async with loop.database.transaction() as session:
            await stop_run(session, run.run_id, Outcome.STOPPED, "not needed", run.hand)
    await run.hear()
    assert (await run.ending())[0] is InterventionState.ENDED
    assert [task.state for task in await scene.tasks()] == [TaskState.CANCELLED]
    receipt = (await run.row()).receipt
    assert receipt is not None
    assert receipt["cancelled_tasks"] == ["Call Acme"]
