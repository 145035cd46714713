"""The interpreter: advances one run of one playbook version by as many steps as can be taken now.

Pure. It decides after waking, never before: each call looks at what holds now, ends the run if it is over,
holds outreach back while its causes are reversed, and only then takes steps until one must wait.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from string import Template

from domain.playbook import END, Goal, Playbook, Step
from domain.run_state import (
    Ending,
    NotifyOrder,
    Position,
    Progress,
    RunView,
    SendOrder,
    StepNote,
    TaskOrder,
)
from domain.time import BusinessInstant
from domain.vocabulary import Outcome, StepState

MAX_STEPS = 100
UNCERTAIN_PATIENCE = timedelta(days=1)
"""How long a run waits for an uncertain send to be settled before it goes on by policy."""


@dataclass
class _Walk:
    """One call's work in progress."""

    run: RunView
    playbook: Playbook
    texts: dict[str, str]
    now: BusinessInstant
    position: Position
    notes: list[StepNote] = field(default_factory=list)
    tasks: list[TaskOrder] = field(default_factory=list)
    heads_ups: list[NotifyOrder] = field(default_factory=list)
    send: SendOrder | None = None

    @property
    def occurrence(self) -> int:
        """Which visit of the current step this is, from 1."""
        return self.position.visits.get(self.position.step or "", 0)

    def note(self, step: Step, state: StepState, reason: str | None = None) -> None:
        """Record what became of the current visit."""
        self.notes.append(StepNote(step.id, self.occurrence, step.kind, state, reason, self.position.due_at))

    def enter(self, step_id: str) -> None:
        """Move on to a step."""
        visits = self.position.visits | {step_id: self.position.visits.get(step_id, 0) + 1}
        self.position = self.position.model_copy(
            update={
                "step": step_id,
                "visits": visits,
                "entered_at": self.now,
                "due_at": None,
                "uncertain_since": None,
            }
        )

    def wait_for(self, due: BusinessInstant | None) -> None:
        """Set when the current step is over, None where no time but an answer ends it."""
        self.position = self.position.model_copy(update={"due_at": due})

    def progress(self, wake_at: BusinessInstant | None, ending: Ending | None = None) -> Progress:
        """Return what was found."""
        return Progress(
            self.position,
            tuple(self.notes),
            tuple(self.tasks),
            tuple(self.heads_ups),
            self.send,
            wake_at,
            ending,
        )


def advance(run: RunView, playbook: Playbook, texts: dict[str, str], now: BusinessInstant) -> Progress:
    """Take every step that can be taken now.

    `texts` fills the `$names` of tasks and heads-ups. The result holds at most one send; the run is advanced
    again after it. `wake_at` is the latest instant at which to look again; a ring comes first if it comes.
    """
    walk = _Walk(run, playbook, texts, now, run.position)
    ending = _ending(walk)
    if ending is not None:
        return _end(walk, ending)
    held_until = _hold(walk)
    if held_until is not None:
        return walk.progress(held_until)
    if walk.position.step is None:
        walk.enter(playbook.steps[0].id)
    if walk.position.step == END:
        return _at_the_end(walk, _window_end(walk))
    return _walk(walk)


def _walk(walk: _Walk) -> Progress:
    limit = _window_end(walk)
    for _ in range(MAX_STEPS):
        step = walk.playbook.step(walk.position.step or "")
        target = ACTIONS[step.kind](walk, step)
        if target is None:
            due = walk.position.due_at
            return walk.progress(limit if due is None else min(due, limit))
        if target == END:
            return _at_the_end(walk, limit)
        walk.enter(target)
    return _end(walk, Ending(Outcome.STOPPED, f"the steps went round more than {MAX_STEPS} times at once"))


def _window_end(walk: _Walk) -> BusinessInstant:
    return BusinessInstant(walk.run.started_at + walk.playbook.goal.window)


def _ending(walk: _Walk) -> Ending | None:
    """Return how the run is over, if it is."""
    run, goal = walk.run, walk.playbook.goal
    if run.has_churned:
        return Ending(Outcome.CHURNED, "the customer has left")
    if goal.when == "renewed" and run.renewed:
        return Ending(goal.outcome, "the contract was renewed")
    if goal.when == "touchpoint" and run.touched_at is not None:
        return Ending(goal.outcome, "somebody has spoken with the customer")
    if goal.when == "causes_reversed" and _reversed_long_enough(walk, goal):
        return Ending(goal.outcome, "what opened this run has reversed and stayed so")
    if walk.now >= _window_end(walk):
        return Ending(Outcome.NO_CHANGE, f"the goal was not reached within {goal.window.days} days")
    return None


def _reversed_long_enough(walk: _Walk, goal: Goal) -> bool:
    since = walk.run.position.reversed_since
    return not walk.run.causes_hold and since is not None and walk.now >= since + goal.dwell


def _hold(walk: _Walk) -> BusinessInstant | None:
    """While the causes are reversed, hold everything back until the dwell time is over."""
    goal = walk.playbook.goal
    if goal.when != "causes_reversed":
        return None
    since = walk.position.reversed_since
    if walk.run.causes_hold:
        walk.position = walk.position.model_copy(update={"reversed_since": None})
        return None
    if since is None:
        since = walk.now
        walk.position = walk.position.model_copy(update={"reversed_since": since})
    return min(BusinessInstant(since + goal.dwell), _window_end(walk))


