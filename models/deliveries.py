"""Webhook deliveries: kept as they came, taken one by one, and tried again until they are settled."""

import datetime as dt
import enum
import uuid
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.time import WallInstant
from domain.webhook_messages import Envelope
from models.facts_batch import NAMESPACE
from models.tables.connections import ConnectionRow, WebhookDeliveryRow
from models.tables.data import SourceRow

CHANNEL = "everstay_deliveries"
MAX_ATTEMPTS = 8
FIRST_PAUSE = dt.timedelta(seconds=2)
LONGEST_PAUSE = dt.timedelta(minutes=30)
LONGEST_ERROR = 500


class DeliveryState(enum.StrEnum):
    """Received waits; the rest is settled until a person replays it."""

    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"
    FAILED = "failed"


@dataclass(frozen=True)
class Delivery:
    """One delivery to work on."""

    id: uuid.UUID
    source_id: str
    provider: str
    delivery_id: str
    topic: str | None
    body: bytes = field(repr=False)
    received_at: WallInstant
    attempts: int

    @property
    def file(self) -> str:
        """Where its objects stand, as quarantine says it."""
        return f"webhook:{self.id}"


@dataclass(frozen=True)
class Counts:
    """What became of the facts of one delivery."""

    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Add up what became of two parts of one delivery."""
        mine, theirs = astuple(self), astuple(other)
        return Counts(*(one + another for one, another in zip(mine, theirs, strict=True)))


async def receive_delivery(
    session: AsyncSession,
    source_id: str,
    envelope: Envelope,
    body: bytes,
    content_type: str | None,
    wall: WallInstant,
) -> bool:
    """Keep a delivery and tell the processor; returns whether it is a new one."""
    values = {
        "id": uuid.uuid5(NAMESPACE, f"{source_id}/delivery/{envelope.delivery_id}"),
        "source_id": source_id,
        "delivery_id": envelope.delivery_id,
        "topic": envelope.topic,
        "content_type": content_type,
        "body": body,
        "received_at": wall,
        "state": DeliveryState.RECEIVED.value,
        "attempts": 0,
        "stored": 0,
        "duplicates": 0,
        "quarantined": 0,
        "due_at": wall,
    }
    statement = insert(WebhookDeliveryRow).values(values).on_conflict_do_nothing()
    new = await session.scalar(statement.returning(WebhookDeliveryRow.id))
    newest = func.greatest(SourceRow.last_received_at, wall)
    heard = update(SourceRow).where(SourceRow.id == source_id)
    await session.execute(heard.values(last_received_at=newest))
    if new is not None:
        await wake(session)
    return new is not None


async def wake(session: AsyncSession) -> None:
    """Tell the processor, when this commits, that something waits."""
    await session.execute(text(f"NOTIFY {CHANNEL}"))


async def take_delivery(session: AsyncSession, wall: WallInstant) -> Delivery | None:
    """Return the oldest delivery that is due and lock it; what another process works on is left to it."""
    row = WebhookDeliveryRow
    query = (
        select(
            row.id,
            row.source_id,
            ConnectionRow.provider,
            row.delivery_id,
            row.topic,
            row.body,
            row.received_at,
            row.attempts,
        )
        .join(ConnectionRow, ConnectionRow.source_id == row.source_id)
        .where(row.state == DeliveryState.RECEIVED, row.due_at <= wall)
        .order_by(row.received_at, row.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=row)
    )
    found = (await session.execute(query)).one_or_none()
    return None if found is None else Delivery(*found)


async def settle_delivery(
    session: AsyncSession, delivery_id: uuid.UUID, state: DeliveryState, counts: Counts, wall: WallInstant
) -> None:
    """Mark a delivery as processed, or as ignored because nothing in it concerns us."""
    row = WebhookDeliveryRow
    await session.execute(
        update(row)
        .where(row.id == delivery_id)
        .values(
            state=state.value,
            attempts=row.attempts + 1,
            stored=counts.stored,
            duplicates=counts.duplicates,
            quarantined=counts.quarantined,
            error=None,
            settled_at=wall,
        )
    )


async def fail_delivery(
    session: AsyncSession, delivery: Delivery, reason: str, wall: WallInstant, *, for_good: bool
) -> DeliveryState:
    """Put a delivery off, twice as long each time, or give it up; the others do not wait for it."""
    attempts = delivery.attempts + 1
    given_up = for_good or attempts >= MAX_ATTEMPTS
    state = DeliveryState.FAILED if given_up else DeliveryState.RECEIVED
    pause = min(FIRST_PAUSE * 2 ** min(attempts, 20), LONGEST_PAUSE)
    row = WebhookDeliveryRow
    await session.execute(
        update(row)
        .where(row.id == delivery.id, row.state == DeliveryState.RECEIVED)
        .values(
            state=state.value,
            attempts=attempts,
            error=reason[:LONGEST_ERROR].replace("\0", ""),
            due_at=wall + pause,
            settled_at=wall if given_up else None,
        )
    )
    return state


async def replay_delivery(session: AsyncSession, delivery_id: uuid.UUID, wall: WallInstant) -> None:
    """Have one delivery read again; raises NotFoundError. What it told before is a duplicate then."""
    if not await _replay(session, wall, WebhookDeliveryRow.id == delivery_id):
        raise NotFoundError(what="webhook delivery", key=delivery_id)


async def replay_failed(session: AsyncSession, wall: WallInstant, source_id: str | None = None) -> int:
    """Have every failed delivery read again, of one source or of all; returns how many."""
    wanted = [WebhookDeliveryRow.state == DeliveryState.FAILED]
    if source_id is not None:
        wanted.append(WebhookDeliveryRow.source_id == source_id)
    return await _replay(session, wall, *wanted)


async def replay_unclean(session: AsyncSession, wall: WallInstant, source_id: str | None = None) -> int:
    """Have everything read again that failed or of which something was quarantined."""
    row = WebhookDeliveryRow
    wanted = [or_(row.state == DeliveryState.FAILED, row.quarantined > 0)]
    if source_id is not None:
        wanted.append(row.source_id == source_id)
    return await _replay(session, wall, *wanted)


async def _replay(session: AsyncSession, wall: WallInstant, *wanted: object) -> int:
    row = WebhookDeliveryRow
    values = {"state": DeliveryState.RECEIVED.value, "attempts": 0, "due_at": wall, "settled_at": None}
    statement = update(row).where(*wanted).values(values).returning(row.id)  # type: ignore[arg-type]  # conditions
    found: Sequence[uuid.UUID] = (await session.scalars(statement)).all()
    if found:
        await wake(session)
    return len(found)
