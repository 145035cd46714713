"""The step `offer`: proposed to a person, made at the billing provider after a yes; its end says the way."""

from domain.playbook_steps import Step
from domain.run_contacts import UNCERTAIN_PATIENCE, YES
from domain.run_state import OfferOrder, PerformOrder, StepRow, TaskOrder
from domain.run_walk import FINISHED, Walk
from domain.step_offers import is_made
from domain.time import BusinessInstant, after
from domain.vocabulary import Severity, StepState

OFFER, GRANTED, EXPIRED, REFUSED = "offer", "granted", "expired", "refused"
UNCERTAIN = "uncertain"
NOBODY_KNOWS = frozenset({UNCERTAIN, "every_attempt_failed"})
"""Reasons after which the code may have been made: what becomes of the offer is found out at the provider."""


def offer(walk: Walk, step: Step) -> str | None:
    """Propose what costs us to the person who may grant it, wait for the answer, and have it made."""
    terms, row = step.offer, walk.row
    assert terms is not None  # noqa: S101 - dispatched by kind
    if row is not None and row.state in FINISHED:
        return _way_on(walk, step, row)
    task = walk.run.task_of(step.id, walk.occurrence, OFFER)
    if task is not None and not task.is_open:
        return _granted(walk, step) if task.outcome in YES else _over(walk, step, REFUSED)
    if walk.run.expected_loss < terms.least_expected_loss:
        return _needless(walk, step, "expected_loss_too_small", is_proposed=task is not None)
    if task is None and walk.run.against_offer:
        return _needless(walk, step, walk.run.against_offer, is_proposed=False)
    due = walk.since_entered(terms.decide_in)
    if walk.now >= due:
        return _over(walk, step, EXPIRED)
    if task is None:
        _propose(walk, step, due)
    walk.wait_for(due)
    return None


def _way_on(walk: Walk, step: Step, row: StepRow) -> str:
    """Go on by how the visit ended; a person who says that a discount was made after all has granted it."""
    terms = step.offer
    assert terms is not None  # noqa: S101 - dispatched by kind
    is_granted = row.state is StepState.DONE and row.reason not in {EXPIRED, REFUSED}
    if row.state is not StepState.DONE and row.reason not in NOBODY_KNOWS:
        _write(walk, step, "withdrawn")
    return (terms.on_granted if is_granted else terms.on_refused) or walk.playbook.after(step)


def _needless(walk: Walk, step: Step, reason: str, *, is_proposed: bool) -> str:
    """Leave the step out; what was proposed before is over."""
    terms = step.offer
    assert terms is not None  # noqa: S101 - dispatched by kind
    if is_proposed:
        _write(walk, step, EXPIRED)
    walk.note(step, StepState.SKIPPED, reason)
    return terms.on_refused or walk.playbook.after(step)


def _over(walk: Walk, step: Step, state: str) -> str:
    """Note that nobody granted it."""
    terms = step.offer
    assert terms is not None  # noqa: S101 - dispatched by kind
    _write(walk, step, state)
    walk.note(step, StepState.DONE, state)
    return terms.on_refused or walk.playbook.after(step)


def _propose(walk: Walk, step: Step, due: BusinessInstant) -> None:
    terms = step.offer
    assert terms is not None  # noqa: S101 - dispatched by kind
    title, body = walk.fill(terms.title), walk.fill(terms.body)
    task = TaskOrder(step.id, walk.occurrence, OFFER, title, body, terms.approver, Severity.HIGH, due, OFFER)
    walk.orders.append(task)
    _write(walk, step, "proposed", due)
    walk.wait_for(due)
    walk.note(step, StepState.WAITING, OFFER)


def _granted(walk: Walk, step: Step) -> str | None:
    """Have what was agreed to made; what the provider has no part in is granted as it is."""
    terms, row = step.offer, walk.row
    assert terms is not None  # noqa: S101 - dispatched by kind
    if not is_made(terms.kind):
        _write(walk, step, GRANTED)
        walk.note(step, StepState.DONE, GRANTED)
        return terms.on_granted or walk.playbook.after(step)
    is_later = row is not None and row.state in {StepState.DEFERRED, StepState.WAITING}
    if row is not None and is_later and row.reason != OFFER:
        return _later(walk, step, row)
    _make(walk, step, is_first=row is None or row.reason == OFFER)
    return None


def _make(walk: Walk, step: Step, *, is_first: bool) -> None:
    """Ask for it; the first time, note that it was agreed to."""
    if is_first:
        _write(walk, step, "agreed")
    walk.wait_for(None)
    walk.perform = PerformOrder(step.id, walk.occurrence, step.kind)
    walk.note(step, StepState.STARTED)


def _later(walk: Walk, step: Step, row: StepRow) -> str | None:
    """Wait until what was put off is tried again, or for word on what is in doubt."""
    due = row.due_at or after(walk.now, UNCERTAIN_PATIENCE)
    if walk.now < due:
        walk.wait_for(due)
        return None
    if row.state is StepState.DEFERRED:
        _make(walk, step, is_first=False)
        return None
    terms = step.offer
    assert terms is not None  # noqa: S101 - dispatched by kind
    walk.note(step, StepState.SKIPPED, UNCERTAIN)
    return terms.on_refused or walk.playbook.after(step)


def _write(walk: Walk, step: Step, state: str, decide_by: BusinessInstant | None = None) -> None:
    terms = step.offer
    assert terms is not None  # noqa: S101 - dispatched by kind
    title = walk.fill(terms.title)
    walk.orders.append(
        OfferOrder(step.id, walk.occurrence, terms.kind, title, state, terms.percent, terms.months, decide_by)
    )
