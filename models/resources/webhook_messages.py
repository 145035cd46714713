"""Events on their way to endpoints, as the API, the pages and the command line show them."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from domain.errors import NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import MessageState
from domain.webhook_events import body_of
from models.clock import load_timeline
from models.database import Session
from models.endpoints import get_endpoint
from models.resources.keyset import Order, Row, Slice, only, read_row, read_rows, read_slice
from models.tables.endpoints import WebhookAttemptRow, WebhookMessageRow
from models.webhook_messages import webhook_id

_COLUMNS: Sequence[InstrumentedAttribute[Any]] = (
    WebhookMessageRow.id,
    WebhookMessageRow.endpoint,
    WebhookMessageRow.type,
    WebhookMessageRow.state,
    WebhookMessageRow.attempts,
    WebhookMessageRow.created_at,
    WebhookMessageRow.due_at,
    WebhookMessageRow.last_status,
    WebhookMessageRow.last_error,
    WebhookMessageRow.settled_at,
)


async def list_messages(
    session: Session,
    endpoint: str,
    states: Sequence[MessageState],
    event: str | None,
    cursor: str | None,
    limit: int,
) -> Slice:
    """Return an endpoint's messages without what they say, the newest first; raises NotFoundError."""
    await get_endpoint(session, endpoint)
    row = WebhookMessageRow
    chosen = only(state=(row.state.expression, list(states)), type=(row.type.expression, event))
    order = Order("created_at", row.created_at.expression, row.id.expression, descending=True)
    query = select(*_COLUMNS).where(row.endpoint == endpoint, *chosen)
    return await read_slice(session, query, order, cursor, limit)


async def load_message(session: Session, message_id: uuid.UUID) -> Row:
    """Return one message with its body and every attempt; raises NotFoundError."""
    row, tried = WebhookMessageRow, WebhookAttemptRow
    found = await read_row(session, select(*_COLUMNS, row.data).where(row.id == message_id))
    if found is None:
        raise NotFoundError(what="webhook message", key=message_id)
    query = select(tried.number, tried.at, tried.seconds, tried.status, tried.error)
    log = await read_rows(session, query.where(tried.message_id == message_id).order_by(tried.number))
    timeline = await load_timeline(session)
    created = found["created_at"]
    at = timeline.business_at(created) if timeline is not None else BusinessInstant(created)
    body = body_of(found["type"], found.pop("data"), at).decode()
    return {**found, "webhook_id": webhook_id(message_id), "body": body, "log": log}


async def count_by_state(session: Session, endpoint: str) -> dict[str, int]:
    """Return how many messages of an endpoint are in each state."""
    row = WebhookMessageRow
    query = select(row.state, func.count()).where(row.endpoint == endpoint).group_by(row.state)
    return {state.value: count for state, count in (await session.execute(query)).all()}
