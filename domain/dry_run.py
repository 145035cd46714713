"""A dry run: the interpreter over a simulated view, with assumptions about people, doing nothing.

It is the real `advance`, asked again and again with the clock moved on; what activities would do is answered
here: mail by the guard's own verdict, tasks and replies by what the reader assumes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from domain.calendar import zone
from domain.guard import Allow, Defer, Verdict
from domain.interpreter import advance
from domain.known import with_values
from domain.playbook import Playbook
from domain.playbook_words import plain, who
from domain.playbook_words import step as say_step
from domain.playbook_words import why as say_why
from domain.run_state import (
    MeetingRow,
    NotifyOrder,
    Order,
    Progress,
    RunView,
    StepNote,
    StepRow,
    TaskOrder,
    TaskRow,
    TurnOrder,
)
from domain.time import BusinessInstant, after
from domain.vocabulary import CustomerDate, StepState, TaskOutcome

MOST_EVENTS = 200
Ask = Callable[[str, tuple[BusinessInstant, ...], BusinessInstant], tuple[Verdict, str]]
"""What the guard says of a step's message, given what the dry run has sent before, and who would get it."""


@dataclass(frozen=True)
class Assumptions:
    """What people are assumed to do; None means that they never do it."""

    task_done_after: timedelta | None = None
    reply_after: timedelta | None = None
    """After the first message, once; it also accepts a meeting."""
    cause_gone_after: timedelta | None = None


@dataclass(frozen=True)
class Event:
    """One line of the story."""

    at: BusinessInstant
    step: str | None
    what: str
    sentence: str
    why: str = ""


@dataclass
class _Story:
    playbook: Playbook
    view: RunView
    now: BusinessInstant
    assumed: Assumptions
    ask: Ask
    events: list[Event] = field(default_factory=list)
    sent: list[BusinessInstant] = field(default_factory=list)
    due: list[tuple[BusinessInstant, str]] = field(default_factory=list)
    """What people will have done, and when: a task's place or `reply`."""

    def tell(self, step: str | None, what: str, sentence: str, why: str = "") -> None:
        self.events.append(Event(self.now, step, what, sentence, why))

    def expect(self, delay: timedelta | None, what: str) -> None:
        if delay is not None:
            self.due.append((after(self.now, delay), what))

    def set_row(self, row: StepRow) -> None:
        key = (row.step_id, row.occurrence)
        others = tuple(one for one in self.view.steps if (one.step_id, one.occurrence) != key)
        self.view = replace(self.view, steps=(*others, row))


def dry_run(
    view: RunView,
    playbook: Playbook,
    texts: dict[str, str],
    now: BusinessInstant,
    assumed: Assumptions,
    ask: Ask,
) -> tuple[Event, ...]:
    """Return what would happen, when and why, until the run ends or nothing can happen any more."""
    story = _Story(playbook, view, now, assumed, ask)
    story.tell(None, "opened", "The run opens")
    story.expect(assumed.cause_gone_after, "cause")
    while len(story.events) < MOST_EVENTS:
        progress = advance(story.view, playbook, texts, story.now)
        _keep(story, progress)
        if progress.ending is not None:
            outcome = plain(progress.ending.outcome.value)
            story.tell(None, "ended", f"The run ends as {outcome}", progress.ending.reason)
            break
        if progress.send is not None:
            _send(story, progress.send.step_id, progress.send.occurrence)
        elif progress.perform is not None:
            _perform(story, progress.perform.step_id, progress.perform.occurrence)
        elif not _pass_time(story, progress.wake_at):
            story.tell(None, "rests", "The run rests until somebody lets it go on")
            break
    return tuple(story.events)


def _keep(story: _Story, progress: Progress) -> None:
    """Write down what the interpreter noted and ordered, as the activity would."""
    noted = {note.step_id for note in progress.notes}
    for order in progress.orders:
        if getattr(order, "step_id", None) not in noted:
            _order(story, order)
    for note in progress.notes:
        for order in progress.orders:
            if getattr(order, "step_id", None) == note.step_id:
                _order(story, order)
        _note(story, note)
        story.set_row(StepRow(note.step_id, note.occurrence, note.state, note.due_at, note.reason))
    story.view = replace(story.view, position=progress.position)


def _order(story: _Story, order: Order) -> None:
    if isinstance(order, TaskOrder):
        _task(story, order)
    elif isinstance(order, NotifyOrder):
        story.tell(order.step_id, "notify", f"Heads-up to the {who(order.to)}: {order.title}")
    elif isinstance(order, TurnOrder):
        story.tell(order.to_step, "turned", order.sentence)


TOLD_BY_ORDERS = {"create_task", "notify"}


def _note(story: _Story, note: StepNote) -> None:
    if note.state is StepState.STARTED or note.kind in TOLD_BY_ORDERS:
        return
    said = say_step(story.playbook.step(note.step_id))
    why = say_why(note.reason)
    if note.kind == "wait" and note.state is StepState.WAITING:
        story.tell(note.step_id, "wait", said)
    elif note.kind == "wait":
        story.tell(note.step_id, "over", "The wait is over", why)
    else:
        story.tell(note.step_id, note.kind, said, why or plain(note.state.value))


