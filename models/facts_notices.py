"""What a stored fact tells the customer's workflow: ids, enumerations, numbers and dates only."""

from collections.abc import Mapping
from typing import Any

from domain.vocabulary import NoticeKind
from models.facts_batch import Batch
from models.outbox import Notice


def notify_touchpoint(batch: Batch, row: Mapping[str, Any]) -> None:
    """Say that someone was in contact with the customer."""
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
    """Say that an invoice became paid."""
    became = "status" in changes or "paid_at" in changes if is_change else True
    if row["status"] != "paid" or not became:
        return
    payload = {
        "invoice_id": str(row["id"]),
        "amount_minor": row["amount_paid_minor"],
        "currency": row["currency"],
    }
    known_at = row["paid_known_at"] or row["told_at"]
    notice = Notice(row["customer_id"], NoticeKind.PAYMENT, payload, row["paid_at"] or known_at)
    batch.notify(notice, known_at)
