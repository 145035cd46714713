"""Plan the meeting that a run invites to: its slot, and the rows that keep it. Part of the claim."""

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from string import Template
from typing import Any

from sqlalchemy import func, or_, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.guard import Recipient
from domain.invitations import PlannedMeeting
from domain.meeting_slots import Busy, SlotWish, choose_slot
from domain.playbook_contacts import ScheduleMeeting
from domain.ports import EmailAddress
from domain.time import BusinessInstant, WallInstant, after
from models.fact_changes import keep_before
from models.facts_batch import fact_id
from models.meeting_ends import meeting_key
from models.playbooks import PlaybookShelf
from models.progress import person_for
from models.runs import EVERSTAY, load_run
from models.sends import Order, SendContext
from models.sources import Source, connect_source
from models.step_visits import Visit
from models.tables.facts import MeetingRow
from models.tables.meetings import InvitationRow
from models.tables.people import UserRow

LOOK_AHEAD = timedelta(days=60)
"""How far ahead the organiser's other meetings are looked at."""
LONGEST = timedelta(hours=4)
USUAL_MINUTES = 60
"""How long a meeting is taken to last that has no invitation of ours."""


@dataclass(frozen=True)
class _Wanted:
    """One meeting to plan."""

    key: str
    order: ScheduleMeeting
    context: SendContext
    title: str
    organiser_id: uuid.UUID | None


async def with_meeting(
    session: AsyncSession,
    visit: Visit,
    order: Order,
    context: SendContext,
    shelf: PlaybookShelf,
    now: BusinessInstant,
    wall: WallInstant,
) -> SendContext:
    """Return the context with its meeting where the step invites to one; a repeated attempt keeps the slot.

    The caller holds the customer's row lock; organisers are locked after customers, everywhere.
    """
    if not isinstance(order, ScheduleMeeting):
        return context
    key = meeting_key(visit)
    kept = await _kept(session, key, context, now)
    if kept is None:
        run = await load_run(session, visit.intervention_id, shelf, now)
        organiser_id = await person_for(session, run, order.organiser, now)
        title = Template(order.title).substitute(run.texts)
        await _plan(session, _Wanted(key, order, context, title, organiser_id), now, wall)
        kept = await _kept(session, key, context, now)
    assert kept is not None  # noqa: S101 - it was just planned
    return _from_the_organiser(context, kept)


async def _kept(
    session: AsyncSession, key: str, context: SendContext, now: BusinessInstant
) -> PlannedMeeting | None:
    """Return what was planned before, unless its time has come or somebody else is asked by now."""
    assert context.person is not None  # noqa: S101 - the guard let it pass
    meeting, invitation = MeetingRow, InvitationRow
    query = (
        select(
            meeting.id,
            meeting.title,
            meeting.scheduled_at,
            invitation.minutes,
            invitation.sequence,
            invitation.time_zone,
            UserRow.email,
            UserRow.name,
            UserRow.title.label("position"),
        )
        .join(invitation, invitation.meeting_id == meeting.id)
        .outerjoin(UserRow, UserRow.id == meeting.organiser_id)
        .where(meeting.source_id == EVERSTAY, meeting.external_id == key, meeting.cancelled_at.is_(None))
        .where(meeting.scheduled_at > now, invitation.contact_id == context.person.contact_id)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    organiser = EmailAddress(row.email, row.name) if row.email else None
    return PlannedMeeting(*row[:6], organiser, row.position or "")


async def _plan(session: AsyncSession, wanted: _Wanted, now: BusinessInstant, wall: WallInstant) -> None:
    """Choose the slot and write it; the organiser's plans stand still meanwhile."""
    person, recipient = wanted.context.person, wanted.context.proposed.recipient
    assert person is not None  # noqa: S101 - the guard let it pass
    assert recipient is not None  # noqa: S101 - the guard let it pass
    await _lock_organiser(session, wanted.organiser_id)
    wish = await _wish(session, wanted, recipient, now)
    meeting_id = await _write_meeting(session, wanted, choose_slot(wish), now, wall)
    await _write_invitation(session, meeting_id, person.contact_id, wish, now)


async def _wish(
    session: AsyncSession, wanted: _Wanted, recipient: Recipient, now: BusinessInstant
) -> SlotWish:
    earliest = after(now, wanted.order.ahead)
    return SlotWish(
        earliest,
        wanted.order.minutes,
        str(wanted.context.customer_id),
        recipient.time_zone,
        await _zone_of(session, wanted.organiser_id),
        await _busy(session, wanted, earliest),
        recipient.days_off,
    )


async def with_likely_meeting(
    session: AsyncSession,
    visit: Visit,
    order: Order,
    context: SendContext,
    shelf: PlaybookShelf,
    now: BusinessInstant,
) -> SendContext:
    """Return the context with its meeting: what is planned, else what would be now. Writes nothing."""
    person, recipient = context.person, context.proposed.recipient
    if not isinstance(order, ScheduleMeeting) or person is None or recipient is None:
        return context
    key = meeting_key(visit)
    kept = await _kept(session, key, context, now)
    if kept is not None:
        return _from_the_organiser(context, kept)
    run = await load_run(session, visit.intervention_id, shelf, now)
    organiser_id = await person_for(session, run, order.organiser, now)
    wanted = _Wanted(key, order, context, Template(order.title).substitute(run.texts), organiser_id)
    wish = await _wish(session, wanted, recipient, now)
    user = select(UserRow.email, UserRow.name, UserRow.title).where(UserRow.id == organiser_id)
    found = (await session.execute(user)).one_or_none()
    organiser = EmailAddress(found.email, found.name) if found else None
    likely = PlannedMeeting(
        fact_id(EVERSTAY, "meeting", key),
        wanted.title,
        choose_slot(wish),
        order.minutes,
        0,
        recipient.time_zone,
        organiser,
        (found.title if found else None) or "",
    )
    return _from_the_organiser(context, likely)


async def _lock_organiser(session: AsyncSession, organiser_id: uuid.UUID | None) -> None:
    """Let one meeting of an organiser at a time look for its slot."""
    key = {"key": f"organiser/{organiser_id}"}
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), key)


