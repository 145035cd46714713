"""Telling every open customer that the pace of business time has changed, so that timers are armed anew."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import NoticeKind
from models.outbox import Notice, put_notices
from models.tables.ledger import OutboxRow
from models.tables.playbooks import LifecycleRow


async def ring_open_lifecycles(session: AsyncSession, now: BusinessInstant, wall: WallInstant) -> int:
    """Put a notice for each open lifecycle that has none of this kind waiting; return how many."""
    waiting = exists().where(
        OutboxRow.customer_id == LifecycleRow.customer_id,
        OutboxRow.kind == NoticeKind.CLOCK_CHANGED,
        OutboxRow.consumed_at.is_(None),
    )
    query = select(LifecycleRow.customer_id).where(LifecycleRow.ended_at.is_(None), ~waiting)
    customers = (await session.scalars(query)).all()
    await put_notices(session, [Notice(each, NoticeKind.CLOCK_CHANGED, {}, now) for each in customers], wall)
    return len(customers)
