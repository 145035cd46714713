"""Watches over silences: ring the customers with whom nobody has spoken for too long."""

from sqlalchemy import Integer, cast, extract, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import NoticeKind
from models.outbox import Notice, put_notices
from models.tables.customers import CustomerRow
from models.tables.playbooks import LifecycleRow

DAY = 86_400
"""Seconds. A silence moves by whole days: it is due at its hour of the morning."""


async def tell_of_silences(
    session: AsyncSession, now: BusinessInstant, wall: WallInstant, limit: int = 500
) -> int:
    """Put a notice for each silence that is over; one that a contact has cut short begins anew.

    Customers that are being decided on are left to the next call: the order of locks is theirs.
    """
    row = LifecycleRow
    due = (
        select(row.customer_id)
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .where(row.silence_due_at <= now)
        .order_by(row.silence_due_at)
        .limit(limit)
        .with_for_update(of=CustomerRow, skip_locked=True, key_share=True)
    )
    customers = list((await session.scalars(due)).all())
    if not customers:
        return 0
    later = extract("epoch", CustomerRow.last_touch_at - row.silence_since)
    moved_to = row.silence_due_at + func.make_interval(0, 0, 0, cast(func.ceil(later / DAY), Integer))
    moved = (
        update(row)
        .where(row.customer_id == CustomerRow.id, row.customer_id.in_(customers), moved_to > now)
        .values(silence_since=CustomerRow.last_touch_at, silence_due_at=moved_to)
    )
    await session.execute(moved)
    over = (
        update(row)
        .where(row.customer_id.in_(customers), row.silence_due_at <= now)
        .values(silence_due_at=None)
        .returning(row.customer_id)
    )
    silent = list((await session.scalars(over)).all())
    await put_notices(session, [Notice(one, NoticeKind.SILENCE, {}, now) for one in silent], wall)
    return len(silent)
