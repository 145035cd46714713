"""Tasks and heads-ups as the API shows them."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select

from domain.errors import NotFoundError
from domain.vocabulary import HeadsUpState, TaskState
from models.database import Session
from models.resources.keyset import Order, Row, Slice, only, read_row, read_slice
from models.tables.work import HeadsUpRow, TaskRow

_TASK = select(
    TaskRow.id,
    TaskRow.customer_id,
    TaskRow.intervention_id,
    TaskRow.case_id,
    TaskRow.kind,
    TaskRow.title,
    TaskRow.body,
    TaskRow.severity,
    TaskRow.assignee_id,
    TaskRow.state,
    TaskRow.created_at,
    TaskRow.due_at,
    TaskRow.snoozed_until,
    TaskRow.outcome,
    TaskRow.note,
    TaskRow.closed_at,
    TaskRow.closed_by_id,
)
HEADS_UP = select(
    HeadsUpRow.id,
    HeadsUpRow.customer_id,
    HeadsUpRow.signal_id,
    HeadsUpRow.owner_id,
    HeadsUpRow.severity,
    HeadsUpRow.title,
    HeadsUpRow.body,
    HeadsUpRow.arr_minor,
    HeadsUpRow.currency,
    HeadsUpRow.state,
    HeadsUpRow.opened_at,
    HeadsUpRow.snoozed_until,
    HeadsUpRow.closed_at,
    HeadsUpRow.closed_reason,
)


@dataclass(frozen=True)
class WorkFilter:
    """Whose work, of whom; None does not narrow."""

    person: uuid.UUID | None = None
    customer: uuid.UUID | None = None


async def list_tasks(
    session: Session, chosen: WorkFilter, state: list[TaskState], cursor: str | None, limit: int
) -> Slice:
    """Return tasks, the first due first."""
    conditions = only(
        person=(TaskRow.assignee_id.expression, chosen.person),
        customer=(TaskRow.customer_id.expression, chosen.customer),
        state=(TaskRow.state.expression, state),
    )
    order = Order("due_at", TaskRow.due_at.expression, TaskRow.id.expression)
    return await read_slice(session, _TASK.where(*conditions), order, cursor, limit)


async def load_task(session: Session, task_id: uuid.UUID) -> Row:
    """Return one task; raises NotFoundError."""
    row = await read_row(session, _TASK.where(TaskRow.id == task_id))
    if row is None:
        raise NotFoundError(what="task", key=task_id)
    return row


async def list_heads_ups(
    session: Session, chosen: WorkFilter, state: list[HeadsUpState], cursor: str | None, limit: int
) -> Slice:
    """Return heads-ups, the newest first."""
    conditions = only(
        person=(HeadsUpRow.owner_id.expression, chosen.person),
        customer=(HeadsUpRow.customer_id.expression, chosen.customer),
        state=(HeadsUpRow.state.expression, state),
    )
    order = Order("opened_at", HeadsUpRow.opened_at.expression, HeadsUpRow.id.expression, descending=True)
    return await read_slice(session, HEADS_UP.where(*conditions), order, cursor, limit)


async def load_heads_up(session: Session, heads_up_id: uuid.UUID) -> Row:
    """Return one heads-up; raises NotFoundError."""
    row = await read_row(session, HEADS_UP.where(HeadsUpRow.id == heads_up_id))
    if row is None:
        raise NotFoundError(what="heads-up", key=heads_up_id)
    return row
