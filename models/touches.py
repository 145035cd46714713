"""Contacts that our own people make: a call that reached somebody ends a silence."""

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import (
    Channel,
    Direction,
    NoticeKind,
    Purpose,
    TaskOutcome,
    TouchpointState,
)
from models.outbox import Notice
from models.sources import Source, connect_source
from models.tables.customers import CustomerRow
from models.tables.ledger import TouchpointRow
from models.tables.work import TaskRow

SPOKEN = {TaskOutcome.REACHED, TaskOutcome.RESOLVED}
CHANNELS = {"call": Channel.CALL, "email": Channel.EMAIL, "meeting": Channel.MEETING}
INBOX = "inbox"
"""The source id of what our people report by finishing a task. It is not how we hear of contacts."""


async def note_finished_tasks(
    session: AsyncSession, customer_id: uuid.UUID, notices: Sequence[Notice], now: BusinessInstant
) -> BusinessInstant | None:
    """Write a touchpoint for each task that reached somebody; return the last contact where one did."""
    ids = [uuid.UUID(notice.payload["task_id"]) for notice in notices if notice.kind is NoticeKind.TASK_DONE]
    if not ids:
        return None
    query = select(TaskRow).where(TaskRow.id.in_(ids), TaskRow.outcome.in_(SPOKEN))
    tasks = (await session.scalars(query)).all()
    for task in tasks:
        await _touch(session, customer_id, task, now)
    if not tasks:
        return None
    touched: BusinessInstant | None = await session.scalar(
        update(CustomerRow)
        .where(CustomerRow.id == customer_id)
        .values(last_touch_at=func.greatest(CustomerRow.last_touch_at, now))
        .returning(CustomerRow.last_touch_at)
    )
    return touched


async def _touch(session: AsyncSession, customer_id: uuid.UUID, task: TaskRow, now: BusinessInstant) -> None:
    await connect_source(session, Source(INBOX, "Inbox", "everstay", (), now))
    statement = upsert(TouchpointRow).values(
        id=uuid.uuid4(),
        source_id=INBOX,
        external_id=str(task.id),
        content_hash="",
        customer_id=customer_id,
        user_id=task.closed_by_id,
        intervention_id=task.intervention_id,
        direction=Direction.OUT,
        channel=CHANNELS.get(task.kind, Channel.NOTE),
        purpose=Purpose.LIFECYCLE,
        state=TouchpointState.DELIVERED,
        subject=task.title,
        occurred_at=task.closed_at or now,
        known_at=now,
    )
    await session.execute(statement.on_conflict_do_nothing(index_elements=["source_id", "external_id"]))
