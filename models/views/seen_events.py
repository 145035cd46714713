"""The schema of what clients send: event names, their properties with types, and how many of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from models.tables.data import SourceRow
from models.tables.tracking import SeenEventRow

MOST = 500


@dataclass(frozen=True)
class SeenEvent:
    """One name of an event as a source sends it."""

    source_id: str
    source: str
    kind: str
    name: str
    events: int
    first_at: BusinessInstant
    last_at: BusinessInstant
    properties: Mapping[str, Any]


async def load_seen_events(session: AsyncSession, search: str = "", limit: int = MOST) -> list[SeenEvent]:
    """Return the events whose names hold these letters, the most frequent first."""
    row = SeenEventRow
    columns = (row.kind, row.name, row.events, row.first_at, row.last_at, row.properties)
    query = (
        select(row.source_id, SourceRow.name, *columns)
        .join(SourceRow, SourceRow.id == row.source_id)
        .order_by(row.events.desc(), row.source_id, row.kind, row.name)
        .limit(limit)
    )
    if search:
        query = query.where(func.lower(row.name).contains(search.lower(), autoescape=True))
    return [SeenEvent(*each) for each in await session.execute(query)]
