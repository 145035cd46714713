"""Write what the interpreter said of a run: step records, tasks, heads-ups, position, or its end."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.directives import OpenHeadsUp
from domain.run_state import (
    ChangeOrder,
    NotifyOrder,
    OfferOrder,
    Progress,
    StepNote,
    TaskOrder,
    TurnOrder,
)
from domain.time import BusinessInstant, WallInstant
from domain.trials import Arm, Assignment
from domain.vocabulary import DecisionKind, InterventionState, NoticeKind, StepState, TaskState
from models.assignments import Subject, record_assignment
from models.decisions import Decision, record_decisions
from models.endings import RunEnding, cancel_tasks, end_run
from models.fact_changes import keep_before
from models.field_points import note_points
from models.heads_up_owners import owner_of_warning
from models.meeting_ends import withdraw_invitations
from models.outbox import Notice, put_notices
from models.rulings import open_heads_up
from models.run_offers import write_offer
from models.runs import LoadedRun
from models.step_visits import task_key
from models.tables.customers import CustomerRow
from models.tables.people import UserRow
from models.tables.playbooks import InterventionRow, InterventionStepRow
from models.tables.work import TaskRow
from models.unanswered import warn_of_unanswered

CLOSED = {StepState.DONE, StepState.SKIPPED, StepState.FAILED, StepState.CANCELLED}


async def write_progress(
    session: AsyncSession,
    run: LoadedRun,
    progress: Progress,
    seq: int,
    result: dict[str, Any],
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """Write everything in this transaction; `result` is what a retried attempt with `seq` gets back."""
    for note in progress.notes:
        await _note(session, run, note, now)
    for order in progress.orders:
        await ORDERS[type(order)](session, run, order, now)
    rests = progress.position.paused_since is not None
    await session.execute(
        update(InterventionRow)
        .where(InterventionRow.id == run.view.intervention_id)
        .values(
            state=InterventionState.PAUSED if rests else InterventionState.RUNNING,
            position=progress.position.model_dump(mode="json"),
            advance_seq=seq,
            last_result=result,
            expected_wake_at=progress.wake_at,
        )
    )
    if progress.ending is not None:
        await _end(session, run, progress, now, wall)


async def _note(session: AsyncSession, run: LoadedRun, note: StepNote, now: BusinessInstant) -> None:
    """Record one visit's state; a later note of the same visit overwrites an earlier one."""
    values = {
        "kind": note.kind,
        "state": note.state,
        "reason": note.reason,
        "due_at": note.due_at,
        "finished_at": now if note.state in CLOSED else None,
    }
    statement = upsert(InterventionStepRow).values(
        id=uuid.uuid4(),
        intervention_id=run.view.intervention_id,
        step_id=note.step_id,
        occurrence=note.occurrence,
        detail=note.detail,
        started_at=now,
        **values,
    )
    keys = ["intervention_id", "step_id", "occurrence"]
    await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
    if note.kind == "experiment" and "propensity" in note.detail:
        await _dealt(session, run, note, now)
    if note.kind == "schedule_meeting" and note.state in {StepState.SKIPPED, StepState.CANCELLED}:
        reason = note.reason or "it was left out"
        await withdraw_invitations(session, run.view.intervention_id, reason, now, note.step_id)


async def _dealt(session: AsyncSession, run: LoadedRun, note: StepNote, now: BusinessInstant) -> None:
    """Record which variant was dealt and how likely it was, once per run and step."""
    subject = Subject(
        run.customer_id, run.playbook_key, run.version_id, run.view.intervention_id, note.step_id
    )
    dealt = Assignment(Arm.TREATED, note.detail["propensity"], 0.0, f"step:{note.step_id}")
    await record_assignment(session, subject, dealt, now, arm=note.detail["variant"])


async def _task(session: AsyncSession, run: LoadedRun, order: TaskOrder, now: BusinessInstant) -> None:
    statement = upsert(TaskRow).values(
        id=uuid.uuid4(),
        customer_id=run.customer_id,
        intervention_id=run.view.intervention_id,
        effect_key=task_key(run.view.intervention_id, order.step_id, order.occurrence, order.purpose),
        kind=order.kind,
        title=order.title,
        body=order.body,
        severity=order.severity,
        assignee_id=await person_for(session, run, order.assignee, now),
        state=TaskState.OPEN,
        created_at=now,
        due_at=order.due_at,
    )
    await session.execute(statement.on_conflict_do_nothing(index_elements=["effect_key"]))


