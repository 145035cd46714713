"""Meetings that runs planned, as pages and the API show them."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.time import BusinessInstant
from models.tables.customers import ContactRow
from models.tables.facts import MeetingRow
from models.tables.meetings import InvitationRow
from models.tables.people import UserRow

EVERSTAY = "everstay"


@dataclass(frozen=True)
class MeetingLine:
    """One meeting with who is in it."""

    id: uuid.UUID
    customer_id: uuid.UUID
    contact_id: uuid.UUID
    contact: str
    intervention_id: uuid.UUID
    step_id: str
    kind: str
    title: str
    scheduled_at: BusinessInstant
    minutes: int
    organiser_id: uuid.UUID | None
    organiser: str | None
    answer: str | None
    answered_at: BusinessInstant | None
    held_at: BusinessInstant | None
    cancelled_at: BusinessInstant | None


async def load_meeting(session: AsyncSession, meeting_id: uuid.UUID) -> MeetingLine:
    """Return one, or raise NotFoundError where no run planned it."""
    row = (await session.execute(_query().where(MeetingRow.id == meeting_id))).one_or_none()
    if row is None:
        raise NotFoundError(what="meeting", key=meeting_id)
    return _line(row)


async def load_meetings_of(session: AsyncSession, run_id: uuid.UUID) -> tuple[MeetingLine, ...]:
    """Return the meetings that a run planned, the first first."""
    mine = MeetingRow.external_id.startswith(f"{run_id}/", autoescape=True)
    query = _query().where(MeetingRow.source_id == EVERSTAY, mine)
    rows = (await session.execute(query.order_by(MeetingRow.scheduled_at, MeetingRow.id))).all()
    return tuple(_line(row) for row in rows)


def _query() -> Select[MeetingRow, InvitationRow, str, str]:
    return (
        select(MeetingRow, InvitationRow, ContactRow.name, UserRow.name)
        .join(InvitationRow, InvitationRow.meeting_id == MeetingRow.id)
        .join(ContactRow, ContactRow.id == InvitationRow.contact_id)
        .outerjoin(UserRow, UserRow.id == MeetingRow.organiser_id)
    )


def _line(row: Any) -> MeetingLine:
    meeting, invitation, contact, organiser = row
    run_id, step_id, _occurrence = meeting.external_id.split("/", 2)
    return MeetingLine(
        id=meeting.id,
        customer_id=meeting.customer_id,
        contact_id=invitation.contact_id,
        contact=contact,
        intervention_id=uuid.UUID(run_id),
        step_id=step_id,
        kind=meeting.kind,
        title=meeting.title,
        scheduled_at=meeting.scheduled_at,
        minutes=invitation.minutes,
        organiser_id=meeting.organiser_id,
        organiser=organiser,
        answer=meeting.answer,
        answered_at=meeting.answered_at,
        held_at=meeting.held_at,
        cancelled_at=meeting.cancelled_at,
    )