def _there(story: _Story, at: BusinessInstant) -> str:
    """Say an instant where the customer is, as the rest of the story is told."""
    local = at.astimezone(zone(story.view.time_zone))
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def _task(story: _Story, order: TaskOrder) -> None:
    sentence = f"Task for the {who(order.assignee)}: {order.title}"
    story.tell(order.step_id, "task", sentence, f"due {_there(story, order.due_at)}")
    row = TaskRow(order.step_id, order.occurrence, is_open=True, purpose=order.purpose)
    story.view = replace(story.view, tasks=(*story.view.tasks, row))
    place = len(story.view.tasks) - 1
    story.expect(story.assumed.task_done_after, f"task {place}")


REFUSALS = {
    "budget": "the customer's contact budget is used up",
    "sending_limit": "its sender's domain has sent as much as it may",
    "topic_opted_out": "the person asked for no mail on this topic",
    "quiet_hours": "it is outside office hours where the person is",
    "no_recipient": "nobody of these people has an address",
    "suppressed": "the address takes no mail",
    "no_consent": "the person has not agreed to such mail",
    "do_not_contact": "the customer is not to be contacted",
    "holdout": "the customer belongs to the holdout",
}


def _send(story: _Story, step_id: str, occurrence: int) -> None:
    verdict, who = story.ask(step_id, tuple(story.sent), story.now)
    said = say_step(story.playbook.step(step_id))
    if isinstance(verdict, Allow):
        if not story.sent:
            story.expect(story.assumed.reply_after, "reply")
        story.sent.append(story.now)
        story.tell(step_id, "sent", f"{said}: goes to {who}")
        story.set_row(StepRow(step_id, occurrence, StepState.DONE, None, "sent"))
        return
    why = REFUSALS.get(verdict.reason, plain(verdict.reason))
    if isinstance(verdict, Defer):
        story.tell(step_id, "deferred", f"{said}: put off until {_there(story, verdict.until)}", why)
        story.set_row(StepRow(step_id, occurrence, StepState.DEFERRED, verdict.until, verdict.reason))
        return
    story.tell(step_id, "refused", f"{said}: left out", why)
    story.set_row(StepRow(step_id, occurrence, StepState.SKIPPED, None, verdict.reason))


def _perform(story: _Story, step_id: str, occurrence: int) -> None:
    step = story.playbook.step(step_id)
    waits = step.call_webhook is not None and step.call_webhook.timeout is not None
    said = f"Its code is made: {step.offer.title}" if step.offer is not None else say_step(step)
    story.tell(step_id, step.kind, said, "assumed to succeed; nothing is called here")
    state = StepState.WAITING if waits else StepState.DONE
    story.set_row(StepRow(step_id, occurrence, state))


def _pass_time(story: _Story, wake_at: BusinessInstant | None) -> bool:
    """Go to the next instant at which something happens; False where there is none."""
    instants = [at for at, _what in story.due] + ([wake_at] if wake_at is not None else [])
    if not instants:
        return False
    story.now = max(min(instants), story.now)
    happened = [what for at, what in story.due if at <= story.now]
    story.due = [(at, what) for at, what in story.due if at > story.now]
    for what in happened:
        _happen(story, what)
    _age(story)
    return True


def _happen(story: _Story, what: str) -> None:
    view = story.view
    if what == "cause":
        story.view = replace(view, causes_hold=False, facts=with_values(view.facts, causes_open=False))
        story.tell(None, "assumed", "What opened the run has reversed", "assumed")
    elif what == "reply":
        story.tell(None, "assumed", "The customer answers", "assumed")
        answers = tuple(MeetingRow(name, count, "accepted") for name, count in view.position.visits.items())
        story.view = replace(
            view,
            replied_at=story.now,
            touched_at=story.now,
            meetings=answers,
            facts=with_values(view.facts, replied=True),
        )
    else:
        _finish(story, int(what.removeprefix("task ")))


def _finish(story: _Story, place: int) -> None:
    task = story.view.tasks[place]
    decides = task.purpose in {"approval", "offer"}
    outcome = TaskOutcome.APPROVED if decides else TaskOutcome.REACHED
    tasks = list(story.view.tasks)
    tasks[place] = replace(task, is_open=False, outcome=outcome)
    facts = with_values(story.view.facts, last_task_outcome=outcome.value)
    story.view = replace(story.view, tasks=tuple(tasks), facts=facts)
    said = "is approved" if decides else "is done"
    story.tell(task.step_id, "assumed", f"The task of “{task.step_id}” {said}", "assumed")


def _age(story: _Story) -> None:
    """Keep what counts days true as time passes."""
    renewal = story.view.dates.get(CustomerDate.RENEWAL)
    if renewal is not None:
        days = (renewal.date() - story.now.date()).days
        story.view = replace(story.view, facts=with_values(story.view.facts, days_to_renewal=days))
