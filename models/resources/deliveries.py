"""Webhook deliveries as the API, the pages and the command line show them."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute

from domain.errors import NotFoundError
from models.database import Session
from models.resources.keyset import Order, Row, Slice, only, read_rows, read_slice
from models.tables.connections import ConnectionRow, WebhookDeliveryRow

LONGEST_BODY = 200_000
"""Characters of a body that are shown."""
_COLUMNS: Sequence[InstrumentedAttribute[Any]] = (
    WebhookDeliveryRow.id,
    WebhookDeliveryRow.source_id,
    ConnectionRow.provider,
    WebhookDeliveryRow.delivery_id,
    WebhookDeliveryRow.topic,
    WebhookDeliveryRow.state,
    WebhookDeliveryRow.attempts,
    WebhookDeliveryRow.stored,
    WebhookDeliveryRow.duplicates,
    WebhookDeliveryRow.quarantined,
    WebhookDeliveryRow.error,
    WebhookDeliveryRow.received_at,
    WebhookDeliveryRow.due_at,
    WebhookDeliveryRow.settled_at,
)
_ONE = select(*_COLUMNS).join(ConnectionRow, ConnectionRow.source_id == WebhookDeliveryRow.source_id)


async def list_deliveries(
    session: Session, source_id: str | None, state: Sequence[str], cursor: str | None, limit: int
) -> Slice:
    """Return deliveries without their bodies, the newest first."""
    row = WebhookDeliveryRow
    conditions = only(source=(row.source_id.expression, source_id), state=(row.state.expression, list(state)))
    order = Order("received_at", row.received_at.expression, row.id.expression, descending=True)
    return await read_slice(session, _ONE.where(*conditions), order, cursor, limit)


async def load_delivery(session: Session, delivery_id: uuid.UUID) -> Row:
    """Return one delivery without its body; raises NotFoundError."""
    rows = await read_rows(session, _ONE.where(WebhookDeliveryRow.id == delivery_id))
    if not rows:
        raise NotFoundError(what="webhook delivery", key=delivery_id)
    return rows[0]


async def load_body(session: Session, delivery_id: uuid.UUID) -> str:
    """Return what came, as text; bytes that are none show as signs of replacement."""
    query = select(WebhookDeliveryRow.body).where(WebhookDeliveryRow.id == delivery_id)
    body: bytes = await session.scalar(query) or b""
    return bytes(body).decode("utf-8", "replace")[:LONGEST_BODY]


async def find_delivery(session: Session, beginning: str) -> uuid.UUID:
    """Return the one delivery whose id begins like this, or raise NotFoundError."""
    begins = cast(WebhookDeliveryRow.id, Text).startswith(beginning, autoescape=True)
    found = (await session.scalars(select(WebhookDeliveryRow.id).where(begins).limit(2))).all()
    if len(found) != 1:
        raise NotFoundError(what="single webhook delivery", key=beginning)
    return found[0]


async def count_by_state(session: Session, source_id: str | None = None) -> dict[str, int]:
    """Return how many deliveries are in each state."""
    row = WebhookDeliveryRow
    query = select(row.state, func.count()).group_by(row.state)
    if source_id is not None:
        query = query.where(row.source_id == source_id)
    rows = (await session.execute(query)).all()
    return dict(rows)
