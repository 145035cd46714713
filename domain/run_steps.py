"""The steps that reach nobody outside: work for our people, waits, ways, and calls to other systems."""

from collections.abc import Callable
from datetime import timedelta

from domain.calendar import next_in_window
from domain.dealing import deal
from domain.playbook_steps import Step, Wait
from domain.run_contacts import meet, prompt, send
from domain.run_offers import offer
from domain.run_state import ChangeOrder, NotifyOrder, PerformOrder, TaskOrder
from domain.run_walk import FINISHED, Walk
from domain.time import BusinessInstant, after
from domain.vocabulary import StepState


def _task(walk: Walk, step: Step) -> str | None:
    order = step.create_task
    assert order is not None  # noqa: S101 - dispatched by kind
    walk.orders.append(
        TaskOrder(
            step.id,
            walk.occurrence,
            order.kind,
            walk.fill(order.title),
            walk.fill(order.body),
            order.assignee,
            order.severity,
            after(walk.now, order.due_in),
        )
    )
    walk.note(step, StepState.DONE)
    return walk.playbook.after(step)


def _notify(walk: Walk, step: Step) -> str | None:
    order = step.notify
    assert order is not None  # noqa: S101 - dispatched by kind
    title, body = walk.fill(order.title), walk.fill(order.body)
    walk.orders.append(NotifyOrder(step.id, order.to, order.severity, title, body))
    walk.note(step, StepState.DONE)
    return walk.playbook.after(step)


def _wait(walk: Walk, step: Step) -> str | None:
    """Let time pass; what was waited for goes one way, the timeout the other."""
    wait, following = step.wait, walk.playbook.after(step)
    assert wait is not None  # noqa: S101 - dispatched by kind
    if walk.row is not None and walk.row.state in FINISHED:  # a person has ended it
        return wait.on_timeout or following
    if walk.playbook.is_moot(step):
        walk.note(step, StepState.DONE, "nothing_follows")
        return following
    if wait.waits_for_something and _has_happened(walk, wait):
        walk.note(step, StepState.DONE, wait.event or "condition")
        return wait.on_event or following
    due = _before_a_message(walk, step, _due(walk, wait))
    if due is None or walk.now >= due:
        walk.note(step, StepState.DONE, _why_over(wait, due))
        return (wait.on_timeout if wait.waits_for_something else None) or following
    if walk.position.due_at != due:
        walk.wait_for(due)
        walk.note(step, StepState.WAITING)
    return None


def _why_over(wait: Wait, due: BusinessInstant | None) -> str | None:
    if due is None:
        return "no_such_date"
    return "timeout" if wait.waits_for_something else None


def _before_a_message(walk: Walk, step: Step, due: BusinessInstant | None) -> BusinessInstant | None:
    """Let a wait that a message follows end when doors are open: nobody gains if it finds them closed."""
    hours, follows = walk.run.open_hours, walk.playbook.message_after(step)
    if due is None or hours is None or follows is None or walk.playbook.step(follows).is_transactional:
        return due
    return hours.opening(due)


def _due(walk: Walk, wait: Wait) -> BusinessInstant | None:
    """Return when the wait is over by time, None where the customer has no such date."""
    if wait.until_date is not None:
        at = walk.run.dates.get(wait.until_date.date)
        return None if at is None else after(at, wait.until_date.offset)
    if wait.until_window is not None:
        window = wait.until_window
        zone = window.zone or walk.run.time_zone
        return next_in_window(walk.entered_at, window, zone, walk.run.days_off)
    return walk.since_entered(wait.duration or wait.timeout or timedelta())


def _has_happened(walk: Walk, wait: Wait) -> bool:
    run = walk.run
    if wait.condition is not None:
        return wait.condition.holds(run.facts)
    if wait.event == "task_done":
        newest = walk.position.visits.get(wait.step or "", 0)
        task = run.task_of(wait.step or "", newest)
        return task is not None and not task.is_open
    if wait.event == "reply":
        return _hear(walk, "reply_heard_at", run.replied_at)
    if wait.event == "touchpoint":
        return _hear(walk, "touch_heard_at", run.touched_at)
    at = run.met_at if wait.event == "meeting" else run.paid_at
    return at is not None


def _hear(walk: Walk, name: str, at: BusinessInstant | None) -> bool:
    """Take what happened for this wait, so that the next one waits for something new."""
    heard = getattr(walk.position, name)
    if at is None or (heard is not None and at <= heard):
        return False
    walk.set(**{name: at})
    return True


def _branch(walk: Walk, step: Step) -> str | None:
    branch = step.branch
    assert branch is not None  # noqa: S101 - dispatched by kind
    holds = branch.condition.holds(walk.run.facts)
    walk.note(step, StepState.DONE, "then" if holds else "else")
    return branch.then if holds else branch.otherwise


def _experiment(walk: Walk, step: Step) -> str | None:
    """Deal the customer out by a hash: the same playbook and step give the same variant for good."""
    experiment = step.experiment
    assert experiment is not None  # noqa: S101 - dispatched by kind
    salt = f"{walk.playbook.key}/{step.id}/{walk.run.customer_id}"
    shares = walk.run.shares.get(step.id) if experiment.choose == "measured" else None
    dealt = deal(experiment, salt, shares, walk.run.dealt.get(step.id))
    detail = {"variant": dealt.variant.name, "propensity": dealt.propensity}
    walk.note(step, StepState.DONE, dealt.variant.name, **detail)
    return dealt.variant.next


def _update(walk: Walk, step: Step) -> str | None:
    change = step.update_customer
    assert change is not None  # noqa: S101 - dispatched by kind
    walk.orders.append(ChangeOrder(change.touch_tier, change.watchlist))
    walk.note(step, StepState.DONE)
    return walk.playbook.after(step)


def _perform(walk: Walk, step: Step) -> str | None:
    """Have another activity do it; go on once that has recorded what became of it."""
    row = walk.row
    if row is not None and row.state in FINISHED:
        return _way_on(walk, step, row.reason)
    if row is not None and row.state is StepState.WAITING:
        return _await_answer(walk, step)
    if row is not None and row.due_at is not None and walk.now < row.due_at:
        walk.wait_for(row.due_at)
        return None
    walk.wait_for(None)
    walk.perform = PerformOrder(step.id, walk.occurrence, step.kind)
    walk.note(step, StepState.STARTED)
    return None


def _way_on(walk: Walk, step: Step, result: str | None) -> str:
    following = walk.playbook.after(step)
    if step.call is not None:
        return step.call.results.get(result or "", following)
    if step.call_webhook is not None and result == "answered":
        return step.call_webhook.on_answer or following
    return following


def _await_answer(walk: Walk, step: Step) -> str | None:
    """Wait for the signed answer of a webhook until its timeout."""
    webhook = step.call_webhook
    timeout = webhook.timeout if webhook is not None else None
    due = walk.since_entered(timeout or timedelta(days=1))
    if walk.now >= due:
        walk.note(step, StepState.DONE, "timeout")
        return (webhook.on_timeout if webhook is not None else None) or walk.playbook.after(step)
    walk.wait_for(due)
    return None


ACTIONS: dict[str, Callable[[Walk, Step], str | None]] = {
    "send_email": send,
    "in_app_prompt": prompt,
    "schedule_meeting": meet,
    "offer": offer,
    "create_task": _task,
    "notify": _notify,
    "wait": _wait,
    "branch": _branch,
    "experiment": _experiment,
    "update_customer": _update,
    "retry_payment": _perform,
    "call_webhook": _perform,
    "write_crm": _perform,
    "call": _perform,
}
"""What each kind of step does; it returns where to go on, None to wait."""
