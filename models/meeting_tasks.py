"""Work that a planned meeting gives its organiser: one task per meeting and matter."""

import uuid

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import Severity, TaskState
from models.changes import announce_change
from models.tables.customers import ContactRow
from models.tables.facts import MeetingRow
from models.tables.meetings import InvitationRow
from models.tables.work import TaskRow


async def ask_organiser(
    session: AsyncSession,
    meeting_id: uuid.UUID,
    matter: str,
    title: str,
    body: str,
    now: BusinessInstant,
    due_at: BusinessInstant,
) -> None:
    """Give the organiser a task; what is new in the same matter is written into it, and opens it again.

    The title may name {title} and {person}. It belongs to no run: what becomes of the run does not close it.
    """
    query = (
        select(MeetingRow.customer_id, MeetingRow.organiser_id, MeetingRow.title, ContactRow.name)
        .join(InvitationRow, InvitationRow.meeting_id == MeetingRow.id)
        .join(ContactRow, ContactRow.id == InvitationRow.contact_id)
        .where(MeetingRow.id == meeting_id)
    )
    meeting = (await session.execute(query)).one()
    words = title.format(title=meeting.title, person=meeting.name)
    fresh = {"body": body, "state": TaskState.OPEN, "due_at": due_at}
    statement = upsert(TaskRow).values(
        id=uuid.uuid4(),
        customer_id=meeting.customer_id,
        effect_key=f"meeting/{meeting_id}/{matter}",
        kind="meeting",
        title=words,
        severity=Severity.HIGH,
        assignee_id=meeting.organiser_id,
        created_at=now,
        **fresh,
    )
    reopened = {**fresh, "snoozed_until": None, "outcome": None, "closed_at": None, "closed_by_id": None}
    changed = statement.on_conflict_do_update(
        index_elements=["effect_key"], set_=reopened, where=TaskRow.body != statement.excluded.body
    )
    await session.execute(changed)
    await announce_change(session)
