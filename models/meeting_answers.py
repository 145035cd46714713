"""What the invited person answers, by our page or by their calendar. Each answer rings the run."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from domain.errors import NotFoundError
from domain.invitations import InvitationReply, MeetingAnswer
from domain.time import BusinessInstant, WallInstant, after
from domain.vocabulary import NoticeKind
from models.changes import announce_change
from models.customer_state import lock_customer
from models.database import Session
from models.fact_changes import keep_before
from models.meeting_tasks import ask_organiser
from models.outbox import Notice, put_notices
from models.tables.customers import ContactRow
from models.tables.facts import MeetingRow
from models.tables.meetings import InvitationRow
from models.tables.people import UserRow
from models.tables.system import InstallationRow

PROPOSAL_DUE = dt.timedelta(days=1)
LONGEST_WISH = 500
ANOTHER_TIME = (
    "They cannot come as proposed and would like another time. They wrote: {wish}\n\n"
    "Agree on one with them, and then set it on the meeting's page. Until then the run waits as if nobody "
    "had answered."
)


@dataclass(frozen=True)
class InvitedPerson:
    """An invitation as the page shows it to the person who got it."""

    meeting_id: uuid.UUID
    title: str
    starts_at: BusinessInstant
    minutes: int
    time_zone: str | None
    answer: str | None
    is_cancelled: bool
    was_held: bool
    name: str
    locale: str
    organiser: str
    company_name: str

    def is_over(self, now: BusinessInstant) -> bool:
        """Whether no answer can change anything any more."""
        return self.was_held or after(self.starts_at, dt.timedelta(minutes=self.minutes)) <= now


async def load_invited(session: Session, meeting_id: uuid.UUID, contact_id: uuid.UUID) -> InvitedPerson:
    """Return the invitation; raises NotFoundError where somebody else is asked by now."""
    company = select(InstallationRow.company_name).where(InstallationRow.id == 1).scalar_subquery()
    meeting, invitation = MeetingRow, InvitationRow
    query = (
        select(
            meeting.id,
            meeting.title,
            meeting.scheduled_at,
            invitation.minutes,
            invitation.time_zone,
            meeting.answer,
            meeting.cancelled_at.is_not(None),
            meeting.held_at.is_not(None),
            ContactRow.name,
            ContactRow.locale,
            func.coalesce(UserRow.name, company, "us"),
            func.coalesce(company, "us"),
        )
        .join(invitation, invitation.meeting_id == meeting.id)
        .join(ContactRow, ContactRow.id == invitation.contact_id)
        .outerjoin(UserRow, UserRow.id == meeting.organiser_id)
        .where(meeting.id == meeting_id, invitation.contact_id == contact_id)
    )
    row: Any = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError(what="invitation", key="this link names")
    return InvitedPerson(*row)


async def answer_meeting(
    session: Session, meeting_id: uuid.UUID, answer: MeetingAnswer, now: BusinessInstant, wall: WallInstant
) -> bool:
    """Keep the newest answer and ring the run; returns whether it was news.

    The run acts on it while it waits for one; later it is known, and changes nothing of the run.
    """
    meeting = await locked_meeting(session, meeting_id)
    if meeting.answer == answer:
        return False
    await write_change(session, meeting, now, wall, answer=answer, answered_at=now)
    return True


async def take_reply(
    session: Session, reply: InvitationReply, sender: str, now: BusinessInstant, wall: WallInstant
) -> bool:
    """Take a calendar's answer; False where it is none of ours, or somebody else's than the invited person.

    An answer that was given before the newest one known is no news: mails overtake each other.
    """
    row = InvitationRow
    query = (
        select(row.meeting_id)
        .join(ContactRow, ContactRow.id == row.contact_id)
        .where(row.meeting_id == reply.meeting_id, func.lower(ContactRow.email) == reply.attendee)
    )
    if reply.attendee != sender or await session.scalar(query) is None:
        return False
    await locked_meeting(session, reply.meeting_id)
    known = await session.scalar(select(row.stamp).where(row.meeting_id == reply.meeting_id))
    if known is None or reply.stamp >= known:
        mine = update(row).where(row.meeting_id == reply.meeting_id)
        await session.execute(mine.values(stamp=reply.stamp))
        await answer_meeting(session, reply.meeting_id, reply.answer, now, wall)
    return True


async def propose_another_time(
    session: Session, meeting_id: uuid.UUID, wish: str, now: BusinessInstant
) -> None:
    """Give the organiser the task to find another time; it counts as no answer."""
    said = " ".join(wish.split())[:LONGEST_WISH]
    body = ANOTHER_TIME.format(wish=f"“{said}”" if said else "nothing more.")
    title = "Find another time for “{title}” with {person}"
    await ask_organiser(session, meeting_id, "another-time", title, body, now, after(now, PROPOSAL_DUE))


async def locked_meeting(session: Session, meeting_id: uuid.UUID) -> MeetingRow:
    """Return one of our own meetings, the customer locked first as everywhere; others' are their sources'."""
    query = select(MeetingRow).join(InvitationRow, InvitationRow.meeting_id == MeetingRow.id)
    query = query.where(MeetingRow.id == meeting_id)
    customer = await session.scalar(query.with_only_columns(MeetingRow.customer_id))
    if customer is None:
        raise NotFoundError(what="meeting", key=meeting_id)
    await lock_customer(session, customer)
    return (await session.scalars(query.with_for_update(of=MeetingRow))).one()


async def write_change(
    session: Session, meeting: MeetingRow, now: BusinessInstant, wall: WallInstant, **values: object
) -> None:
    """Change the row, and ring whoever waits for it."""
    this = MeetingRow.id == meeting.id
    await keep_before(session, MeetingRow, values, (this,), now)
    await session.execute(update(MeetingRow).where(this).values(**values, told_at=now))
    await tell_of_meeting(session, meeting.customer_id, meeting.id, now, wall)


async def tell_of_meeting(
    session: Session, customer_id: uuid.UUID, meeting_id: uuid.UUID, now: BusinessInstant, wall: WallInstant
) -> None:
    """Ring the customer's runs and every open page."""
    notice = Notice(customer_id, NoticeKind.CUSTOMER_CHANGED, {"meeting_id": str(meeting_id)}, now)
    await put_notices(session, [notice], wall)
    await announce_change(session)
