"""One run, step by step: what each kind of step does, and how runs end."""

from datetime import timedelta
from typing import Any

import pytest

from domain.documents import END
from domain.run_state import SendOrder
from domain.time import after
from domain.vocabulary import Outcome, StepState
from tests.support.walks import DAY, HOUR, START, Run, either, email, notify, pause, recipe, task, until


def goal(when: str = "causes_reversed", **more: Any) -> dict[str, Any]:
    return {"when": when, "outcome": "saved", "dwell": "12h", "window": "30d", **more}


def test_a_task_is_ordered_once_with_its_texts_filled_and_its_deadline() -> None:
    run = Run(recipe(task(), pause()))
    (order,) = run.advance().tasks
    assert (order.title, order.body, order.assignee, order.occurrence) == ("Call x", "x", "csm", 1)
    assert order.due_at == START + 2 * DAY
    assert run.advance(HOUR).tasks == ()
    assert run.state_of("a1") is StepState.DONE


def test_a_notice_opens_one_heads_up_and_the_run_goes_on() -> None:
    run = Run(recipe(notify(), pause()))
    (warning,) = run.advance().heads_ups
    assert (warning.title, warning.body) == ("Look at x", "x")
    assert run.last.position.step == "a2"
    assert run.advance(HOUR).heads_ups == ()


def test_a_wait_of_a_duration_is_over_when_it_is_due_and_not_before() -> None:
    run = Run(recipe(pause("2d"), notify(), pause("1d")))
    assert run.advance().wake_at == START + 2 * DAY
    assert run.state_of("a1") is StepState.WAITING
    assert run.advance(2 * DAY - timedelta(microseconds=1)).heads_ups == ()
    assert run.last.wake_at == START + 2 * DAY
    assert run.advance(timedelta(microseconds=1)).heads_ups
    assert run.state_of("a1") is StepState.DONE
    assert run.last.wake_at == START + 3 * DAY


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        ("reply", {"replied_at": START + HOUR}),
        ("touchpoint", {"touched_at": START + HOUR}),
        ("meeting", {"met_at": START + HOUR}),
    ],
)
def test_an_event_goes_one_way_and_the_timeout_the_other(event: str, changes: dict[str, Any]) -> None:
    document = recipe(
        until(event, on_event="yes", on_timeout="no"),
        notify(id="yes", next=END),
        notify(id="no"),
        goal=goal(),
    )
    heard, waited = Run(document), Run(document)
    heard.advance()
    assert heard.advance(2 * HOUR, **changes).heads_ups[0].step_id == "yes"
    assert waited.advance().wake_at == START + 3 * DAY
    assert waited.advance(3 * DAY).heads_ups[0].step_id == "no"
    rows = (heard.view.row_of("a1", 1), waited.view.row_of("a1", 1))
    assert [row.reason for row in rows if row] == [event, "timeout"]


def test_a_wait_for_a_task_ends_when_the_task_is_done() -> None:
    run = Run(recipe(task(), until("task_done", step="a1"), notify()))
    assert run.advance().wake_at == START + 3 * DAY
    assert not run.advance(HOUR).heads_ups
    run.finish_tasks()
    assert run.advance(HOUR).heads_ups


def test_a_task_that_is_made_again_is_waited_for_again() -> None:
    document = recipe(task(), until("task_done", step="a1"), pause("1d", next="a1"), goal=goal())
    run = Run(document)
    run.advance()
    run.finish_tasks()
    run.advance(HOUR)
    run.advance(DAY)
    assert [order.occurrence for order in run.orders] == [1, 2]
    assert run.last.position.step == "a2", "the first task's end is no end of the second"
    run.finish_tasks()
    assert run.advance(HOUR).position.step == "a3"


@pytest.mark.parametrize(("tier", "way"), [("tech_touch", "a2"), ("managed", "a3"), (None, "a3")])
def test_a_branch_goes_by_what_holds_when_it_is_reached(tier: str | None, way: str) -> None:
    run = Run(recipe(either("touch_tier", "tech_touch", "a2", "a3"), notify(next=END), notify()))
    (warning,) = run.advance(facts={"touch_tier": tier}).heads_ups
    assert warning.step_id == way
    assert run.last.notes[0].reason == ("then" if way == "a2" else "else")


def test_a_branch_after_a_wait_sees_what_holds_after_it() -> None:
    run = Run(recipe(pause(), either("replied", True, END, "a3"), notify()))
    run.advance(facts={"replied": False})
    assert not run.advance(2 * DAY, facts={"replied": True}).heads_ups


