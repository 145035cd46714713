"""What holds a run back or turns it, before any step is taken: pause, an answer, a cause that changed.

Each looks at what holds now, so that what flickers changes nothing: a cause must be reversed, or worse, for
the whole dwell time, and every return to how it was starts the count anew.
"""

from datetime import timedelta

from domain.documents import END
from domain.run_state import TaskOrder, TurnOrder
from domain.run_walk import FINISHED, Walk
from domain.time import BusinessInstant, after
from domain.vocabulary import Severity, StepState

REPLY_DUE = timedelta(days=1)
REPLY = "reply"


def is_resting(walk: Walk) -> bool:
    """Rest while a person wants it, and count that time neither against waits nor against the window."""
    since = walk.position.paused_since
    if walk.run.is_paused:
        walk.set(paused_since=since or walk.now)
        return True
    if since is not None:
        rested = walk.now - since
        entered = walk.position.entered_at
        walk.set(
            paused_since=None,
            paused_for=walk.position.paused_for + rested,
            entered_at=after(entered, rested) if entered is not None else None,
        )
    return False


def watches_causes(walk: Walk) -> bool:
    """Whether this playbook cares for its causes once it runs."""
    return walk.playbook.goal.when == "causes_reversed" or walk.playbook.recalibration.step_down is not None


def held_while_reversed(walk: Walk) -> BusinessInstant | None:
    """While the causes are reversed hold everything back until the dwell time is over; then step down."""
    if walk.run.causes_hold:
        walk.set(reversed_since=None)
        return None
    if not watches_causes(walk):
        return None
    since = walk.position.reversed_since or walk.now
    walk.set(reversed_since=since)
    if walk.position.has_stepped_down:
        return None
    due = after(since, walk.playbook.goal.dwell)
    if walk.now < due:
        return due
    step_down = walk.playbook.recalibration.step_down
    if step_down is not None:
        walk.set(has_stepped_down=True)
        turn(walk, "down", step_down, "what opened this run has reversed and stayed so")
    return None


def turn_if_worse(walk: Walk) -> None:
    """Step up once, when the causes have been worse for the dwell time."""
    rules = walk.playbook.recalibration
    if rules.step_up is None or walk.position.has_stepped_up:
        return
    if not walk.run.causes_are_worse:
        walk.set(worse_since=None)
        return
    since = walk.position.worse_since or walk.now
    walk.set(worse_since=since)
    due = after(since, rules.dwell)
    if walk.now < due:
        walk.looks.append(due)
        return
    walk.set(has_stepped_up=True)
    turn(walk, "up", rules.step_up, "what opened this run has become worse and stayed so")


def turn(walk: Walk, direction: str, target: str, reason: str) -> None:
    """Go on elsewhere, with a receipt of what that leaves out."""
    current = walk.position.step
    left = set(walk.playbook.ahead_of(current)) if current not in (None, END) else set()
    if current not in (None, END):
        left.add(current or "")
        row = walk.row
        if row is None or row.state not in FINISHED:
            walk.note(walk.playbook.step(current or ""), StepState.CANCELLED, reason)
    kept = {target, *walk.playbook.ahead_of(target)}
    cancelled = tuple(step.id for step in walk.playbook.steps if step.id in left - kept)
    sentence = f"Stepped {direction}: {reason}."
    walk.orders.append(
        TurnOrder(direction, current, target, sentence, cancelled, cancels_tasks=direction == "down")
    )
    walk.enter(target)


def held_while_answering(walk: Walk) -> BusinessInstant | None:
    """Rest after an answer of the customer until a person has dealt with it, or the deadline is over.

    A step that waits for just that deals with it itself.
    """
    rules, replied = walk.playbook.on_reply, walk.run.replied_at
    if replied is None or not rules.pause or not _is_news(walk, replied) or _waits_for_it(walk):
        return None
    since = walk.position.answering_since
    if since is None:
        walk.set(answering_since=walk.now, replies=walk.position.replies + 1)
        _ask_for_an_answer(walk)
        return after(walk.now, rules.deadline)
    task = walk.run.task_of(_place(walk), walk.position.replies, REPLY)
    due = after(since, rules.deadline)
    if walk.now < due and task is not None and task.is_open:
        return due
    entered = walk.position.entered_at
    walk.set(
        answering_since=None,
        reply_heard_at=replied,
        entered_at=after(entered, walk.now - since) if entered is not None else None,
    )
    return None


def _is_news(walk: Walk, replied: BusinessInstant) -> bool:
    """Tell whether nobody has dealt with the answer yet, nor a wait that any contact ended."""
    heard = (walk.position.reply_heard_at, walk.position.touch_heard_at)
    return all(at is None or replied > at for at in heard)


def _waits_for_it(walk: Walk) -> bool:
    current = walk.position.step
    if current in (None, END):
        return False
    wait = walk.playbook.step(current or "").wait
    return wait is not None and wait.event in {"reply", "touchpoint"}


def _place(walk: Walk) -> str:
    """Return what the task is filed under: the answer's number tells several apart, not the step."""
    return walk.playbook.steps[0].id


def _ask_for_an_answer(walk: Walk) -> None:
    step = walk.playbook.steps[0]
    walk.orders.append(
        TaskOrder(
            step.id,
            walk.position.replies,
            "email",
            walk.fill(walk.playbook.on_reply.title),
            "The customer has answered: nothing else of this playbook goes out until you are done.",
            "csm",
            Severity.HIGH,
            after(walk.now, REPLY_DUE),
            REPLY,
        )
    )
