"""What a person says of an effect of which nobody knows whether it happened."""

import uuid

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, NotFoundError
from domain.run_walk import FINISHED
from domain.time import WallInstant
from domain.vocabulary import (
    DecisionKind,
    EffectState,
    StepState,
    TaskOutcome,
    TaskState,
    WorkflowAction,
)
from models.changes import announce_change
from models.customer_state import lock_customer
from models.decisions import Decision, record_decisions
from models.effects import settle
from models.hands import Hand
from models.send_ledger import uncertain_task_key
from models.step_visits import Visit, is_row_of
from models.tables.ledger import EffectRow
from models.tables.playbooks import InterventionRow, InterventionStepRow
from models.tables.work import TaskRow
from models.workflow_orders import order_workflow

NOT_SENT = "not_sent"


async def answer_effect(session: AsyncSession, key: str, hand: Hand, *, happened: bool) -> None:
    """Settle an effect by a person's word. Whatever they say, it is never done again under its key."""
    row = EffectRow
    customer_id = await session.scalar(select(row.customer_id).where(row.key == key))
    if customer_id is None:
        raise NotFoundError(what="effect", key=key)
    await lock_customer(session, customer_id)
    query = select(row.state, row.lease_until, row.kind).where(row.key == key)
    effect = (await session.execute(query)).one()
    _refuse_known(key, effect.state, effect.lease_until, hand.wall)
    state = EffectState.SENT if happened else EffectState.FAILED
    word = "it happened" if happened else "it did not happen"
    await settle(session, key, state, hand.wall, error=f"{hand.name} says that {word}")
    visit = await _visit_of(session, key)
    if visit is not None:
        await _finish(session, visit, hand, happened=happened)
        run_id = visit.intervention_id
        await order_workflow(session, WorkflowAction.RING, customer_id, run_id, hand.wall)
    decision = Decision(
        customer_id,
        DecisionKind.DIRECTIVE,
        "settle_effect",
        effect.kind,
        "by_a_person",
        f"{hand.name} says of an uncertain {effect.kind} that {word}.",
        {"effect": key},
        visit.intervention_id if visit is not None else None,
    )
    await record_decisions(session, [decision], hand.now)
    await announce_change(session)


def _refuse_known(key: str, state: EffectState, lease: WallInstant | None, wall: WallInstant) -> None:
    if state is EffectState.UNCERTAIN:
        return
    if state is not EffectState.CLAIMED:
        raise ConflictError(what=f"The effect {key}", reason=f"it is known by now: {state.value}")
    if lease is None or lease > wall:
        raise ConflictError(what=f"The effect {key}", reason="it is under way")


async def _visit_of(session: AsyncSession, key: str) -> Visit | None:
    """Return the visit whose effect it is, None where it is of no run."""
    parts = key.split("/")
    try:
        visit = Visit(uuid.UUID(parts[0]), parts[1], int(parts[2]))
    except (ValueError, IndexError):
        return None
    known = select(InterventionRow.id).where(InterventionRow.id == visit.intervention_id)
    return visit if await session.scalar(known) is not None else None


async def _finish(session: AsyncSession, visit: Visit, hand: Hand, *, happened: bool) -> None:
    step, task = InterventionStepRow, TaskRow
    await session.execute(
        update(step)
        .where(
            is_row_of(visit),
            step.state.not_in(FINISHED),
        )
        .values(
            state=StepState.DONE if happened else StepState.FAILED,
            reason=None if happened else NOT_SENT,
            due_at=None,
            finished_at=hand.now,
        )
    )
    await session.execute(
        update(task)
        .where(
            task.effect_key == uncertain_task_key(visit),
            task.state.in_([TaskState.OPEN, TaskState.SNOOZED]),
        )
        .values(
            state=TaskState.DONE, outcome=TaskOutcome.RESOLVED, closed_at=hand.now, closed_by_id=hand.user_id
        )
    )
