"""Tracked events become usage: waiting batches are taken, their events attributed, counted and marked.

One attribution runs at a time (an advisory lock of the transaction), so that an event and the call that
says whose it is cannot pass each other by. The work is set-wise in two temporary tables: `staged_events`
holds what was taken (new, or held until now), `attributed` whom each event belongs to.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import WallInstant
from domain.tracked import IdentityCall
from models import attribution_queries as sql
from models.facts_usage import ensure_partition
from models.usage_rollups import add_usage, finish_usage
from models.usage_windows import lock_for_usage, roll_windows

CHANNEL = "everstay_tracking"


@dataclass(frozen=True)
class WaitingBatch:
    """What one transaction of the tracking API stored, not attributed yet."""

    id: int
    received_at: WallInstant
    events: int


@dataclass(frozen=True)
class Attributed:
    """What one attribution did: events counted for customers, held, and released from holding."""

    counted: int = 0
    held: int = 0
    released: int = 0


async def may_attribute(session: AsyncSession) -> bool:
    """Tell whether this transaction is the one that attributes now."""
    return bool(await session.scalar(text(sql.LOCK)))


async def wait_to_attribute(session: AsyncSession) -> None:
    """Wait until nobody attributes, and be the only one until this transaction ends."""
    await session.execute(text(sql.WAIT))


async def ask_to_attribute(session: AsyncSession) -> None:
    """Have held events looked at again when this transaction commits."""
    await session.execute(text(f"NOTIFY {CHANNEL}"))


async def claim_batches(
    session: AsyncSession, most_events: int, most: int, aside: Sequence[int] = ()
) -> list[WaitingBatch]:
    """Lock the oldest waiting batches, one at least, up to about so many events."""
    rows = await session.execute(text(sql.CLAIM), {"most": most, "aside": list(aside)})
    claimed: list[WaitingBatch] = []
    for row in rows:
        if claimed and sum(one.events for one in claimed) + row.events > most_events:
            break
        claimed.append(WaitingBatch(row.id, row.received_at, row.events))
    return claimed


async def stage(session: AsyncSession, batches: Sequence[WaitingBatch]) -> None:
    """Take the events of the batches into the temporary table."""
    for table in sql.TABLES:
        await session.execute(text(table))
    if batches:
        instants = sorted({batch.received_at for batch in batches})
        ids = [batch.id for batch in batches]
        await session.execute(text(sql.STAGE), {"instants": instants, "ids": ids})


async def staged_calls(session: AsyncSession) -> list[IdentityCall]:
    """Return the identify, group and alias messages among the staged ones."""
    rows = (await session.execute(text(sql.CALLS))).mappings()
    return [_call(dict(row)) for row in rows]


def _call(row: Mapping[str, Any]) -> IdentityCall:
    return IdentityCall(**{**row, "traits": row["traits"] or {}})


async def attribute(session: AsyncSession) -> list[uuid.UUID]:
    """Say of every staged event whose it is, and lock the customers; return them."""
    await session.execute(text("ANALYZE staged_events"))
    await session.execute(text(sql.ATTRIBUTE))
    customers = list(await session.scalars(text(sql.CUSTOMERS)))
    await lock_for_usage(session, customers)
    return customers


async def count(
    session: AsyncSession, customers: Sequence[uuid.UUID], batches: Sequence[WaitingBatch], today: dt.date
) -> Attributed:
    """Count what belongs to somebody, hold the rest, and add people to the customers they act for."""
    for day in sorted({batch.received_at.date() for batch in batches}):
        await ensure_partition(session, day)
    await session.execute(text(sql.JOIN_CUSTOMERS))
    if customers:
        await roll_windows(session, customers, today)
        await add_usage(session, sql.NEW, today)
        await session.execute(text(sql.NAME_PEOPLE))
        await finish_usage(session, customers, sql.COUNTED, names_people=True)
    await session.execute(text(sql.HOLD))
    return Attributed(*(await session.execute(text(sql.COUNTS))).one())


async def live_customers(session: AsyncSession) -> list[uuid.UUID]:
    """Return the customers of whom something new was told since their source was connected."""
    return list(await session.scalars(text(sql.LIVE)))


async def note_sources(session: AsyncSession) -> None:
    """Move the freshness of the sources on."""
    for row in (await session.execute(text(sql.SOURCES))).mappings().all():
        await session.execute(text(sql.NOTE), dict(row))


async def finish(session: AsyncSession, batches: Sequence[WaitingBatch], wall: WallInstant) -> None:
    """Mark batches as done, in the transaction of all that they caused."""
    await session.execute(text(sql.DONE), {"ids": [batch.id for batch in batches], "wall": wall})
