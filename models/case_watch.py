"""Cases that do not go on by themselves, and what has been heard of their letters since they last looked."""

import uuid
from typing import Any

from sqlalchemy import Select, Text, cast, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseState
from domain.errors import NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import DecisionKind, EffectState, StepState, WorkflowAction
from models.case_steps import CaseVisit
from models.customer_state import lock_customer
from models.decisions import Decision, record_decisions
from models.doubts import close_question
from models.effects import find_effect
from models.hands import Hand
from models.tables.cases import CaseRow, CaseStepRow
from models.tables.customers import CustomerRow
from models.workflow_orders import order_workflow


def overslept_cases(late: BusinessInstant) -> Select[*tuple[Any, ...]]:
    """Ask for the cases that should have looked again before `late`: whose, since when, which, what kind."""
    row = CaseRow
    return (
        select(
            row.customer_id,
            CustomerRow.name,
            row.expected_wake_at.label("at"),
            row.id.label("case_id"),
            cast(row.kind, Text).label("kind"),
        )
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .where(row.state != CaseState.ENDED, row.expected_wake_at < late)
    )


async def retry_case(session: AsyncSession, case_id: uuid.UUID, hand: Hand, *, anew: bool) -> None:
    """Have a case looked at again, or its workflow started anew."""
    query = select(CaseRow.customer_id, CaseRow.kind).where(CaseRow.id == case_id)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFoundError(what="case", key=case_id)
    await lock_customer(session, found.customer_id)
    words = "started the case's workflow anew" if anew else "had the case looked at again"
    decision = Decision(
        found.customer_id,
        DecisionKind.DIRECTIVE,
        "retry_case",
        found.kind.value,
        "by_a_person",
        f"{hand.name} {words}.",
        case_id=case_id,
    )
    await record_decisions(session, [decision], hand.now)
    action = WorkflowAction.RESTART if anew else WorkflowAction.RING
    await order_workflow(session, action, found.customer_id, None, hand.wall, case_id=case_id)


async def hear_of_letters(session: AsyncSession, case_id: uuid.UUID, now: BusinessInstant) -> None:
    """Finish the letters in doubt that the provider has confirmed since. The caller holds the customer."""
    row = CaseStepRow
    query = select(row.id, row.step, row.occurrence).where(
        row.case_id == case_id, row.state == StepState.WAITING, row.reason == "uncertain"
    )
    for row_id, step, occurrence in (await session.execute(query)).all():
        visit = CaseVisit(case_id, step, occurrence)
        effect = await find_effect(session, visit.origin)
        if effect is not None and effect.state is EffectState.CONFIRMED:
            done = {"state": StepState.DONE, "reason": "confirmed", "due_at": None, "finished_at": now}
            await session.execute(update(row).where(row.id == row_id).values(done))
            await close_question(session, effect.key, now)
