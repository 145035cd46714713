"""What our own people say of a meeting that a run planned: the answer, an agreed time, that it was held."""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import ConflictError, InvalidInputError
from domain.invitations import MeetingAnswer
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import Channel, Direction, NoticeKind, Purpose, TouchpointState
from models.database import Session
from models.meeting_answers import answer_meeting, locked_meeting, write_change
from models.outbox import Notice, put_notices
from models.sources import Source, connect_source
from models.tables.customers import CustomerRow
from models.tables.facts import MeetingRow
from models.tables.ledger import TouchpointRow
from models.tables.meetings import InvitationRow
from models.touches import INBOX


@dataclass(frozen=True)
class MeetingChange:
    """What one of ours says; several things may be said at once."""

    answer: MeetingAnswer | None = None
    starts_at: BusinessInstant | None = None
    was_held: bool = False
    by_id: uuid.UUID | None = None


async def change_meeting(
    session: Session,
    meeting_id: uuid.UUID,
    change: MeetingChange,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """Write down what is said; the same again changes nothing."""
    if change.starts_at is not None:
        await move_meeting(session, meeting_id, change.starts_at, now, wall)
    if change.answer is not None:
        await answer_meeting(session, meeting_id, change.answer, now, wall)
    if change.was_held:
        await hold_meeting(session, meeting_id, change.by_id, now, wall)


async def move_meeting(
    session: Session,
    meeting_id: uuid.UUID,
    starts_at: BusinessInstant,
    now: BusinessInstant,
    wall: WallInstant,
) -> bool:
    """Set the time that our people agreed on with the customer; a refusal of the old time falls with it."""
    meeting = await locked_meeting(session, meeting_id)
    if meeting.held_at is not None:
        raise ConflictError(what=f"The meeting “{meeting.title}”", reason="it was held already")
    if starts_at <= now:
        raise InvalidInputError(field="scheduled_at", reason="choose a time ahead")
    if meeting.scheduled_at == starts_at and meeting.cancelled_at is None:
        return False
    answer = None if meeting.answer == "declined" else meeting.answer
    await write_change(session, meeting, now, wall, scheduled_at=starts_at, cancelled_at=None, answer=answer)
    return True


async def hold_meeting(
    session: Session,
    meeting_id: uuid.UUID,
    user_id: uuid.UUID | None,
    now: BusinessInstant,
    wall: WallInstant,
) -> bool:
    """Note that it took place, which is a contact with the person who was invited."""
    meeting = await locked_meeting(session, meeting_id)
    if meeting.held_at is not None:
        return False
    held = min(meeting.scheduled_at, now)
    await _touch(session, meeting, user_id, held, now)
    await write_change(session, meeting, now, wall, held_at=held, cancelled_at=None)
    payload = {
        "meeting_id": str(meeting_id),
        "direction": Direction.OUT.value,
        "channel": Channel.MEETING.value,
    }
    await put_notices(session, [Notice(meeting.customer_id, NoticeKind.TOUCHPOINT, payload, held)], wall)
    return True


async def _touch(
    session: Session,
    meeting: MeetingRow,
    user_id: uuid.UUID | None,
    held: BusinessInstant,
    now: BusinessInstant,
) -> None:
    await connect_source(session, Source(INBOX, "Inbox", "everstay", (), now))
    contact = select(InvitationRow.contact_id).where(InvitationRow.meeting_id == meeting.id)
    statement = upsert(TouchpointRow).values(
        id=uuid.uuid4(),
        source_id=INBOX,
        external_id=f"meeting/{meeting.id}",
        content_hash="",
        customer_id=meeting.customer_id,
        contact_id=await session.scalar(contact),
        user_id=user_id or meeting.organiser_id,
        direction=Direction.OUT,
        channel=Channel.MEETING,
        purpose=Purpose.LIFECYCLE,
        state=TouchpointState.DELIVERED,
        subject=meeting.title,
        occurred_at=held,
        known_at=now,
    )
    await session.execute(statement.on_conflict_do_nothing(index_elements=["source_id", "external_id"]))
    touched = func.greatest(CustomerRow.last_touch_at, held)
    mine = update(CustomerRow).where(CustomerRow.id == meeting.customer_id)
    await session.execute(mine.values(last_touch_at=touched))
