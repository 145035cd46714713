"""What a dunning case says to our own people: a question as a task, a step that was only planned."""

import uuid
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dunning_state import DunningRuling, Question
from domain.time import BusinessInstant, after
from domain.vocabulary import DecisionKind, Severity, TaskState
from models.cases import StoredCase
from models.decisions import Decision, record_decisions
from models.tables.customers import CustomerRow
from models.tables.work import TaskRow

DUE = timedelta(days=1)


async def ask_a_person(
    session: AsyncSession, case: StoredCase, question: Question, now: BusinessInstant
) -> None:
    """Put a question to whoever looks after the customer, once per case and question."""
    owner = select(CustomerRow.csm_id).where(CustomerRow.id == case.customer_id)
    statement = upsert(TaskRow).values(
        id=uuid.uuid4(),
        customer_id=case.customer_id,
        case_id=case.id,
        effect_key=f"case/{case.id}/question/{question.key}",
        kind="payment",
        title=question.title,
        body=question.body,
        severity=Severity.HIGH,
        assignee_id=await session.scalar(owner),
        state=TaskState.OPEN,
        created_at=now,
        due_at=after(now, DUE),
    )
    await session.execute(statement.on_conflict_do_nothing(index_elements=["effect_key"]))


async def note_planned(
    session: AsyncSession, case: StoredCase, ruling: DunningRuling, now: BusinessInstant
) -> None:
    """Write down what would have been done, while nothing may leave."""
    assert ruling.planned is not None  # noqa: S101 - the caller asked
    decision = Decision(
        case.customer_id,
        DecisionKind.OBSERVED,
        "case_step",
        case.kind.value,
        ruling.planned.value,
        ruling.sentence,
        case_id=case.id,
    )
    await record_decisions(session, [decision], now)
