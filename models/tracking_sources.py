"""The source of a write key: made with the key, and found by the key on every request."""

import re

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from models.clock import load_timeline
from models.secrets import secret_hash
from models.sources import Source, connect_source
from models.tables.data import SourceRow
from models.tables.people import ApiKeyRow

KIND = "tracking"
PROVIDES = ("contacts", "usage")
MARKETING = ("contacts", "marketing")
"""What a marketing tool tells: mail that it sent, which is no use of the product."""
CUSTOMERS = "customers"
TOUCH_SECONDS = 60.0


async def open_tracking_source(
    session: AsyncSession, name: str, wall: WallInstant, *, is_marketing: bool = False
) -> str:
    """Make a source for a new write key and return its id.

    Where no other source tells who the customers are, an unknown group becomes one; not if it is a
    marketing tool that names it.
    """
    taken = set((await session.execute(select(SourceRow.id))).scalars())
    told = (await session.execute(select(SourceRow.provides))).scalars().all()
    creates = not is_marketing and not any(CUSTOMERS in provides for provides in told)
    source_id = free_id(name, taken)
    timeline = await load_timeline(session)
    connected = BusinessInstant(wall) if timeline is None else timeline.business_at(wall)
    own = MARKETING if is_marketing else PROVIDES
    provides = (CUSTOMERS, *own) if creates else own
    await connect_source(session, Source(source_id, name or "Tracking", KIND, provides, connected))
    if creates:
        await session.execute(
            update(SourceRow).where(SourceRow.id == source_id).values(creates_customers=True)
        )
    return source_id


def free_id(name: str, taken: set[str]) -> str:
    """Return an id that can be read and typed, made from a name."""
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or KIND
    found, number = base, 1
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    return found


async def find_write_key(session: AsyncSession, secret: str, wall: WallInstant) -> str | None:
    """Return the source of a living write key and note its use, at most once a minute."""
    query = select(ApiKeyRow.id, ApiKeyRow.source_id, ApiKeyRow.last_used_at).where(
        ApiKeyRow.key_hash == secret_hash(secret), ApiKeyRow.kind == "write", ApiKeyRow.revoked_at.is_(None)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    used: WallInstant | None = row.last_used_at
    if used is None or (wall - used).total_seconds() > TOUCH_SECONDS:
        await session.execute(update(ApiKeyRow).where(ApiKeyRow.id == row.id).values(last_used_at=wall))
    found: str | None = row.source_id
    return found
