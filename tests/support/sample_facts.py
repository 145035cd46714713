"""Facts of the sample customers: usage, tickets, surveys, meetings, invoices, touchpoints."""

import datetime as dt
import random
import uuid
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import Channel, Direction, Purpose, TouchpointState
from models.tables.data import ImportRunRow, QuarantinedRow
from models.tables.facts import InvoiceRow, MeetingRow, SubscriptionRow, SurveyRow, TicketRow, UsageDailyRow
from models.tables.ledger import TouchpointRow

SOURCE = "sample"
SUBJECTS = (
    "Export fails with a timeout",
    "SSO sign-in loops",
    "Totals differ from the report",
    "API answers 500",
)


def _fact(kind: str, index: int, number: int, customer: uuid.UUID, known: BusinessInstant) -> dict[str, Any]:
    return {
        "id": uuid.uuid5(customer, f"{kind}/{number}"),
        "source_id": SOURCE,
        "external_id": f"{kind}-{index}-{number}",
        "content_hash": "0",
        "customer_id": customer,
        "known_at": known,
        "received_at": WallInstant(known),
    }


def _tickets(
    index: int, customer: uuid.UUID, contact: uuid.UUID, now: BusinessInstant
) -> list[dict[str, Any]]:
    found = []
    for number in range(2):
        opened = BusinessInstant(now - dt.timedelta(days=9 - number * 3 + index % 4, hours=5))
        resolved = BusinessInstant(opened + dt.timedelta(days=2)) if index % 3 else None
        found.append(
            _fact("ticket", index, number, customer, opened)
            | {
                "contact_id": contact,
                "subject": SUBJECTS[(index + number) % len(SUBJECTS)],
                "priority": "high" if number else "medium",
                "opened_at": opened,
                "resolve_due_at": BusinessInstant(opened + dt.timedelta(days=3)),
                "resolved_at": resolved,
                "resolved_known_at": resolved,
                "sentiment": -0.4,
            }
        )
    return found


def _touches(
    index: int, customer: uuid.UUID, contact: uuid.UUID, now: BusinessInstant
) -> list[dict[str, Any]]:
    channels = (
        (Channel.CALL, Direction.OUT, "Quarterly call"),
        (Channel.EMAIL, Direction.IN, "Re: your export"),
    )
    found = []
    for number, (channel, direction, subject) in enumerate(channels):
        at = BusinessInstant(now - dt.timedelta(days=12 + number * 9 + index % 5, hours=3))
        found.append(
            {
                "id": uuid.uuid5(customer, f"touch/{number}"),
                "source_id": SOURCE,
                "external_id": f"touch-{index}-{number}",
                "content_hash": "0",
                "customer_id": customer,
                "contact_id": contact,
                "direction": direction,
                "channel": channel,
                "purpose": Purpose.LIFECYCLE,
                "state": TouchpointState.RECEIVED if direction is Direction.IN else TouchpointState.SENT,
                "subject": subject,
                "occurred_at": at,
                "known_at": at,
            }
        )
    return found


def _survey(index: int, customer: uuid.UUID, contact: uuid.UUID, now: BusinessInstant) -> dict[str, Any]:
    at = BusinessInstant(now - dt.timedelta(days=20 + index % 9))
    return _fact("survey", index, 0, customer, at) | {
        "contact_id": contact,
        "kind": "nps",
        "score": float(9 - index % 7),
        "comment": "Good product, slow answers" if index % 2 else None,
        "responded_at": at,
    }


def _meeting(index: int, customer: uuid.UUID, now: BusinessInstant) -> dict[str, Any]:
    at = BusinessInstant(now - dt.timedelta(days=31))
    return _fact("meeting", index, 0, customer, at) | {
        "kind": "qbr",
        "title": "Quarterly business review",
        "scheduled_at": at,
        "answer": "declined" if index % 3 == 0 else "accepted",
        "held_at": None if index % 3 == 0 else at,
    }


def _invoice(index: int, row: dict[str, Any], now: BusinessInstant) -> dict[str, Any]:
    at = BusinessInstant(now - dt.timedelta(days=25))
    paid = None if index in {2, 22} else BusinessInstant(at + dt.timedelta(days=6))
    return _fact("invoice", index, 0, row["id"], at) | {
        "number": f"2026-{1000 + index}",
        "currency": row["currency"],
        "amount_due_minor": row["arr_minor"] // 12,
        "amount_paid_minor": 0 if paid is None else row["arr_minor"] // 12,
        "status": "open" if paid is None else "paid",
        "issued_at": at,
        "due_at": BusinessInstant(at + dt.timedelta(days=14)),
        "failed_attempts": 2 if paid is None else 0,
        "paid_at": paid,
        "paid_known_at": paid,
    }


