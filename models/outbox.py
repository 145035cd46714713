"""Rows that customers' workflows must hear: written with what caused them, consumed in order, once."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import NoticeKind
from models.many_rows import source_of, write_rows
from models.tables.ledger import OutboxRow
from models.tables.registry import METADATA

CHANNEL = "everstay_outbox"


@dataclass(frozen=True)
class Notice:
    """One thing that happened, for one customer's workflow; its payload holds no personal data."""

    customer_id: uuid.UUID
    kind: NoticeKind
    payload: dict[str, Any]
    occurred_at: BusinessInstant
    id: int = 0


_NOTICE = ("customer_id", "kind", "payload", "occurred_at", "created_at")
_PUT = f"""
INSERT INTO outbox ({", ".join(_NOTICE)})
SELECT {", ".join(_NOTICE)} FROM {source_of(METADATA.tables["outbox"], _NOTICE)}
"""  # noqa: S608 - constants only


async def put_notices(session: AsyncSession, notices: Sequence[Notice], wall: WallInstant) -> None:
    """Write notices in this transaction and wake the relay when it commits."""
    if not notices:
        return
    rows = [
        {
            "customer_id": notice.customer_id,
            "kind": notice.kind,
            "payload": notice.payload,
            "occurred_at": notice.occurred_at,
            "created_at": wall,
        }
        for notice in notices
    ]
    await write_rows(session, _PUT, rows)
    await session.execute(text(f"NOTIFY {CHANNEL}"))


async def take_notices(session: AsyncSession, customer_id: uuid.UUID, wall: WallInstant) -> list[Notice]:
    """Return a customer's unconsumed notices in order and mark them consumed in this transaction.

    The caller holds the customer's row lock. Marking rows, not keeping a cursor, is what makes a row that
    commits late with a lower id safe.
    """
    query = (
        select(OutboxRow.id, OutboxRow.kind, OutboxRow.payload, OutboxRow.occurred_at)
        .where(OutboxRow.customer_id == customer_id, OutboxRow.consumed_at.is_(None))
        .order_by(OutboxRow.id)
    )
    rows = (await session.execute(query)).all()
    notices = [Notice(customer_id, row.kind, row.payload, row.occurred_at, row.id) for row in rows]
    await mark_heard(session, notices, wall)
    return notices


async def mark_heard(session: AsyncSession, notices: Sequence[Notice], wall: WallInstant) -> None:
    """Mark notices as consumed in this transaction."""
    if notices:
        mine = OutboxRow.id.in_([notice.id for notice in notices])
        await session.execute(update(OutboxRow).where(mine).values(consumed_at=wall))