async def _zone_of(session: AsyncSession, organiser_id: uuid.UUID | None) -> str | None:
    return await session.scalar(select(UserRow.time_zone).where(UserRow.id == organiser_id))


async def _busy(session: AsyncSession, wanted: _Wanted, earliest: BusinessInstant) -> list[Busy]:
    """Return when the organiser has meetings already, but for the declined and the cancelled ones."""
    meeting = MeetingRow
    minutes = func.coalesce(InvitationRow.minutes, USUAL_MINUTES)
    query = (
        select(meeting.scheduled_at, minutes.label("minutes"))
        .outerjoin(InvitationRow, InvitationRow.meeting_id == meeting.id)
        .where(meeting.organiser_id == wanted.organiser_id, meeting.cancelled_at.is_(None))
        .where(or_(meeting.answer.is_(None), meeting.answer != "declined"))
        .where(meeting.scheduled_at.between(after(earliest, -LONGEST), after(earliest, LOOK_AHEAD)))
        .where(meeting.external_id != wanted.key)
    )
    found = (await session.execute(query)).all()
    return [(row.scheduled_at, after(row.scheduled_at, timedelta(minutes=row.minutes))) for row in found]


async def _write_meeting(
    session: AsyncSession, wanted: _Wanted, slot: BusinessInstant, now: BusinessInstant, wall: WallInstant
) -> uuid.UUID:
    await connect_source(session, Source(EVERSTAY, "Everstay", "everstay", (), now))
    meeting_id = fact_id(EVERSTAY, "meeting", wanted.key)
    fresh: dict[str, Any] = {
        "title": wanted.title,
        "scheduled_at": slot,
        "organiser_id": wanted.organiser_id,
        "answer": None,
        "answered_at": None,
        "cancelled_at": None,
    }
    planned_anew = ("scheduled_at", "answer", "answered_at", "cancelled_at")
    await keep_before(session, MeetingRow, planned_anew, (MeetingRow.id == meeting_id,), now)
    statement = upsert(MeetingRow).values(
        id=meeting_id,
        source_id=EVERSTAY,
        external_id=wanted.key,
        content_hash="",
        customer_id=wanted.context.customer_id,
        kind=wanted.order.kind,
        known_at=now,
        received_at=wall,
        **fresh,
    )
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=fresh))
    return meeting_id


async def _write_invitation(
    session: AsyncSession, meeting_id: uuid.UUID, contact_id: uuid.UUID, wish: SlotWish, now: BusinessInstant
) -> None:
    values = {
        "contact_id": contact_id,
        "minutes": wish.minutes,
        "time_zone": wish.time_zone,
        "planned_at": now,
    }
    statement = upsert(InvitationRow).values(meeting_id=meeting_id, sequence=0, **values)
    again = {**values, "sequence": InvitationRow.sequence + 1, "stamp": None}
    await session.execute(statement.on_conflict_do_update(index_elements=["meeting_id"], set_=again))


def _from_the_organiser(context: SendContext, meeting: PlannedMeeting) -> SendContext:
    """Let whoever will be there write the letter and get the answers."""
    organiser = meeting.organiser
    if organiser is None:
        return replace(context, meeting=meeting)
    sender = {"name": organiser.name, "email": organiser.email, "title": meeting.organiser_title}
    values = {**context.values, "sender": sender}
    return replace(context, meeting=meeting, values=values, reply_to=organiser.email)
