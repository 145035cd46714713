"""Events on their way to endpoints: which may be posted now, what became of an attempt, sending again.

The triggers of the database write them (`everstay_tell`), in the transaction that causes them.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.time import WallInstant
from domain.vocabulary import MessageState
from domain.webhook_events import next_attempt
from models.endpoints import get_endpoint, give_up_endpoint
from models.installation import load_installation
from models.tables.endpoints import WebhookAttemptRow, WebhookEndpointRow, WebhookMessageRow
from models.tables.playbooks import PlaybookRow

CHANNEL = "everstay_events"
LEASE = dt.timedelta(seconds=60)
"""Longer than any attempt may take: one that is older has lost its sender, and the message leaves again."""
BATCH = 5_000
"""Messages that one sweep forgets in one transaction."""


def webhook_id(message_id: uuid.UUID) -> str:
    """Return the `webhook-id` of a message, the same at every attempt."""
    return f"msg_{message_id.hex}"


@dataclass(frozen=True)
class DueMessage:
    """A message that its holder may post now."""

    id: uuid.UUID
    endpoint: str
    type: str
    data: dict[str, Any]
    created_at: WallInstant
    attempts: int
    tried: int


@dataclass(frozen=True)
class Attempt:
    """What came of one attempt. Without an error it was taken."""

    at: WallInstant
    seconds: float
    status: int | None = None
    error: str | None = None
    retry_after: dt.timedelta | None = None
    is_gone: bool = False


async def are_held(session: AsyncSession) -> bool:
    """Tell whether no event may leave: a person has stopped all effects, or has released nothing yet."""
    installation = await load_installation(session)
    if installation.effects_stopped_at is not None:
        return True
    released = select(exists().where(PlaybookRow.released_at.is_not(None)))
    return installation.released_at is None and not await session.scalar(released)


def _is_free(wall: WallInstant) -> ColumnElement[bool]:
    row = WebhookMessageRow
    unheld = or_(row.lease_until.is_(None), row.lease_until <= wall)
    return and_(row.state == MessageState.WAITING, row.due_at <= wall, unheld)


async def endpoints_with_due(session: AsyncSession, wall: WallInstant) -> list[str]:
    """Return the enabled endpoints for which something may be posted now."""
    row = WebhookEndpointRow
    due = exists().where(WebhookMessageRow.endpoint == row.key, _is_free(wall))
    query = select(row.key).where(row.disabled_at.is_(None), due).order_by(row.key)
    return list((await session.scalars(query)).all())


async def claim_messages(
    session: AsyncSession, endpoint: str, wall: WallInstant, most: int
) -> list[DueMessage]:
    """Claim what is due for an endpoint under a lease; what another relay holds is passed over."""
    row = WebhookMessageRow
    enabled = exists().where(WebhookEndpointRow.key == endpoint, WebhookEndpointRow.disabled_at.is_(None))
    chosen = (
        select(row.id)
        .where(row.endpoint == endpoint, _is_free(wall), enabled)
        .order_by(row.due_at, row.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    claimed = await session.execute(
        update(row)
        .where(row.id.in_(chosen))
        .values(lease_until=wall + LEASE, attempts=row.attempts + 1, tried=row.tried + 1)
        .returning(row.id, row.endpoint, row.type, row.data, row.created_at, row.attempts, row.tried)
    )
    return sorted((DueMessage(*one) for one in claimed), key=lambda one: (one.created_at, one.id))


async def record_attempt(
    session: AsyncSession, message: DueMessage, attempt: Attempt, patience: dt.timedelta, chance: float
) -> None:
    """Write down an attempt and what follows from it, for the message and for its endpoint.

    One that outlived its lease is only logged: the message is somebody else's by now.
    """
    told = {"at": attempt.at, "seconds": attempt.seconds, "status": attempt.status, "error": attempt.error}
    logged = insert(WebhookAttemptRow).values(message_id=message.id, number=message.attempts, **told)
    await session.execute(logged)
    row = WebhookMessageRow
    mine = and_(row.id == message.id, row.attempts == message.attempts, row.lease_until.is_not(None))
    await session.execute(update(row).where(mine).values(_became(message, attempt, chance)))
    if attempt.error is None:
        await _note_health(session, message.endpoint)
    else:
        await _note_failure(session, message.endpoint, attempt, patience)


def _became(message: DueMessage, attempt: Attempt, chance: float) -> dict[str, Any]:
    last = {"lease_until": None, "last_status": attempt.status, "last_error": attempt.error}
    if attempt.error is None:
        return {**last, "state": MessageState.TAKEN, "settled_at": attempt.at}
    due_at = next_attempt(message.tried, attempt.retry_after, chance, attempt.at)
    if due_at is None:
        return {**last, "state": MessageState.FAILED, "settled_at": attempt.at}
    return {**last, "due_at": due_at}


async def _note_health(session: AsyncSession, key: str) -> None:
    """Start the count anew; what is disabled stays as it was told until it is saved again."""
    row = WebhookEndpointRow
    failing = (row.key == key, row.failing_since.is_not(None), row.disabled_at.is_(None))
    await session.execute(update(row).where(*failing).values(failing_since=None))


async def _note_failure(session: AsyncSession, key: str, attempt: Attempt, patience: dt.timedelta) -> None:
    """Disable an endpoint that is gone, or that has taken nothing for too long: its messages wait.

    What is still on its way when somebody disables it says nothing any more.
    """
    row = WebhookEndpointRow
    first = (row.key == key, row.failing_since.is_(None), row.disabled_at.is_(None))
    await session.execute(update(row).where(*first).values(failing_since=attempt.at))
    endpoint = await get_endpoint(session, key)
    if endpoint.disabled_at is not None or endpoint.failing_since is None:
        return
    if attempt.is_gone:
        await give_up_endpoint(session, key, "it answered 410 Gone", attempt.at)
    elif attempt.at - endpoint.failing_since >= patience:
        reason = f"it has taken no event since {endpoint.failing_since:%d %B %Y %H:%M} UTC"
        await give_up_endpoint(session, key, reason, attempt.at)


async def replay_message(session: AsyncSession, message_id: uuid.UUID, wall: WallInstant) -> None:
    """Send one again under its own id, whatever became of it; raises NotFoundError."""
    if not await _replay(session, WebhookMessageRow.id == message_id, wall):
        raise NotFoundError(what="webhook message", key=message_id)


async def replay_messages(
    session: AsyncSession, endpoint: str, wall: WallInstant, since: WallInstant | None = None
) -> int:
    """Send again what has failed so far, or everything since an instant; return how many. NotFoundError."""
    await get_endpoint(session, endpoint)
    row = WebhookMessageRow
    failed = or_(row.state == MessageState.FAILED, and_(_waits(), row.last_error.is_not(None)))
    chosen = failed if since is None else row.created_at >= since
    return await _replay(session, and_(row.endpoint == endpoint, chosen), wall)


def _waits() -> ColumnElement[bool]:
    return WebhookMessageRow.state == MessageState.WAITING


async def _replay(session: AsyncSession, chosen: ColumnElement[bool], wall: WallInstant) -> int:
    """Let messages begin anew; one that is being posted just now is, whatever comes of it, posted again."""
    row = WebhookMessageRow
    anew = {
        "state": MessageState.WAITING,
        "tried": 0,
        "due_at": wall,
        "settled_at": None,
        "lease_until": None,
    }
    replayed = await session.scalars(update(row).where(chosen).values(anew).returning(row.id))
    count = len(replayed.all())
    if count:
        await session.execute(text(f"NOTIFY {CHANNEL}"))
    return count


async def forget_messages(session: AsyncSession, before: WallInstant) -> int:
    """Forget the oldest messages from before an instant, with their attempts; return how many."""
    row = WebhookMessageRow
    old = select(row.id).where(row.created_at < before).order_by(row.created_at).limit(BATCH)
    return len((await session.scalars(delete(row).where(row.id.in_(old)).returning(row.id))).all())
