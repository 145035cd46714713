"""Figures about the whole portfolio that are dear to compute, kept with their time until they are old."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from models.tables.scoring import DigestRow


@dataclass(frozen=True)
class Digest:
    """One kept figure."""

    as_of: BusinessInstant
    document: dict[str, Any]

    def is_older_than(self, age: dt.timedelta, now: BusinessInstant) -> bool:
        """Tell whether it is too old to go by; one from later (a replay, a clock set back) is too."""
        return not dt.timedelta() <= now - self.as_of <= age


async def read_digest(session: AsyncSession, key: str) -> Digest | None:
    """Return a kept figure."""
    return (await read_digests(session, key)).get(key)


async def read_digests(session: AsyncSession, *keys: str) -> dict[str, Digest]:
    """Return kept figures by key, those that there are."""
    query = select(DigestRow.key, DigestRow.as_of, DigestRow.document).where(DigestRow.key.in_(keys))
    return {key: Digest(as_of, document) for key, as_of, document in await session.execute(query)}


async def keep_digest(
    session: AsyncSession, key: str, as_of: BusinessInstant, document: dict[str, Any]
) -> None:
    """Put a figure in the place of the one before."""
    values = {"key": key, "as_of": as_of, "document": document}
    statement = upsert(DigestRow).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))


async def is_my_turn(session: AsyncSession, key: str) -> bool:
    """Tell whether nobody else is computing this figure just now; held until the transaction ends."""
    lock = "SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))"
    return bool(await session.scalar(text(lock), {"key": f"digest/{key}"}))
