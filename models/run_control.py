"""What a person does with one run: stop, skip, send back, ring. The impossible is refused in words."""

import uuid
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.documents import END
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.playbook import Playbook
from domain.run_reset import sent_back
from domain.run_state import Position
from domain.run_walk import FINISHED
from domain.time import after
from domain.vocabulary import DecisionKind, InterventionState, NoticeKind, Outcome, StepState, WorkflowAction
from models.changes import announce_change
from models.customer_state import lock_customer
from models.decisions import Decision, record_decisions
from models.effects import abandon_claims
from models.endings import UNFINISHED, RunEnding, cancel_tasks, end_run
from models.hands import Hand
from models.outbox import Notice, put_notices
from models.playbooks import PlaybookShelf
from models.runs import customer_of
from models.tables.playbooks import InterventionRow, InterventionStepRow
from models.workflow_orders import order_workflow

LONGEST_REASON = 500


async def stop_run(
    session: AsyncSession, run_id: uuid.UUID, outcome: Outcome, reason: str, hand: Hand
) -> None:
    """End a run with an outcome and a reason; one that ended without an outcome gets it."""
    run = await _locked(session, run_id)
    said = checked_reason(reason)
    sentence = f"{said.rstrip('.')} (by {hand.name})"
    if run.state is InterventionState.ENDED:
        await _name_outcome(session, run, outcome, sentence, hand)
        return
    playbook = await PlaybookShelf().version(session, run.version_id)
    ending = RunEnding(run_id, run.customer_id, outcome, sentence, _ahead(run, playbook))
    started = await end_run(session, ending, hand.now)
    payload = {"intervention_id": str(run_id), "outcome": outcome.value}
    notice = Notice(run.customer_id, NoticeKind.INTERVENTION_ENDED, payload, hand.now)
    await put_notices(session, [notice], hand.wall)
    if started:
        await _ring(session, run, hand)
    await announce_change(session)


async def skip_step(session: AsyncSession, run_id: uuid.UUID, hand: Hand) -> str:
    """Leave out what the run stands at, so that it goes on with what comes after; return the step."""
    run = await _locked(session, run_id)
    _refuse_idle(run)
    position = Position.model_validate(run.position)
    if position.step in {None, END}:
        raise ConflictError(what="The run", reason="it stands at no step that could be skipped")
    step_id, occurrence = position.step or "", position.visits.get(position.step or "", 0)
    playbook = await PlaybookShelf().version(session, run.version_id)
    reason = f"skipped by {hand.name}"
    await _finish_visit(session, run_id, step_id, occurrence, playbook.step(step_id).kind, reason, hand)
    origin = f"{run_id}/{step_id}/{occurrence}/"
    await cancel_tasks(session, run_id, reason, hand.now, origin=origin)
    await abandon_claims(session, origin, reason)
    evidence = {"step": step_id, "occurrence": occurrence}
    await _record(session, run, "skip_step", f"{hand.name} skipped the step “{step_id}”.", evidence, hand)
    await _ring(session, run, hand)
    return step_id


async def restart_run(session: AsyncSession, run_id: uuid.UUID, step_id: str | None, hand: Hand) -> str:
    """Send a run back to its beginning or to a step; return where. What it did stays done under its keys."""
    run = await _locked(session, run_id)
    _refuse_idle(run)
    playbook = await PlaybookShelf().version(session, run.version_id)
    target = step_id or playbook.steps[0].id
    if target not in {step.id for step in playbook.steps}:
        known = ", ".join(step.id for step in playbook.steps)
        raise InvalidInputError(field="step", reason=f"{target!r} is no step of this version; it has {known}")
    position = Position.model_validate(run.position)
    _refuse_closed_window(run, playbook, position, hand)
    reason = f"sent back to “{target}” by {hand.name}"
    closed = await cancel_tasks(session, run_id, reason, hand.now)
    await _cancel_open_visits(session, run_id, reason, hand)
    await abandon_claims(session, f"{run_id}/", reason)
    new = sent_back(position, target, hand.now)
    await _change(session, run_id, position=new.model_dump(mode="json"))
    evidence = {"from": position.step, "to": target, "cancelled_tasks": closed}
    sentence = f"{hand.name} sent the run back to “{target}”."
    await _record(session, run, "restart_run", sentence, evidence, hand)
    await _ring(session, run, hand)
    return target


async def retry_run(session: AsyncSession, run_id: uuid.UUID, hand: Hand, *, anew: bool = False) -> None:
    """Have a run look again; a workflow that is gone, or any if `anew`, is started from what is stored."""
    run = await _locked(session, run_id)
    _refuse_idle(run)
    words = "started the run's workflow anew" if anew else "had the run look again"
    await _record(session, run, "retry_run", f"{hand.name} {words}.", {}, hand)
    await _ring(session, run, hand, WorkflowAction.RESTART if anew else WorkflowAction.RING)