def test_a_send_is_asked_for_and_the_run_goes_on_once_it_is_done() -> None:
    run = Run(recipe(email(), pause()))
    assert run.advance().send == SendOrder("a1", 1)
    assert run.state_of("a1") is StepState.STARTED
    run.settle(StepState.DONE)
    assert run.advance().send is None
    assert run.last.position.step == "a2"


@pytest.mark.parametrize("state", [StepState.SKIPPED, StepState.FAILED])
def test_a_refused_or_failed_send_does_not_stop_the_run(state: StepState) -> None:
    run = Run(recipe(email(), pause()))
    run.advance()
    run.settle(state, reason="no_consent")
    assert run.advance().send is None
    assert run.last.position.step == "a2"
    assert run.state_of("a1") is state


def test_a_deferred_send_is_asked_for_again_when_it_is_due_and_not_before() -> None:
    run = Run(recipe(email(), pause()))
    run.advance()
    due = after(run.now, DAY)
    run.settle(StepState.DEFERRED, due=due, reason="budget")
    assert (run.advance(HOUR).send, run.last.wake_at) == (None, due)
    assert run.advance(23 * HOUR).send == SendOrder("a1", 1), "the same visit: the effect key stays"


def test_an_uncertain_send_is_waited_for_a_day_and_then_left() -> None:
    run = Run(recipe(email(), pause()))
    run.advance()
    run.settle(StepState.WAITING, reason="uncertain")
    assert run.advance().wake_at == START + DAY
    assert run.advance(23 * HOUR).send is None
    assert run.last.position.step == "a1"
    assert run.advance(HOUR).position.step == "a2"
    assert run.state_of("a1") is StepState.SKIPPED


def test_a_send_that_was_deferred_before_it_became_uncertain_gets_its_full_day() -> None:
    run = Run(recipe(email(), pause()))
    run.advance()
    run.settle(StepState.DEFERRED, due=after(run.now, 3 * DAY))
    run.advance()
    run.advance(3 * DAY)
    run.settle(StepState.WAITING, reason="uncertain")
    assert run.advance().wake_at == START + 4 * DAY
    assert run.last.position.step == "a1"


def test_an_uncertain_send_that_is_settled_in_time_is_done() -> None:
    run = Run(recipe(email(), pause()))
    order = run.advance()
    run.settle(StepState.WAITING, reason="uncertain")
    run.advance(HOUR)
    run.last = order
    run.settle(StepState.DONE)
    assert run.advance(HOUR).position.step == "a2"
    assert run.state_of("a1") is StepState.DONE


def test_reversed_causes_hold_outreach_back_and_end_the_run_as_saved_after_the_dwell() -> None:
    run = Run(recipe(pause("1d"), email(), task(), goal=goal()))
    run.advance()
    assert run.advance(23 * HOUR, causes_hold=False).wake_at == START + 35 * HOUR
    held = run.advance(2 * HOUR)
    assert (held.send, held.notes, held.tasks) == (None, (), ())
    ending = run.advance(10 * HOUR).ending
    assert ending is not None
    assert (ending.outcome, ending.cancelled_steps) == (Outcome.SAVED, ("a1", "a2", "a3"))
    assert run.state_of("a1") is StepState.CANCELLED


def test_a_cause_that_comes_back_resumes_the_run_exactly_where_it_stood() -> None:
    run = Run(recipe(pause("2d"), notify(), pause(), goal=goal()))
    before = run.advance(HOUR)
    run.advance(HOUR, causes_hold=False)
    again = run.advance(HOUR, causes_hold=True)
    assert again.position == before.position
    assert again.wake_at == before.wake_at
    assert run.advance(2 * DAY - 2 * HOUR).heads_ups


def test_a_dwell_that_was_interrupted_starts_anew() -> None:
    run = Run(recipe(pause("20d"), goal=goal()))
    run.advance(causes_hold=False)
    run.advance(11 * HOUR, causes_hold=True)
    run.advance(HOUR, causes_hold=False)
    assert run.advance(11 * HOUR).ending is None
    assert run.advance(HOUR).ending is not None


def test_flicker_twenty_times_in_a_day_changes_nothing() -> None:
    run = Run(recipe(notify(), pause("3d"), email(), goal=goal()))
    before = run.advance()
    for turn in range(40):
        progress = run.advance(DAY / 40, causes_hold=turn % 2 == 1)
        assert progress.ending is None
        assert (progress.notes, progress.heads_ups, progress.send) == ((), (), None)
    assert run.last.position == before.position
    assert run.advance(2 * DAY).send == SendOrder("a3", 1)


