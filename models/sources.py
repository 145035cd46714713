"""The places that facts come from, and since when what they say may trigger something."""

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.time import BusinessInstant, WallInstant
from models.tables.data import SourceRow


@dataclass(frozen=True)
class Source:
    """One source. `provides` names kinds of fact in the plural (customers, subscriptions, usage …)."""

    id: str
    name: str
    kind: str
    provides: tuple[str, ...]
    connected_at: BusinessInstant
    rhythm_hours: float | None = None


async def connect_source(session: AsyncSession, source: Source) -> Source:
    """Create the source, or update what it says of itself; the instant of its first connection stays."""
    values = {
        "id": source.id,
        "name": source.name,
        "kind": source.kind,
        "provides": list(source.provides),
        "connected_at": source.connected_at,
        "rhythm_hours": source.rhythm_hours,
    }
    statement = insert(SourceRow).values(values)
    kept = {name: statement.excluded[name] for name in ("name", "kind", "provides", "rhythm_hours")}
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=kept))
    return await get_source(session, source.id)


async def get_source(session: AsyncSession, source_id: str) -> Source:
    """Return a source, or raise NotFoundError."""
    query = select(
        SourceRow.id,
        SourceRow.name,
        SourceRow.kind,
        SourceRow.provides,
        SourceRow.connected_at,
        SourceRow.rhythm_hours,
    ).where(SourceRow.id == source_id)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError(what="source", key=source_id)
    return Source(row.id, row.name, row.kind, tuple(row.provides), row.connected_at, row.rhythm_hours)


async def find_source(session: AsyncSession, source_id: str) -> Source | None:
    """Return a source, None where there is none."""
    try:
        return await get_source(session, source_id)
    except NotFoundError:
        return None


async def tells_customers(session: AsyncSession, *, besides: str) -> bool:
    """Tell whether another source keeps the customers of this installation."""
    row = SourceRow
    query = select(row.id).where(row.provides.contains(["customers"]), row.id != besides)
    return await session.scalar(query.limit(1)) is not None


async def note_facts(session: AsyncSession, source_id: str, last_fact_at: BusinessInstant) -> None:
    """Move the source's freshness forward."""
    newer = SourceRow.last_fact_at.is_(None) | (SourceRow.last_fact_at < last_fact_at)
    await session.execute(
        update(SourceRow).where(SourceRow.id == source_id, newer).values(last_fact_at=last_fact_at)
    )


async def note_received(session: AsyncSession, source_id: str, wall: WallInstant) -> None:
    """Say that the source was heard, even if it had nothing new to tell."""
    newest = func.greatest(SourceRow.last_received_at, wall)
    await session.execute(update(SourceRow).where(SourceRow.id == source_id).values(last_received_at=newest))


async def reconnect_at(session: AsyncSession, source_id: str, instant: BusinessInstant) -> None:
    """Move the line between history and live facts, as when the business clock is set to the end of data."""
    await session.execute(update(SourceRow).where(SourceRow.id == source_id).values(connected_at=instant))