async def retry_customer(session: AsyncSession, customer_id: uuid.UUID, hand: Hand, *, anew: bool) -> None:
    """Have a customer's own workflow look again, or start it anew."""
    await lock_customer(session, customer_id)
    words = "started the customer's workflow anew" if anew else "had the customer looked at again"
    decision = Decision(
        customer_id,
        DecisionKind.DIRECTIVE,
        "retry_customer",
        "lifecycle",
        "by_a_person",
        f"{hand.name} {words}.",
    )
    await record_decisions(session, [decision], hand.now)
    action = WorkflowAction.RESTART if anew else WorkflowAction.RING
    await order_workflow(session, action, customer_id, None, hand.wall)
    await announce_change(session)


def checked_reason(reason: str) -> str:
    """Return the reason without blanks around it; raises InvalidInputError."""
    said = reason.strip()
    if not 1 <= len(said) <= LONGEST_REASON:
        raise InvalidInputError(field="reason", reason=f"say why, in at most {LONGEST_REASON} characters")
    return said


async def _locked(session: AsyncSession, run_id: uuid.UUID) -> InterventionRow:
    """Return the run with its customer locked, as every writer of a run does."""
    try:
        customer_id = await customer_of(session, run_id)
    except NotFoundError:
        raise NotFoundError(what="run", key=run_id) from None
    await lock_customer(session, customer_id)
    query = select(InterventionRow).where(InterventionRow.id == run_id)
    return (await session.scalars(query.execution_options(populate_existing=True))).one()


def _refuse_idle(run: InterventionRow) -> None:
    if run.state is InterventionState.ENDED:
        raise ConflictError(what="The run", reason="it has ended")
    if run.state is InterventionState.PLANNED:
        raise ConflictError(what="The run", reason="it has not begun; release its playbook, or stop it")


def _refuse_closed_window(run: InterventionRow, playbook: Playbook, position: Position, hand: Hand) -> None:
    started = run.started_at or run.planned_at
    if hand.now >= after(started, playbook.goal.window + position.paused_for):
        days = playbook.goal.window.days
        reason = f"the {days} days for its goal are over; stop it and start the playbook anew"
        raise ConflictError(what="The run", reason=reason)


def _ahead(run: InterventionRow, playbook: Playbook) -> tuple[str, ...]:
    """Return the steps that stopping leaves out."""
    current = run.position.get("step")
    if current == END:
        return ()
    begun = current or playbook.steps[0].id
    left = {begun, *playbook.ahead_of(begun)}
    return tuple(step.id for step in playbook.steps if step.id in left)


async def _name_outcome(
    session: AsyncSession, run: InterventionRow, outcome: Outcome, sentence: str, hand: Hand
) -> None:
    if run.outcome is not None:
        raise ConflictError(what="The run", reason=f"it has ended as {run.outcome.value}")
    await _change(session, run.id, outcome=outcome, outcome_reason=sentence)
    words = f"{hand.name} named the outcome of the run: {outcome.value}."
    await _record(session, run, "name_outcome", words, {"reason": sentence}, hand)
    await announce_change(session)


async def _finish_visit(
    session: AsyncSession,
    run_id: uuid.UUID,
    step_id: str,
    occurrence: int,
    kind: str,
    reason: str,
    hand: Hand,
) -> None:
    """Record the visit as skipped, unless it is over already and only nobody has looked."""
    row = InterventionStepRow
    values = {"state": StepState.SKIPPED, "reason": reason, "due_at": None, "finished_at": hand.now}
    statement = upsert(row).values(
        id=uuid.uuid4(),
        intervention_id=run_id,
        step_id=step_id,
        occurrence=occurrence,
        kind=kind,
        detail={},
        started_at=hand.now,
        **values,
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["intervention_id", "step_id", "occurrence"],
            set_=values,
            where=row.state.not_in(FINISHED),
        )
    )


async def _cancel_open_visits(session: AsyncSession, run_id: uuid.UUID, reason: str, hand: Hand) -> None:
    row = InterventionStepRow
    await session.execute(
        update(row)
        .where(row.intervention_id == run_id, row.state.in_(UNFINISHED))
        .values(state=StepState.CANCELLED, finished_at=hand.now, reason=reason)
    )


async def _change(session: AsyncSession, run_id: uuid.UUID, **values: Any) -> None:
    await session.execute(update(InterventionRow).where(InterventionRow.id == run_id).values(**values))


async def _record(
    session: AsyncSession,
    run: InterventionRow,
    action: str,
    sentence: str,
    evidence: dict[str, Any],
    hand: Hand,
) -> None:
    told = evidence | {"user_id": str(hand.user_id) if hand.user_id else None}
    decision = Decision(
        run.customer_id,
        DecisionKind.DIRECTIVE,
        action,
        run.playbook_key,
        "by_a_person",
        sentence,
        told,
        run.id,
    )
    await record_decisions(session, [decision], hand.now)


async def _ring(
    session: AsyncSession, run: InterventionRow, hand: Hand, action: WorkflowAction = WorkflowAction.RING
) -> None:
    await order_workflow(session, action, run.customer_id, run.id, hand.wall)
    await announce_change(session)
