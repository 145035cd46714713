"""What a person says of an effect of which nobody knows whether it happened."""

import uuid
from dataclasses import dataclass

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
from models.cases import ring_case
from models.changes import announce_change
from models.customer_state import lock_customer
from models.decisions import Decision, record_decisions
from models.doubts import question_about
from models.effects import settle
from models.hands import Hand
from models.step_visits import Visit, is_row_of
from models.tables.cases import CaseRow
from models.tables.ledger import EffectRow
from models.tables.playbooks import InterventionRow, InterventionStepRow
from models.tables.work import TaskRow
from models.workflow_orders import order_workflow

NOT_SENT = "not_sent"
CASE_PREFIX = "case/"
"""What keys of effects of cases begin with."""


@dataclass(frozen=True)
class _Place:
    """What an effect belongs to: one visit of a run, or one step of a case. Its key begins with `origin`."""

    origin: str
    visit: Visit | None = None
    case_id: uuid.UUID | None = None


async def answer_effect(session: AsyncSession, key: str, hand: Hand, *, happened: bool) -> None:
    """Settle an effect by a person's word. Whatever they say, it is never done again under its key.

    Raises NotFoundError, and ConflictError where it is known by now or under way.
    """
    row = EffectRow
    query = select(row.state, row.lease_until, row.kind, row.customer_id).where(row.key == key)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFoundError(what="effect", key=key)
    if found.customer_id is not None:
        await lock_customer(session, found.customer_id)
    effect = (await session.execute(query.with_for_update())).one()
    _refuse_known(key, effect.state, effect.lease_until, hand.wall)
    state = EffectState.SENT if happened else EffectState.FAILED
    word = "it happened" if happened else "it did not happen"
    await settle(session, key, state, hand.wall, error=f"{hand.name} says that {word}")
    if effect.customer_id is not None:
        place = await _place_of(session, key)
        await _let_go_on(session, place, effect.customer_id, hand, happened=happened)
        decision = Decision(
            effect.customer_id,
            DecisionKind.DIRECTIVE,
            "settle_effect",
            effect.kind,
            "by_a_person",
            f"{hand.name} says of an uncertain {effect.kind} that {word}.",
            {"effect": key},
            place.visit.intervention_id if place is not None and place.visit is not None else None,
            place.case_id if place is not None else None,
        )
        await record_decisions(session, [decision], hand.now)
    await announce_change(session)


async def _let_go_on(
    session: AsyncSession, place: _Place | None, customer_id: uuid.UUID, hand: Hand, *, happened: bool
) -> None:
    """Close what waits for the answer, and ring whoever asked for the effect."""
    if place is None:
        return
    await _close_question(session, place, hand)
    if place.visit is not None:
        await _finish(session, place.visit, hand, happened=happened)
        run_id = place.visit.intervention_id
        await order_workflow(session, WorkflowAction.RING, customer_id, run_id, hand.wall)
    if place.case_id is not None:
        await ring_case(session, place.case_id, hand.wall)


def _refuse_known(key: str, state: EffectState, lease: WallInstant | None, wall: WallInstant) -> None:
    if state is EffectState.UNCERTAIN:
        return
    if state is not EffectState.CLAIMED:
        raise ConflictError(what=f"The effect {key}", reason=f"it is known by now: {state.value}")
    if lease is None or lease > wall:
        raise ConflictError(what=f"The effect {key}", reason="it is under way")


async def _place_of(session: AsyncSession, key: str) -> _Place | None:
    """Return what the effect belongs to, None where it is of no run and no case."""
    is_of_case, parts = key.startswith(CASE_PREFIX), key.removeprefix(CASE_PREFIX).split("/")
    try:
        of, step, occurrence = uuid.UUID(parts[0]), parts[1], int(parts[2])
    except (ValueError, IndexError):
        return None
    if is_of_case:
        known = await session.scalar(select(CaseRow.id).where(CaseRow.id == of))
        origin = f"{CASE_PREFIX}{of}/{step}/{occurrence}/"
        return _Place(origin, case_id=of) if known is not None else None
    visit = Visit(of, step, occurrence)
    known = await session.scalar(select(InterventionRow.id).where(InterventionRow.id == of))
    return _Place(visit.origin, visit) if known is not None else None


async def _finish(session: AsyncSession, visit: Visit, hand: Hand, *, happened: bool) -> None:
    step = InterventionStepRow
    await session.execute(
        update(step)
        .where(is_row_of(visit), step.state.not_in(FINISHED))
        .values(
            state=StepState.DONE if happened else StepState.FAILED,
            reason=None if happened else NOT_SENT,
            due_at=None,
            finished_at=hand.now,
        )
    )


async def _close_question(session: AsyncSession, place: _Place, hand: Hand) -> None:
    """Close the task that asks a person to find out."""
    task = TaskRow
    await session.execute(
        update(task)
        .where(
            task.effect_key == question_about(place.origin),
            task.state.in_([TaskState.OPEN, TaskState.SNOOZED]),
        )
        .values(
            state=TaskState.DONE, outcome=TaskOutcome.RESOLVED, closed_at=hand.now, closed_by_id=hand.user_id
        )
    )