async def person_for(
    session: AsyncSession, run: LoadedRun, who: str, now: BusinessInstant
) -> uuid.UUID | None:
    """Return the user meant by csm, manager or sales; without one, the nearest who can look."""
    if who == "sales" and run.sales_owner_id is not None:
        return run.sales_owner_id
    if who == "manager" and run.csm_id is not None:
        manager = await session.scalar(select(UserRow.manager_id).where(UserRow.id == run.csm_id))
        return await owner_of_warning(session, manager or run.csm_id, now)
    return await owner_of_warning(session, run.csm_id, now)


async def _warn(session: AsyncSession, run: LoadedRun, order: NotifyOrder, now: BusinessInstant) -> None:
    owner = await person_for(session, run, order.to, now)
    key = f"{run.playbook_key}/{order.step_id}"
    await open_heads_up(
        session, run.customer_id, OpenHeadsUp(key, order.severity, order.title, order.body), now, owner
    )


async def _offer(session: AsyncSession, run: LoadedRun, order: OfferOrder, now: BusinessInstant) -> None:
    await write_offer(session, run.customer_id, run.view.intervention_id, order, now)


async def _change(session: AsyncSession, run: LoadedRun, order: ChangeOrder, now: BusinessInstant) -> None:
    values: dict[str, Any] = {}
    if order.touch_tier is not None:
        values["touch_tier_override"] = order.touch_tier
    if order.watchlist is not None:
        kept = func.coalesce(CustomerRow.watchlisted_at, now)
        values["watchlisted_at"] = kept if order.watchlist else None
    this = CustomerRow.id == run.customer_id
    if order.touch_tier is not None:
        await keep_before(session, CustomerRow, ("touch_tier_override",), (this,), now)
    await session.execute(update(CustomerRow).where(this).values(values))
    await note_points(session, [run.customer_id], now)


async def _turn(session: AsyncSession, run: LoadedRun, order: TurnOrder, now: BusinessInstant) -> None:
    """Write the receipt of a recalibration, and take back the work that it makes needless."""
    run_id = run.view.intervention_id
    closed = await cancel_tasks(session, run_id, order.sentence, now) if order.cancels_tasks else []
    await withdraw_invitations(session, run_id, order.sentence, now)
    receipt = {
        "direction": order.direction,
        "from": order.from_step,
        "to": order.to_step,
        "cancelled_steps": list(order.cancelled_steps),
        "cancelled_tasks": closed,
    }
    decision = Decision(
        run.customer_id,
        DecisionKind.DIRECTIVE,
        "recalibrate",
        run.playbook_key,
        f"step_{order.direction}",
        order.sentence,
        receipt,
        run_id,
    )
    await record_decisions(session, [decision], now)


ORDERS: dict[type, Callable[[AsyncSession, LoadedRun, Any, BusinessInstant], Awaitable[None]]] = {
    TaskOrder: _task,
    NotifyOrder: _warn,
    OfferOrder: _offer,
    ChangeOrder: _change,
    TurnOrder: _turn,
}


async def _end(
    session: AsyncSession, run: LoadedRun, progress: Progress, now: BusinessInstant, wall: WallInstant
) -> None:
    """End the run and let the customer's workflow hear of it."""
    ending = progress.ending
    assert ending is not None  # noqa: S101 - the caller asked
    done = RunEnding(
        run.view.intervention_id, run.customer_id, ending.outcome, ending.reason, ending.cancelled_steps
    )
    await end_run(session, done, now)
    await warn_of_unanswered(session, run, progress.position, ending.outcome, now)
    payload = {"intervention_id": str(run.view.intervention_id), "outcome": ending.outcome.value}
    await put_notices(session, [Notice(run.customer_id, NoticeKind.INTERVENTION_ENDED, payload, now)], wall)
