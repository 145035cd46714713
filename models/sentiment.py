"""Which model reads the tone of tickets, what it is trained on, and the tickets that it has still to read."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from models.arrays import among_ids
from models.digests import Digest, keep_digest, read_digest
from models.fact_changes import keep_before
from models.tables.facts import TicketRow

KEY = "sentiment_model"
MOST_LABELS = 20_000
UNHAPPY, HAPPY = 2.0, 4.0
"""CSAT answers (1 to 5) at or below, and at or above, which say what the customer felt; 3 says nothing."""
READ_AT_ONCE = 2_000


@dataclass(frozen=True)
class LabelledTicket:
    """What a customer wrote, and whether the answer to it made them happy."""

    text: str
    is_happy: bool
    sentiment: float | None
    """What the model in use has read from it."""


async def load_labels(session: AsyncSession, now: BusinessInstant) -> list[LabelledTicket]:
    """Return answered tickets with words, the oldest first, as the test of a model needs them."""
    row = TicketRow
    clear = (row.satisfaction <= UNHAPPY) | (row.satisfaction >= HAPPY)
    query = (
        select(row.subject, row.satisfaction >= HAPPY, row.sentiment)
        .where(row.subject.is_not(None), clear, row.opened_at <= now)
        .order_by(row.opened_at.desc(), row.id)
        .limit(MOST_LABELS)
    )
    rows = (await session.execute(query)).all()
    return [LabelledTicket(text or "", happy, tone) for text, happy, tone in reversed(rows)]


async def load_model(session: AsyncSession) -> Digest | None:
    """Return the newest attempt at a model of the tenant's own: its document, and whether it is used."""
    return await read_digest(session, KEY)


async def keep_model(session: AsyncSession, now: BusinessInstant, document: dict[str, Any]) -> None:
    """Keep an attempt with its figures, also one that was not good enough."""
    await keep_digest(session, KEY, now, document)


async def is_due(session: AsyncSession, now: BusinessInstant, every: dt.timedelta) -> bool:
    """Tell whether it is time for another attempt."""
    kept = await read_digest(session, KEY)
    return kept is None or kept.is_older_than(every, now)


def said_of(kept: Digest | None) -> str:
    """Say which model reads tickets, and why."""
    base = "VADER, a published word list for English"
    if kept is None:
        return f"{base}; no model of your own has been trained yet."
    said = kept.document
    if "auc" not in said:
        return (
            f"{base}; {said['labels']} of the {said['needed']} rated tickets that a model of your own needs."
        )
    figures = f"AUC {said['auc']:.2f} against {said['vader_auc']:.2f} on {said['tested']} later tickets"
    if said["is_used"]:
        return f"a model of your own, trained on {said['labels']} rated tickets ({figures} for VADER)."
    return f"{base}; a model of your own was no better ({figures})."


async def load_unread(session: AsyncSession, instead_of: str | None = None) -> list[tuple[uuid.UUID, str]]:
    """Return tickets with words whose tone nobody has read, or another model than now, the newest first."""
    row = TicketRow
    unread = row.sentiment.is_(None) if instead_of is None else _unread(instead_of)
    query = select(row.id, row.subject).where(unread, row.subject.is_not(None), row.subject != "")
    rows = await session.execute(query.order_by(row.opened_at.desc()).limit(READ_AT_ONCE))
    return [(ticket_id, subject) for ticket_id, subject in rows if subject]


def _unread(instead_of: str) -> ColumnElement[bool]:
    return TicketRow.sentiment.is_(None) | (TicketRow.sentiment_by == instead_of)


async def save_readings(
    session: AsyncSession,
    read: Sequence[tuple[uuid.UUID, float]],
    by: str,
    now: BusinessInstant,
    *,
    is_learned: bool,
) -> None:
    """Write what was read; what a source has told meanwhile stays.

    A first reading by a published word list is known with the ticket, whose words say it all. What a model
    that learned from answers reads (`is_learned`) is known from now on, and so is any other reading.
    """
    row = TicketRow
    chosen = among_ids(row.id, [ticket_id for ticket_id, _ in read])
    kept = _is_ours() if is_learned else row.sentiment_by.is_not(None)
    await keep_before(session, row, ("sentiment", "sentiment_by"), (chosen, kept), now)
    for ticket_id, value in read:
        statement = update(row).where(row.id == ticket_id, _is_ours())
        await session.execute(statement.values(sentiment=value, sentiment_by=by))


def _is_ours() -> ColumnElement[bool]:
    return TicketRow.sentiment.is_(None) | TicketRow.sentiment_by.is_not(None)
