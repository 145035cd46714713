"""What holds a run back or turns it: a person's pause, the customer's answer, a cause that changes."""

from datetime import timedelta
from typing import Any

import pytest

from domain.run_state import TurnOrder
from domain.vocabulary import Outcome, StepState
from tests.support.walks import DAY, HOUR, START, Run, email, notify, pause, recipe, task, until


def goal(**more: Any) -> dict[str, Any]:
    return {"when": "causes_reversed", "dwell": "12h", "window": "20d"} | more


def test_a_run_that_rests_does_nothing_and_listens() -> None:
    run = Run(recipe(pause("2d"), notify(), goal=goal()))
    run.advance()
    resting = run.advance(3 * DAY, is_paused=True)
    assert (resting.wake_at, resting.notes, resting.orders) == (None, (), ())
    assert run.advance(DAY, has_churned=True).ending is not None


def test_a_rest_with_an_end_wakes_by_itself() -> None:
    run = Run(recipe(pause("2d"), notify()))
    run.advance()
    assert run.advance(HOUR, is_paused=True, rests_until=START + DAY).wake_at == START + DAY


def test_the_time_of_a_rest_counts_neither_for_a_wait_nor_for_the_window() -> None:
    run = Run(recipe(pause("2d"), notify(), goal=goal()))
    run.advance()
    run.advance(DAY, is_paused=True)
    assert run.advance(30 * DAY, is_paused=True).ending is None
    on = run.advance(HOUR, is_paused=False)
    assert on.heads_ups == ()
    assert on.wake_at == START + 32 * DAY + HOUR
    assert run.window_end == START + 50 * DAY + HOUR
    assert run.advance(DAY).heads_ups


def test_a_goal_that_is_reached_while_it_rests_ends_the_run() -> None:
    run = Run(recipe(pause("9d"), goal={"when": "touchpoint"}))
    run.advance()
    run.advance(DAY, is_paused=True)
    ending = run.advance(HOUR, touched_at=run.now).ending
    assert ending is not None
    assert ending.outcome is Outcome.SAVED


def test_an_answer_of_the_customer_rests_the_run_until_a_person_has_dealt_with_it() -> None:
    run = Run(recipe(pause("1d"), email(), goal=goal()))
    run.advance()
    held = run.advance(HOUR, replied_at=START + HOUR)
    assert [(one.purpose, one.kind) for one in held.tasks] == [("reply", "email")]
    assert held.wake_at == START + 3 * DAY + HOUR
    assert run.advance(2 * DAY).send is None
    assert len(run.orders) == 1, "one answer, one task"
    run.finish_tasks()
    after_it = run.advance(HOUR)
    assert after_it.send is None, "the wait goes on for what was left of it"
    assert run.advance(23 * HOUR).send is not None


def test_an_answer_that_nobody_deals_with_holds_the_run_until_the_deadline_only() -> None:
    run = Run(recipe(pause("1d"), email(), on_reply={"deadline": "2d"}))
    run.advance(replied_at=START)
    assert run.advance(2 * DAY).send is None
    assert run.advance(DAY).send is not None


def test_a_second_answer_makes_a_second_task() -> None:
    run = Run(recipe(pause("5d"), email()))
    run.advance(replied_at=START)
    run.finish_tasks()
    run.advance(HOUR)
    run.advance(HOUR, replied_at=START + 2 * HOUR)
    assert [(one.purpose, one.occurrence) for one in run.orders] == [("reply", 1), ("reply", 2)]


def test_a_step_that_waits_for_the_answer_deals_with_it_itself() -> None:
    run = Run(recipe(until("reply", on_event="a2"), notify(), pause()))
    run.advance()
    assert run.advance(HOUR, replied_at=START + HOUR).heads_ups
    assert run.orders == []


def test_an_answer_that_ends_a_wait_for_any_contact_is_not_asked_about_a_second_time() -> None:
    run = Run(recipe(until("touchpoint"), pause("9d")))
    run.advance()
    answered = run.now + HOUR
    run.advance(HOUR, replied_at=answered, touched_at=answered)
    run.advance(HOUR)
    assert (run.orders, run.view.position.answering_since) == ([], None)


def test_a_wait_for_an_answer_is_not_over_by_one_that_was_dealt_with_before() -> None:
    run = Run(recipe(pause("1d"), until("reply", "3d"), notify()))
    run.advance(replied_at=START)
    run.finish_tasks()
    run.advance(HOUR)
    assert run.advance(DAY).heads_ups == ()
    assert run.advance(HOUR, replied_at=run.now).heads_ups


def stepping(**rules: Any) -> Run:
    document = recipe(
        pause("5d"),
        email(),
        task(next="end"),
        notify(id="gentle", next="end"),
        task(id="hard", next="end"),
        recalibration=rules,
        goal=goal(),
    )
    return Run(document)


def test_a_reversed_cause_steps_down_after_the_dwell_with_a_receipt() -> None:
    run = stepping(step_down="gentle")
    run.advance()
    assert run.advance(HOUR, causes_hold=False).wake_at == START + 13 * HOUR
    turned = run.advance(12 * HOUR)
    (receipt,) = [one for one in turned.orders if isinstance(one, TurnOrder)]
    assert (receipt.direction, receipt.to_step, receipt.cancelled_steps) == (
        "down",
        "gentle",
        ("a1", "a2", "a3"),
    )
    assert receipt.cancels_tasks
    assert run.state_of("a1") is StepState.CANCELLED
    assert run.state_of("gentle") is StepState.DONE
    assert turned.ending is not None
    assert turned.ending.outcome is Outcome.SAVED


def test_a_worse_cause_steps_up_once_after_the_dwell() -> None:
    run = stepping(step_up="hard", dwell="6h")
    run.advance()
    assert run.advance(HOUR, causes_are_worse=True).wake_at == START + 7 * HOUR
    turned = run.advance(6 * HOUR)
    assert [one.step_id for one in turned.tasks] == ["hard"]
    assert run.advance(DAY).tasks == ()


@pytest.mark.parametrize("name", ["causes_hold", "causes_are_worse"])
def test_flicker_twenty_times_in_a_day_turns_nothing(name: str) -> None:
    run = stepping(step_down="gentle", step_up="hard", dwell="6h")
    before = run.advance()
    steady = name == "causes_hold"
    for _ in range(20):
        run.advance(timedelta(minutes=36), **{name: not steady})
        run.advance(timedelta(minutes=36), **{name: steady})
    assert run.orders == []
    assert run.last.notes == ()
    assert run.last.position == before.position
