"""Contact steps: whom they reach, who is asked before, what an offer and an invitation wait for."""

from dataclasses import replace

import pytest

from domain.run_state import MeetingRow, PerformOrder, SendOrder
from domain.time import after
from domain.vocabulary import Outcome, StepState, TaskOutcome, TouchTier
from tests.support.walks import DAY, HOUR, START, Run, email, notify, pause, recipe

ASKED = {"default": "approval", "deadline": "2d"}


def answer(run: Run, outcome: TaskOutcome) -> None:
    """Close every open task with this outcome."""
    closed = tuple(replace(one, is_open=False, outcome=outcome) for one in run.view.tasks)
    run.view = replace(run.view, tasks=closed)


def test_a_step_for_several_people_goes_on_to_the_next_one_after_each() -> None:
    several = {"send_email": {"template": "hello", "to": ["champion", "end_user"], "at_most": 3}}
    run = Run(recipe(several, pause()))
    assert run.advance().send == SendOrder("a1", 1)
    run.settle()
    assert run.advance().send == SendOrder("a1", 2)
    run.settle()
    assert run.advance().send == SendOrder("a1", 3)
    run.settle(StepState.SKIPPED, reason="no_recipient")
    assert run.advance().position.step == "a2"
    assert run.orders == [], "two were reached: nobody is asked to find another way"


@pytest.mark.parametrize("reason", ["no_recipient", "suppressed", "no_consent"])
def test_where_nobody_can_be_reached_the_owner_gets_a_task(reason: str) -> None:
    run = Run(recipe(email(), pause()))
    run.advance()
    run.settle(StepState.SKIPPED, reason=reason)
    assert [one.purpose for one in run.advance().tasks] == ["fallback"]
    assert run.last.position.step == "a2"


@pytest.mark.parametrize("reason", ["do_not_contact", "holdout", "budget"])
def test_a_wish_to_be_left_alone_is_no_reason_to_find_another_way(reason: str) -> None:
    run = Run(recipe(email(), pause()))
    run.advance()
    run.settle(StepState.SKIPPED, reason=reason)
    assert run.advance().tasks == ()


def test_a_message_that_would_come_too_late_is_dropped_with_that_reason() -> None:
    news = {"send_email": {"template": "hello", "to": ["champion"], "useful_for": "2d"}}
    run = Run(recipe(news, pause()))
    run.advance()
    run.settle(StepState.DEFERRED, due=after(START, 3 * DAY), reason="budget")
    run.advance(HOUR)
    row = run.view.row_of("a1", 1)
    assert row is not None
    assert (row.state, row.reason) == (StepState.SKIPPED, "no_longer_useful")
    assert run.last.position.step == "a2"


def test_nothing_reaches_the_customer_before_a_person_has_said_yes() -> None:
    run = Run(recipe(email(), pause(), autonomy=ASKED))
    asked = run.advance()
    assert (asked.send, asked.wake_at) == (None, START + 2 * DAY)
    assert [(one.kind, one.purpose) for one in asked.tasks] == [("approval", "approval")]
    assert run.advance(HOUR).tasks == ()
    answer(run, TaskOutcome.APPROVED)
    assert run.advance(HOUR).send == SendOrder("a1", 1)


@pytest.mark.parametrize("outcome", [TaskOutcome.REJECTED, TaskOutcome.REACHED, None])
def test_anything_but_a_yes_leaves_the_message_out(outcome: TaskOutcome | None) -> None:
    run = Run(recipe(email(), pause(), autonomy=ASKED))
    run.advance()
    run.view = replace(
        run.view, tasks=tuple(replace(one, is_open=False, outcome=outcome) for one in run.view.tasks)
    )
    progress = run.advance(HOUR)
    assert (progress.send, progress.position.step) == (None, "a2")
    row = run.view.row_of("a1", 1)
    assert row is not None
    assert row.reason == "not_approved"


@pytest.mark.parametrize(("expiry", "sent", "place"), [("go", 1, "a1"), ("skip", 0, "a2")])
def test_without_an_answer_by_the_deadline_the_run_goes_on_by_policy(
    expiry: str, sent: int, place: str
) -> None:
    run = Run(recipe(email(), pause(), autonomy=ASKED | {"on_expiry": expiry}))
    run.advance()
    progress = run.advance(2 * DAY)
    asked = [progress.send] if progress.send else []
    assert (len(asked), progress.position.step) == (sent, place)


def test_an_expiry_that_ends_goes_to_the_end() -> None:
    run = Run(recipe(email(), pause(), autonomy=ASKED | {"on_expiry": "end"}, goal={"when": "touchpoint"}))
    run.advance()
    ending = run.advance(2 * DAY).ending
    assert ending is not None
    assert ending.outcome is Outcome.NO_CHANGE


def test_a_touch_tier_may_be_asked_for_while_the_others_are_not() -> None:
    rules = {"tiers": {"strategic": "approval"}}
    strategic, managed = (Run(recipe(email(), pause(), autonomy=rules)) for _ in range(2))
    assert strategic.advance(touch_tier=TouchTier.STRATEGIC).send is None
    assert managed.advance(touch_tier=TouchTier.MANAGED).send is not None


def inviting() -> Run:
    meeting = {
        "title": "Review",
        "to": ["champion"],
        "on_accepted": "yes",
        "on_declined": "no",
        "on_timeout": "no",
    }
    return Run(
        recipe({"schedule_meeting": meeting}, notify(id="yes", next="end"), notify(id="no", next="end"))
    )


@pytest.mark.parametrize(
    ("told", "way"),
    [
        (MeetingRow("a1", 1, "accepted"), "yes"),
        (MeetingRow("a1", 1, None, was_held=True), "yes"),
        (MeetingRow("a1", 1, "declined"), "no"),
    ],
)
def test_an_invitation_waits_for_its_answer(told: MeetingRow, way: str) -> None:
    run = inviting()
    assert run.advance().send == SendOrder("a1", 1)
    run.settle()
    assert run.advance(HOUR).wake_at == START + 7 * DAY
    assert run.state_of("a1") is StepState.WAITING
    run.advance(DAY, meetings=(told,))
    assert run.warnings == [way]


def test_an_invitation_without_an_answer_goes_on_after_its_time() -> None:
    run = inviting()
    run.advance()
    run.settle()
    run.advance(HOUR)
    run.advance(7 * DAY)
    assert run.warnings == ["no"]


def test_an_invitation_that_could_not_go_out_falls_back() -> None:
    run = inviting()
    run.advance()
    run.settle(StepState.SKIPPED, reason="no_recipient")
    assert [one.purpose for one in run.advance().tasks] == ["fallback"]


def test_a_prompt_is_performed_once_and_the_run_goes_on() -> None:
    shown = {"in_app_prompt": {"title": "New", "body": "Look, $customer", "to": ["end_user"]}}
    run = Run(recipe(shown, pause()))
    assert run.advance().perform == PerformOrder("a1", 1, "in_app_prompt")
    run.finish("a1", StepState.DONE)
    assert run.advance().perform is None
    assert run.last.position.step == "a2"