def _at_the_end(walk: _Walk, limit: BusinessInstant) -> Progress:
    """After the last step a run whose goal only time can show waits for it until the window closes."""
    walk.position = walk.position.model_copy(update={"step": END, "due_at": limit})
    if walk.playbook.goal.when in {"causes_reversed", "renewed"}:
        return walk.progress(limit)
    return _end(walk, Ending(Outcome.NO_CHANGE, "every step was taken"))


def _end(walk: _Walk, ending: Ending) -> Progress:
    """End the run and say what was still to come."""
    current = walk.position.step
    if current == END:
        return walk.progress(None, ending)
    first = walk.playbook.steps[0].id
    pending = {current or first, *walk.playbook.ahead_of(current or first)}
    if current is not None:
        row = walk.run.row_of(current, walk.occurrence)
        if row is None or row.state not in FINISHED:
            walk.note(walk.playbook.step(current), StepState.CANCELLED, ending.reason)
        elif current not in walk.playbook.ahead_of(current):
            pending.remove(current)
    cancelled = tuple(step.id for step in walk.playbook.steps if step.id in pending)
    return walk.progress(None, Ending(ending.outcome, ending.reason, cancelled))


FINISHED = {StepState.DONE, StepState.SKIPPED, StepState.FAILED, StepState.CANCELLED}


def _send(walk: _Walk, step: Step) -> str | None:
    """Ask for the send; go on once the sending activity has recorded what became of it."""
    row = walk.run.row_of(step.id, walk.occurrence)
    if row is not None and row.state in FINISHED:
        return walk.playbook.after(step)
    if row is not None and row.state is StepState.WAITING:
        return _after_uncertain(walk, step)
    if row is not None and row.due_at is not None and walk.now < row.due_at:
        walk.wait_for(row.due_at)
        return None
    walk.wait_for(None)
    walk.send = SendOrder(step.id, walk.occurrence)
    walk.note(step, StepState.STARTED)
    return None


def _after_uncertain(walk: _Walk, step: Step) -> str | None:
    """Give an uncertain send a day to be settled, then go on without it."""
    since = walk.position.uncertain_since or walk.now
    due = BusinessInstant(since + UNCERTAIN_PATIENCE)
    if walk.now >= due:
        walk.note(step, StepState.SKIPPED, "uncertain")
        return walk.playbook.after(step)
    walk.position = walk.position.model_copy(update={"uncertain_since": since})
    walk.wait_for(due)
    return None


def _task(walk: _Walk, step: Step) -> str | None:
    order = step.create_task
    assert order is not None  # noqa: S101 - dispatched by kind
    walk.tasks.append(
        TaskOrder(
            step.id,
            walk.occurrence,
            order.kind,
            _fill(order.title, walk.texts),
            _fill(order.body, walk.texts),
            order.assignee,
            order.severity,
            BusinessInstant(walk.now + order.due_in),
        )
    )
    walk.note(step, StepState.DONE)
    return walk.playbook.after(step)


def _notify(walk: _Walk, step: Step) -> str | None:
    order = step.notify
    assert order is not None  # noqa: S101 - dispatched by kind
    title, body = _fill(order.title, walk.texts), _fill(order.body, walk.texts)
    walk.heads_ups.append(NotifyOrder(step.id, order.to, order.severity, title, body))
    walk.note(step, StepState.DONE)
    return walk.playbook.after(step)


def _wait(walk: _Walk, step: Step) -> str | None:
    """Let time pass; an event in time goes one way, the timeout the other."""
    wait = step.wait
    assert wait is not None  # noqa: S101 - dispatched by kind
    following = walk.playbook.after(step)
    if wait.event is not None and _has_happened(walk, wait.event, wait.step):
        walk.note(step, StepState.DONE, wait.event)
        return wait.on_event or following
    span = wait.duration or wait.timeout or timedelta()
    due = BusinessInstant((walk.position.entered_at or walk.now) + span)
    if walk.now >= due:
        walk.note(step, StepState.DONE, "timeout" if wait.event else None)
        return (wait.on_timeout if wait.event else None) or following
    if walk.position.due_at != due:
        walk.wait_for(due)
        walk.note(step, StepState.WAITING)
    return None


def _has_happened(walk: _Walk, event: str, step_id: str | None) -> bool:
    run = walk.run
    if event == "task_done":
        newest = walk.position.visits.get(step_id or "", 0)
        mine = [task for task in run.tasks if (task.step_id, task.occurrence) == (step_id, newest)]
        return any(not task.is_open for task in mine)
    if event == "reply":
        return run.replied_at is not None
    return run.touched_at is not None


def _branch(walk: _Walk, step: Step) -> str | None:
    branch = step.branch
    assert branch is not None  # noqa: S101 - dispatched by kind
    holds = branch.condition.holds(walk.run.facts)
    walk.note(step, StepState.DONE, "then" if holds else "else")
    return branch.then if holds else branch.otherwise


def _fill(text: str, texts: dict[str, str]) -> str:
    return Template(text).substitute(texts)


ACTIONS: dict[str, Callable[[_Walk, Step], str | None]] = {
    "send_email": _send,
    "create_task": _task,
    "notify": _notify,
    "wait": _wait,
    "branch": _branch,
}
