"""What endpoints answer: taken once, into the record of the visit that waits for it, which rings the run."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.outgoing_webhooks import AnswerTooLateError
from domain.run_walk import FINISHED
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import DecisionKind, EffectState, NoticeKind, StepState
from models.changes import announce_change
from models.customer_state import lock_customer
from models.decisions import Decision, record_decisions
from models.effects import find_effect, settle
from models.outbox import Notice, put_notices
from models.runs import customer_of
from models.step_visits import Visit, is_row_of
from models.tables.playbooks import InterventionRow, InterventionStepRow

ANSWERED = "answered"


@dataclass(frozen=True)
class Answer:
    """One delivery of an endpoint: its own id, and what it says."""

    delivery_id: str
    body: dict[str, Any]


async def asked_endpoint(session: AsyncSession, visit: Visit) -> str | None:
    """Return the key of the endpoint that was called for a visit, None where none was."""
    effect = await find_effect(session, visit.origin)
    return effect.key.removeprefix(visit.origin) if effect is not None else None


async def take_answer(
    session: AsyncSession, visit: Visit, answer: Answer, now: BusinessInstant, wall: WallInstant
) -> bool:
    """Finish the visit with its answer and ring the run; False for the same delivery again.

    It may come before our own call has returned. Raises AnswerTooLateError where the visit is over.
    """
    customer_id = await customer_of(session, visit.intervention_id)
    await lock_customer(session, customer_id)
    row = await _row(session, visit)
    if row.state in FINISHED:
        if row.reason == ANSWERED and row.detail.get("answer_id") == answer.delivery_id:
            return False
        raise AnswerTooLateError(reason=_why_late(row))
    await _finish(session, visit, row, answer, now)
    effect = await find_effect(session, visit.origin)
    if effect is not None:
        await settle(session, effect.key, EffectState.CONFIRMED, wall)
    await _record(session, visit, customer_id, answer, now)
    payload = {"intervention_id": str(visit.intervention_id), "step_id": visit.step_id}
    await put_notices(session, [Notice(customer_id, NoticeKind.CUSTOMER_CHANGED, payload, now)], wall)
    await announce_change(session)
    return True


def _why_late(row: Row[Any]) -> str:
    if row.reason == ANSWERED:
        return "another answer came first"
    return "its time is over" if row.reason == "timeout" else f"the step is {row.state.value}"


async def _row(session: AsyncSession, visit: Visit) -> Row[Any]:
    row = InterventionStepRow
    query = select(row.state, row.reason, row.detail).where(is_row_of(visit))
    return (await session.execute(query)).one()


async def _finish(
    session: AsyncSession, visit: Visit, before: Row[Any], answer: Answer, now: BusinessInstant
) -> None:
    row = InterventionStepRow
    detail = {**before.detail, "answer": answer.body, "answer_id": answer.delivery_id}
    await session.execute(
        update(row)
        .where(is_row_of(visit))
        .values(state=StepState.DONE, reason=ANSWERED, due_at=None, detail=detail, finished_at=now)
    )


async def _record(
    session: AsyncSession, visit: Visit, customer_id: uuid.UUID, answer: Answer, now: BusinessInstant
) -> None:
    query = select(InterventionRow.playbook_key).where(InterventionRow.id == visit.intervention_id)
    playbook_key: str = (await session.execute(query)).scalar_one()
    evidence = {"step": visit.step_id, "occurrence": visit.occurrence, "answer_id": answer.delivery_id}
    decision = Decision(
        customer_id,
        DecisionKind.DIRECTIVE,
        "call_webhook",
        playbook_key,
        ANSWERED,
        f"The endpoint answered “{visit.step_id}”.",
        evidence,
        visit.intervention_id,
    )
    await record_decisions(session, [decision], now)