def test_a_run_that_does_not_aim_at_its_causes_is_not_held_back() -> None:
    run = Run(recipe(email(), goal=goal("touchpoint")))
    assert run.advance(causes_hold=False).send is not None


@pytest.mark.parametrize(
    ("when", "changes", "outcome"),
    [
        ("causes_reversed", {"has_churned": True}, Outcome.CHURNED),
        ("touchpoint", {"has_churned": True, "touched_at": START}, Outcome.CHURNED),
        ("renewed", {"renewed": True}, Outcome.RENEWED),
        ("touchpoint", {"touched_at": START}, Outcome.SAVED),
    ],
)
def test_a_run_ends_by_its_goal_and_leaving_comes_before_every_goal(
    when: str, changes: dict[str, Any], outcome: Outcome
) -> None:
    named = "renewed" if when == "renewed" else "saved"
    run = Run(recipe(task(), pause(), email(), goal=goal(when, outcome=named)))
    run.advance()
    ending = run.advance(HOUR, **changes).ending
    assert ending is not None
    assert (ending.outcome, ending.cancelled_steps) == (outcome, ("a2", "a3"))
    assert run.last.wake_at is None


def test_a_run_whose_window_closes_ends_without_change() -> None:
    run = Run(recipe(pause("9d"), email(), goal=goal(window="5d")))
    assert run.advance().wake_at == START + 5 * DAY, "the window closes before the wait is over"
    ending = run.advance(5 * DAY).ending
    assert ending is not None
    assert ending.outcome is Outcome.NO_CHANGE
    assert "within 5 days" in ending.reason


def test_a_hold_wakes_at_the_end_of_the_window_at_the_latest() -> None:
    run = Run(recipe(pause("9d"), goal=goal(window="5d")))
    run.advance()
    held = run.advance(5 * DAY - HOUR, causes_hold=False)
    assert held.wake_at == run.window_end
    ending = run.advance(HOUR).ending
    assert ending is not None
    assert ending.outcome is Outcome.NO_CHANGE


@pytest.mark.parametrize("when", ["causes_reversed", "renewed"])
def test_after_its_last_step_a_run_waits_for_its_goal_until_the_window_closes(when: str) -> None:
    run = Run(recipe(notify(), goal=goal(when)))
    assert (run.advance().ending, run.last.wake_at) == (None, run.window_end)
    assert run.advance(9 * DAY).ending is None
    won: dict[str, Any] = {"causes_hold": False} if when == "causes_reversed" else {"renewed": True}
    run.advance(HOUR, **won)
    ending = run.last.ending or run.advance(12 * HOUR).ending
    assert ending is not None
    assert (ending.outcome, ending.cancelled_steps) == (Outcome.SAVED, ())


def test_a_run_that_aims_at_a_contact_is_over_with_its_last_step() -> None:
    ending = Run(recipe(notify(), goal=goal("touchpoint"))).advance().ending
    assert ending is not None
    assert (ending.outcome, ending.reason) == (Outcome.NO_CHANGE, "every step was taken")


def test_an_end_tells_only_of_steps_that_were_still_ahead() -> None:
    """Not of those of the other branch, and not of those that are done."""
    document = recipe(
        either("has_owner", True, "human", "machine"),
        task(id="human"),
        pause(id="rest", next="last"),
        email(id="machine"),
        pause(id="more"),
        notify(id="last"),
    )
    run = Run(document)
    run.advance(facts={"has_owner": True})
    ending = run.advance(HOUR, has_churned=True).ending
    assert ending is not None
    assert ending.cancelled_steps == ("rest", "last")


def test_a_run_that_never_began_tells_of_all_its_steps() -> None:
    run = Run(recipe(task(), pause(), email()))
    ending = run.advance(has_churned=True).ending
    assert ending is not None
    assert ending.cancelled_steps == ("a1", "a2", "a3")
    assert run.last.notes == ()


def test_a_send_that_was_done_before_the_end_is_not_called_cancelled() -> None:
    run = Run(recipe(email(), pause()))
    run.advance()
    run.settle(StepState.DONE)
    ending = run.advance(has_churned=True).ending
    assert ending is not None
    assert ending.cancelled_steps == ("a2", "last")
    assert run.state_of("a1") is StepState.DONE