def _subscription(index: int, row: dict[str, Any]) -> dict[str, Any]:
    return _fact("subscription", index, 0, row["id"], row["started_at"]) | {
        "product": "Everline",
        "plan": row["plan"],
        "status": "active",
        "mrr_minor": row["arr_minor"] // 12,
        "currency": row["currency"],
        "seats": 40,
        "is_trial": False,
        "auto_renew": True,
        "started_at": row["started_at"],
    }


def _usage(row: dict[str, Any], dice: random.Random, now: BusinessInstant) -> list[dict[str, Any]]:
    return [
        {
            "customer_id": row["id"],
            "day": (now - dt.timedelta(days=back)).date(),
            "feature": "reports",
            "events": 20,
            "quantity": float(dice.randint(80, 160) * (0.4 if back < 6 and row["health_score"] == 27 else 1)),
            "users": 14,
        }
        for back in range(1, 30)
    ]


async def add_facts(
    session: AsyncSession,
    rows: list[dict[str, Any]],
    contacts: dict[uuid.UUID, list[uuid.UUID]],
    now: BusinessInstant,
) -> None:
    """Write a little of everything for everyone, and one import with a bad row."""
    dice = random.Random(5)
    many = list(enumerate(rows))
    first = {row["id"]: contacts[row["id"]][0] for row in rows}
    tickets = [each for i, row in many for each in _tickets(i, row["id"], first[row["id"]], now)]
    await session.execute(insert(TicketRow), tickets)
    touches = [each for i, row in many for each in _touches(i, row["id"], first[row["id"]], now)]
    await session.execute(insert(TouchpointRow), touches)
    await session.execute(
        insert(SurveyRow), [_survey(i, row["id"], first[row["id"]], now) for i, row in many]
    )
    await session.execute(insert(MeetingRow), [_meeting(i, row["id"], now) for i, row in many])
    await session.execute(insert(InvoiceRow), [_invoice(i, row, now) for i, row in many])
    await session.execute(insert(SubscriptionRow), [_subscription(i, row) for i, row in many])
    await session.execute(
        insert(UsageDailyRow), [each for row in rows[:12] for each in _usage(row, dice, now)]
    )
    await _add_import(session, now)


MAPPING = {
    "source": {"id": SOURCE, "name": "Sample", "provides": ["customers"]},
    "files": [
        {
            "name": "accounts",
            "match": "accounts.csv",
            "columns": {"account": {}, "since": {"type": "date", "format": ["%d/%m/%Y"]}},
            "facts": [
                {
                    "type": "customer",
                    "fields": {
                        "key": "account",
                        "name": "account",
                        "known_at": "since",
                        "started_at": "since",
                    },
                }
            ],
        }
    ],
}


async def _add_import(session: AsyncSession, now: BusinessInstant) -> None:
    run = uuid.uuid5(uuid.NAMESPACE_OID, "import")
    position = {"offset": 9000, "line": 501, "rows": 500}
    counts = {"spec": "accounts", "order": 0, "size": 9000, "position": position, "done": True}
    counts |= {"stored": 495, "duplicates": 4, "quarantined": 1}
    await session.execute(
        insert(ImportRunRow).values(
            id=run,
            source_id=SOURCE,
            mapping="sample",
            mapping_document=MAPPING,
            folder="exports",
            state="done",
            files={"accounts.csv": counts},
            started_at=WallInstant(now - dt.timedelta(hours=3)),
            finished_at=WallInstant(now - dt.timedelta(hours=3) + dt.timedelta(seconds=41)),
        )
    )
    await session.execute(
        insert(QuarantinedRow).values(
            id=uuid.uuid5(run, "row"),
            import_run_id=run,
            source_id=SOURCE,
            file="accounts.csv",
            line=118,
            kind="customer",
            field="started_at",
            reason="'31/02/2025' is not a date of the form %d/%m/%Y",
            raw={"account": "C-4711", "since": "31/02/2025"},
            row_hash="0",
            state="open",
            quarantined_at=WallInstant(now - dt.timedelta(hours=3)),
        )
    )
