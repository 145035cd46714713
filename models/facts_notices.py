"""What a stored fact tells the customer's workflow: ids, enumerations, numbers and dates only."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import WallInstant
from domain.unpaid import has_term
from domain.vocabulary import Direction, NoticeKind, Purpose
from models.arrays import among_ids
from models.facts_batch import Batch
from models.outbox import Notice, put_notices
from models.tables.customers import CustomerRow
from models.tables.ledger import OutboxRow
from models.tables.playbooks import LifecycleRow


def notify_touchpoint(batch: Batch, row: Mapping[str, Any]) -> None:
    """Say that someone was in contact with the customer; a campaign's mail is no contact."""
    if row["purpose"] == Purpose.MARKETING and row["direction"] == Direction.OUT:
        return
    payload = {
        "touchpoint_id": str(row["id"]),
        "direction": str(row["direction"]),
        "channel": str(row["channel"]),
    }
    notice = Notice(row["customer_id"], NoticeKind.TOUCHPOINT, payload, row["occurred_at"])
    batch.notify(notice, row["known_at"])


def notify_invoice(
    batch: Batch, row: Mapping[str, Any], *, is_change: bool, changes: Mapping[str, Any]
) -> None:
    """Say that an invoice became paid, that a charge was refused, or that one with a date came in."""
    _notify_unpaid(batch, row, is_change=is_change, changes=changes)
    if row["status"] != "paid" or (is_change and not changes.keys() & {"status", "paid_at"}):
        return
    payload = {
        "invoice_id": str(row["id"]),
        "amount_minor": row["amount_paid_minor"],
        "currency": row["currency"],
    }
    known_at = row["paid_known_at"] or row["told_at"]
    notice = Notice(row["customer_id"], NoticeKind.PAYMENT, payload, row["paid_at"] or known_at)
    batch.notify(notice, known_at)


def _notify_unpaid(
    batch: Batch, row: Mapping[str, Any], *, is_change: bool, changes: Mapping[str, Any]
) -> None:
    """Say what may call for a case: a refused charge at once, an invoice with a term about its due date."""
    if row["status"] != "open" or not batch.can_collect:
        return
    payload: dict[str, Any] = {"invoice_id": str(row["id"])}
    if row["failed_attempts"] > 0 and (not is_change or "failed_attempts" in changes):
        payload["attempts"] = row["failed_attempts"]
        told = Notice(row["customer_id"], NoticeKind.PAYMENT_FAILED, payload, row["told_at"])
        batch.notify(told, row["told_at"])
    elif not is_change and has_term(row["issued_at"], row["due_at"]):
        news = Notice(row["customer_id"], NoticeKind.CUSTOMER_CHANGED, payload, row["told_at"])
        batch.notify(news, row["told_at"])


async def announce_customers(
    session: AsyncSession, ids: Collection[uuid.UUID], received_at: WallInstant
) -> int:
    """Say of each of these customers that it was added, unless that was said before; return how many."""
    told = exists().where(
        OutboxRow.customer_id == CustomerRow.id, OutboxRow.kind == NoticeKind.CUSTOMER_ADDED
    )
    lives = exists().where(LifecycleRow.customer_id == CustomerRow.id)
    query = select(CustomerRow.id, CustomerRow.known_at).where(among_ids(CustomerRow.id, ids), ~told, ~lives)
    added = (await session.execute(query.order_by(CustomerRow.id))).all()
    notices = [Notice(customer, NoticeKind.CUSTOMER_ADDED, {}, known_at) for customer, known_at in added]
    await put_notices(session, notices, received_at)
    return len(notices)
