"""What a person is asked about an effect in doubt. The question stays until somebody knows the answer.

It outlives the run or the case that asked for the effect: what may have happened in the world did so whether
or not anybody still waits for it.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, func, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, after
from domain.vocabulary import Severity, TaskState
from models.tables.work import TaskRow

WAIT_FOR_WORD = timedelta(days=1)
"""So long a case waits for somebody's word on an effect in doubt; then it goes on without it."""
_ENDS_WITH = "/uncertain"
CONFIRMED = "The provider has confirmed since that it took it."


@dataclass(frozen=True)
class Asker:
    """What asked for an effect: a visit of a run or of a case."""

    origin: str
    """The part of the effect key before the target."""
    customer_id: uuid.UUID
    run_id: uuid.UUID | None = None
    case_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Question:
    """What a person is asked about an effect in doubt."""

    title: str
    body: str
    assignee_id: uuid.UUID | None


def whether_arrived(delivery_id: str, assignee_id: uuid.UUID | None) -> Question:
    """Return the question about a letter of which its provider said nothing."""
    return Question(
        "Find out whether an e-mail arrived",
        f"The provider did not say whether it took delivery {delivery_id}. It is not sent again by itself. "
        "Look at the provider's activity page or ask the customer before you write to them.",
        assignee_id,
    )


async def ask_about(session: AsyncSession, asker: Asker, question: Question, now: BusinessInstant) -> None:
    """Put an effect in doubt to a person, once, with the evidence."""
    statement = upsert(TaskRow).values(
        id=uuid.uuid4(),
        customer_id=asker.customer_id,
        intervention_id=asker.run_id,
        case_id=asker.case_id,
        effect_key=question_about(asker.origin),
        kind="review",
        title=question.title,
        body=question.body,
        severity=Severity.HIGH,
        assignee_id=question.assignee_id,
        state=TaskState.OPEN,
        created_at=now,
        due_at=after(now, WAIT_FOR_WORD),
    )
    await session.execute(statement.on_conflict_do_nothing(index_elements=["effect_key"]))


def question_about(effect_key: str) -> str:
    """Return the key of the question about an effect, or about what has this origin: asked once."""
    return effect_key.rpartition("/")[0] + _ENDS_WITH


def is_question() -> ColumnElement[bool]:
    """Tell whether a task asks about an effect in doubt."""
    return func.coalesce(TaskRow.effect_key, "").endswith(_ENDS_WITH, autoescape=True)


async def close_question(
    session: AsyncSession, effect_key: str, now: BusinessInstant, note: str = CONFIRMED
) -> None:
    """Close what was asked about an effect of which a provider has told by now."""
    mine = (
        TaskRow.effect_key == question_about(effect_key),
        TaskRow.state.in_([TaskState.OPEN, TaskState.SNOOZED]),
    )
    closed = {"state": TaskState.CANCELLED, "closed_at": now, "note": note}
    await session.execute(update(TaskRow).where(*mine).values(closed))
