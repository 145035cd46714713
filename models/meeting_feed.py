"""Our own meetings as a calendar tells of them again: they are the same meetings, by their UID."""

import uuid
from typing import Any

from sqlalchemy import select, update

from domain.facts import MeetingFact
from domain.time import BusinessInstant
from domain.vocabulary import NoticeKind
from models.arrays import among_ids
from models.fact_changes import keep_before
from models.facts_batch import Batch, Indexed, Verdict
from models.outbox import Notice
from models.tables.facts import MeetingRow
from models.tables.meetings import InvitationRow


async def take_own_meetings(batch: Batch, facts: Indexed) -> Indexed:
    """Let what a calendar says of our meetings change them, and return the facts about others."""
    named = {index: _meeting_id(fact.key) for index, fact in facts}
    ids = {one for one in named.values() if one is not None}
    if not ids:
        return facts
    query = select(MeetingRow).join(InvitationRow, InvitationRow.meeting_id == MeetingRow.id)
    found = await batch.session.scalars(
        query.where(among_ids(MeetingRow.id, ids)).with_for_update(of=MeetingRow)
    )
    ours = {meeting.id: meeting for meeting in found}
    others: list[Any] = []
    for index, fact in facts:
        meeting = ours.get(named[index] or uuid.UUID(int=0))
        if meeting is None or batch.customers.get(getattr(fact, "customer", "")) != meeting.customer_id:
            others.append((index, fact))
        else:
            assert isinstance(fact, MeetingFact)  # noqa: S101 - the caller sorted them by type
            await _retell(batch, index, fact, meeting)
    return others


def _meeting_id(key: str) -> uuid.UUID | None:
    """Return the id in `UID/domain`, the key of a calendar's meeting with one company."""
    try:
        return uuid.UUID(key.partition("/")[0])
    except ValueError:
        return None


async def _retell(batch: Batch, index: int, fact: MeetingFact, meeting: MeetingRow) -> None:
    changes = _changes(fact, meeting)
    batch.settle(index, Verdict.STORED if changes else Verdict.DUPLICATE)
    if changes:
        this = MeetingRow.id == meeting.id
        await keep_before(batch.session, MeetingRow, changes, (this,), fact.known_at)
        mine = update(MeetingRow).where(this)
        await batch.session.execute(mine.values(**changes, told_at=fact.known_at))
        payload = {"meeting_id": str(meeting.id)}
        notice = Notice(meeting.customer_id, NoticeKind.CUSTOMER_CHANGED, payload, fact.known_at)
        batch.notify(notice, fact.known_at)


def _changes(fact: MeetingFact, meeting: MeetingRow) -> dict[str, object]:
    """Return what the calendar knows better: a later answer, another time, that it was held or called off."""
    changes: dict[str, object] = {}
    if fact.answer not in {None, meeting.answer} and _is_later(fact.answered_at, meeting.answered_at):
        changes |= {"answer": fact.answer, "answered_at": fact.answered_at or fact.known_at}
    if fact.scheduled_at != meeting.scheduled_at and meeting.held_at is None:
        changes["scheduled_at"] = fact.scheduled_at
    for name in ("held_at", "cancelled_at"):
        told = getattr(fact, name)
        if told is not None and getattr(meeting, name) is None:
            changes[name] = told
    return changes


def _is_later(told: BusinessInstant | None, known: BusinessInstant | None) -> bool:
    return known is None or (told is not None and told > known)
