"""What people do with early warnings: seen, put off, handed over, closed. Impossible wishes are refused."""

import uuid
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import HeadsUpState
from models.changes import announce_change
from models.tables.work import HeadsUpRow
from models.work import check_assignee, check_snooze, note_human_action


async def acknowledge_heads_up(session: AsyncSession, heads_up_id: uuid.UUID, now: BusinessInstant) -> None:
    """Say that somebody has seen it; it stays until its cause is gone, but asks for nothing any more."""
    row = await _open(session, heads_up_id)
    await _change(session, row, now, state=HeadsUpState.ACKNOWLEDGED, snoozed_until=None)


async def snooze_heads_up(
    session: AsyncSession, heads_up_id: uuid.UUID, until: BusinessInstant, now: BusinessInstant
) -> None:
    """Put it away until an instant in the next 90 days."""
    row = await _open(session, heads_up_id)
    check_snooze(until, now)
    await _change(session, row, now, snoozed_until=until)


async def reassign_heads_up(
    session: AsyncSession, heads_up_id: uuid.UUID, owner_id: uuid.UUID, now: BusinessInstant
) -> None:
    """Hand it to a colleague, for whom it is new."""
    row = await _open(session, heads_up_id)
    await check_assignee(session, owner_id)
    told = {"owner_id": owner_id, "owner_since": now, "follows_customer": False}
    await _change(session, row, now, state=HeadsUpState.OPEN, snoozed_until=None, **told)


async def close_heads_up(
    session: AsyncSession, heads_up_id: uuid.UUID, reason: str, now: BusinessInstant
) -> None:
    """Close it by hand, with a reason; the same cause may warn again only after it was gone."""
    row = await _open(session, heads_up_id)
    words = reason.strip()[:200] or "closed by hand"
    await _change(session, row, now, state=HeadsUpState.CLOSED, closed_at=now, closed_reason=words)


async def _open(session: AsyncSession, heads_up_id: uuid.UUID) -> HeadsUpRow:
    row = await session.scalar(select(HeadsUpRow).where(HeadsUpRow.id == heads_up_id).with_for_update())
    if row is None:
        raise NotFoundError(what="heads-up", key=heads_up_id)
    if row.state is HeadsUpState.CLOSED:
        reason = f"it was closed in the meantime: {row.closed_reason or 'its cause is gone'}"
        raise ConflictError(what=f"The heads-up “{row.title}”", reason=reason)
    return row


async def _change(session: AsyncSession, row: HeadsUpRow, now: BusinessInstant, **values: Any) -> None:
    await session.execute(update(HeadsUpRow).where(HeadsUpRow.id == row.id).values(**values))
    await note_human_action(session, row.customer_id, row.signal_id, now)
    await announce_change(session)
