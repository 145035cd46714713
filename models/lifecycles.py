"""The customer's workflow as the database knows it: memory, last ruling, next wake, and its ring."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.customer_state import Memory
from domain.directives import Silence
from domain.time import BusinessInstant, WallInstant
from models.pressing import is_pressing
from models.tables.customers import CustomerRow
from models.tables.ledger import OutboxRow
from models.tables.playbooks import LifecycleRow

RING_LEASE = dt.timedelta(seconds=30)
"""How long the relay trusts a delivered ring to be answered before it rings again."""


@dataclass(frozen=True)
class StoredLifecycle:
    """What the last decision left behind."""

    memory: Memory
    decide_seq: int
    last_result: dict[str, Any] | None


def stored_lifecycle(
    state: dict[str, Any] | None, decide_seq: int | None, last_result: dict[str, Any] | None
) -> StoredLifecycle:
    """Return what the columns of a lifecycle's row say, or a fresh start where there is none."""
    return StoredLifecycle(Memory.model_validate(state or {}), decide_seq or 0, last_result)


@dataclass(frozen=True)
class DecisionMade:
    """One decision to store: a retried attempt with the same `seq` gets `result` back."""

    customer_id: uuid.UUID
    memory: Memory
    seq: int
    result: dict[str, Any]
    expected_wake_at: BusinessInstant | None
    silence: Silence | None = None


async def store_lifecycle(session: AsyncSession, made: DecisionMade, now: BusinessInstant) -> None:
    """Store a decision and answer the ring."""
    values = {
        "phase": made.memory.phase,
        "state": made.memory.model_dump(mode="json"),
        "decide_seq": made.seq,
        "last_result": made.result,
        "expected_wake_at": made.expected_wake_at,
        "silence_since": made.silence.since if made.silence else None,
        "silence_due_at": made.silence.due_at if made.silence else None,
        "rung_at": None,
    }
    statement = upsert(LifecycleRow).values(customer_id=made.customer_id, started_at=now, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["customer_id"], set_=values))


async def claim_rings(
    session: AsyncSession,
    wall: WallInstant,
    now: BusinessInstant,
    limit: int,
    lease: dt.timedelta = RING_LEASE,
) -> list[uuid.UUID]:
    """Return customers with pressing unheard notices and no ring under way, and mark them as rung.

    Two relays at once share the customers between them: a row is marked by the one that comes first.
    """
    waiting = (
        select(OutboxRow.customer_id)
        .where(
            OutboxRow.consumed_at.is_(None),
            is_pressing(),
            ~exists().where(
                LifecycleRow.customer_id == OutboxRow.customer_id, LifecycleRow.rung_at > wall - lease
            ),
        )
        .distinct()
        .order_by(OutboxRow.customer_id)
        .limit(limit)
    )
    rows = [
        {
            "customer_id": customer,
            "phase": "new",
            "state": {},
            "decide_seq": 0,
            "started_at": now,
            "rung_at": wall,
        }
        for customer in (await session.scalars(waiting)).all()
    ]
    if not rows:
        return []
    statement = (
        upsert(LifecycleRow)
        .values(rows)
        .on_conflict_do_update(
            index_elements=["customer_id"],
            set_={"rung_at": wall},
            where=LifecycleRow.rung_at.is_(None) | (LifecycleRow.rung_at <= wall - lease),
        )
        .returning(LifecycleRow.customer_id)
    )
    return list((await session.scalars(statement)).all())


async def tiers_of_new(session: AsyncSession, customers: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the tiers of those that nothing was decided on yet: their workflows begin with them."""
    query = (
        select(CustomerRow.id, CustomerRow.acted_tier)
        .join(LifecycleRow, LifecycleRow.customer_id == CustomerRow.id)
        .where(CustomerRow.id.in_(customers), LifecycleRow.decide_seq == 0)
    )
    return {
        row.id: row.acted_tier.value for row in await session.execute(query) if row.acted_tier is not None
    }


async def unring(session: AsyncSession, customers: list[uuid.UUID]) -> None:
    """Take rings back that could not be delivered, so that the next round tries again."""
    await session.execute(
        update(LifecycleRow).where(LifecycleRow.customer_id.in_(customers)).values(rung_at=None)
    )


async def overslept(session: AsyncSession, now: BusinessInstant, grace: dt.timedelta) -> list[uuid.UUID]:
    """Return customers whose workflow should have looked again by now and has not."""
    query = select(LifecycleRow.customer_id).where(
        LifecycleRow.ended_at.is_(None),
        LifecycleRow.expected_wake_at < now - grace,
    )
    return list((await session.scalars(query)).all())
