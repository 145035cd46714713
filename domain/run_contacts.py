"""The contact steps: mail, prompt, meeting. Each may first need a person's yes."""

from datetime import timedelta

from domain.playbook_contacts import ToPeople
from domain.playbook_steps import Step
from domain.run_state import PerformOrder, SendOrder, StepRow, TaskOrder
from domain.run_walk import FINISHED, Walk
from domain.time import BusinessInstant
from domain.vocabulary import Severity, StepState, TaskOutcome

UNCERTAIN_PATIENCE = timedelta(days=1)
"""How long a run waits for an uncertain send to be settled before it goes on by policy."""
UNREACHABLE = {"no_recipient", "suppressed", "no_consent"}
"""Refusals after which a person may still find a way; the others are wishes to be left alone."""
APPROVAL, FALLBACK = "approval", "fallback"
YES = {TaskOutcome.APPROVED}


def send(walk: Walk, step: Step) -> str | None:
    """Ask for the send; go on once the sending activity has recorded what became of it."""
    row = walk.row
    if row is not None and row.state in FINISHED:
        return _after_contact(walk, step, row)
    if row is not None and row.state is StepState.WAITING and row.reason != APPROVAL:
        return _after_uncertain(walk, step)
    refused = _approved(walk, step)
    if refused is not None or walk.position.due_at is not None:
        return refused
    was_put_off = row is not None and row.reason != APPROVAL
    if row is not None and was_put_off and row.due_at is not None and walk.now < row.due_at:
        return _put_off(walk, step, row.due_at)
    walk.send = SendOrder(step.id, walk.occurrence)
    walk.note(step, StepState.STARTED)
    return None


def prompt(walk: Walk, step: Step) -> str | None:
    """Have the prompt shown to those it is for; another activity finds out who that is."""
    row = walk.row
    if row is not None and row.state in FINISHED:
        return _after_contact(walk, step, row)
    refused = _approved(walk, step)
    if refused is not None or walk.position.due_at is not None:
        return refused
    if row is not None and row.due_at is not None and walk.now < row.due_at:
        return _put_off(walk, step, row.due_at)
    walk.perform = PerformOrder(step.id, walk.occurrence, step.kind)
    walk.note(step, StepState.STARTED)
    return None


def meet(walk: Walk, step: Step) -> str | None:
    """Invite, and wait for the answer; the meeting held is an answer too."""
    meeting, row = step.schedule_meeting, walk.row
    assert meeting is not None  # noqa: S101 - dispatched by kind
    if not walk.position.is_invited:
        if row is None or row.state is not StepState.DONE:
            return send(walk, step)
        walk.set(is_invited=True)
        walk.wait_for(walk.since_entered(meeting.timeout))
        walk.note(step, StepState.WAITING, "invited")
        return _answer(walk, step)
    if row is not None and row.state in FINISHED:
        return walk.playbook.after(step)
    return _answer(walk, step)


def _answer(walk: Walk, step: Step) -> str | None:
    meeting, told = step.schedule_meeting, walk.run.meeting_of(step.id, walk.occurrence)
    assert meeting is not None  # noqa: S101 - dispatched by kind
    following = walk.playbook.after(step)
    if told is not None and (told.was_held or told.answer == "accepted"):
        walk.note(step, StepState.DONE, "accepted")
        return meeting.on_accepted or following
    if told is not None and told.answer == "declined":
        walk.note(step, StepState.DONE, "declined")
        return meeting.on_declined or following
    due = walk.since_entered(meeting.timeout)
    if walk.now >= due:
        walk.note(step, StepState.DONE, "timeout")
        return meeting.on_timeout or following
    walk.wait_for(due)
    return None


def _after_contact(walk: Walk, step: Step, row: StepRow) -> str | None:
    """Go on to the next person, to the fallback where nobody could be reached, or to the next step."""
    order = getattr(step, step.kind)
    assert isinstance(order, ToPeople)  # noqa: S101 - dispatched by kind
    reached = walk.position.reached_here
    if row.state is StepState.DONE and reached + 1 < order.at_most and step.kind == "send_email":
        walk.enter(step.id, reached_here=reached + 1)
        return send(walk, step)
    if row.state is StepState.SKIPPED and row.reason in UNREACHABLE and not reached:
        _fall_back(walk, step, order)
    return walk.playbook.after(step)


def _fall_back(walk: Walk, step: Step, order: ToPeople) -> None:
    if order.otherwise == "task":
        body = "Nobody whom the playbook means can be reached this way. Find somebody, or another way."
        walk.orders.append(
            TaskOrder(
                step.id,
                walk.occurrence,
                "email",
                walk.fill("Reach $customer yourself"),
                body,
                "csm",
                Severity.MEDIUM,
                BusinessInstant(walk.now + timedelta(days=2)),
                FALLBACK,
            )
        )


def _put_off(walk: Walk, step: Step, due: BusinessInstant) -> str | None:
    """Wait until the named time, unless the message will be of no use by then."""
    useful_for = getattr(step, step.kind).useful_for
    if useful_for is not None and due > walk.since_entered(useful_for):
        walk.note(step, StepState.SKIPPED, "no_longer_useful")
        return walk.playbook.after(step)
    walk.wait_for(due)
    return None


def _after_uncertain(walk: Walk, step: Step) -> str | None:
    """Give an uncertain send a day to be settled, then go on without it."""
    since = walk.position.uncertain_since or walk.now
    due = BusinessInstant(since + UNCERTAIN_PATIENCE)
    if walk.now >= due:
        walk.note(step, StepState.SKIPPED, "uncertain")
        return walk.playbook.after(step)
    walk.set(uncertain_since=since)
    walk.wait_for(due)
    return None


def _approved(walk: Walk, step: Step) -> str | None:
    """Return where to go when a person said no; None to go on, or with a due instant to wait for the yes."""
    walk.wait_for(None)
    rules = walk.playbook.autonomy
    if not rules.asks(walk.run.touch_tier):
        return None
    task = walk.run.task_of(step.id, walk.occurrence, APPROVAL)
    due = walk.since_entered(rules.deadline)
    if task is not None and not task.is_open:
        return None if task.outcome in YES else _skip(walk, step, "not_approved")
    if walk.now >= due:
        return _expired(walk, step)
    if task is None:
        _ask(walk, step, due)
    walk.wait_for(due)
    if walk.row is None:
        walk.note(step, StepState.WAITING, APPROVAL)
    return None


def _expired(walk: Walk, step: Step) -> str | None:
    expiry = walk.playbook.autonomy.on_expiry
    return None if expiry == "go" else _skip(walk, step, "not_approved_in_time", end=expiry == "end")


def _skip(walk: Walk, step: Step, reason: str, *, end: bool = False) -> str:
    walk.note(step, StepState.SKIPPED, reason)
    return "end" if end else walk.playbook.after(step)


def _ask(walk: Walk, step: Step, due: BusinessInstant) -> None:
    rules = walk.playbook.autonomy
    otherwise = {
        "go": "goes out by itself",
        "skip": "is left out",
        "end": "is left out, and the run goes to its end",
    }
    body = (
        f"The step “{step.id}” of {walk.playbook.name} would reach the customer now; "
        f"the run's page shows how. Without an answer by the deadline it {otherwise[rules.on_expiry]}."
    )
    walk.orders.append(
        TaskOrder(
            step.id,
            walk.occurrence,
            APPROVAL,
            walk.fill(f"Approve: {step.kind.replace('_', ' ')} to $customer"),
            body,
            rules.approver,
            Severity.HIGH,
            due,
            APPROVAL,
        )
    )
