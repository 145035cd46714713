"""How each source talks: what it provides, its rhythm, declared or learned, and when it was last heard."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.source_state import Voice
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Timeline
from models.tables.connections import ConnectionRow
from models.tables.data import SourceRow

_GAPS = text("""
SELECT source_id, percentile_disc(0.95) WITHIN GROUP (ORDER BY gap) AS gap FROM (
    SELECT source_id, day - lag(day) OVER (PARTITION BY source_id ORDER BY day) AS gap
    FROM (SELECT DISTINCT source_id, day FROM source_days WHERE received > 0) AS days
) AS gaps
WHERE gap IS NOT NULL GROUP BY source_id HAVING count(*) >= 10
""").columns(source_id=SourceRow.id.type, gap=Integer())
"""Per source that has spoken on enough days: the gap between two of them that is seldom exceeded."""


@dataclass(frozen=True)
class TalkingSource:
    """A source, its connection where it has one, and its voice."""

    id: str
    name: str
    kind: str
    provides: list[str]
    connected_at: BusinessInstant
    last_fact_at: BusinessInstant | None
    last_received_at: WallInstant | None
    provider: str | None
    pull_every_seconds: float | None
    voice: Voice


async def load_talking_sources(session: AsyncSession, timeline: Timeline | None) -> list[TalkingSource]:
    """Return every source by name, those of uploads last; the timeline maps what the machine's clock told."""
    row, connection, gaps = SourceRow, ConnectionRow, _GAPS.subquery("gaps")
    query = (
        select(
            row.id,
            row.name,
            row.kind,
            row.provides,
            row.connected_at,
            row.last_fact_at,
            row.last_received_at,
            connection.provider,
            connection.pull_every_seconds,
            row.rhythm_hours,
            connection.paused_at,
            gaps.c.gap,
        )
        .outerjoin(connection, connection.source_id == row.id)
        .outerjoin(gaps, gaps.c.source_id == row.id)
        .order_by(row.kind == "upload", func.lower(row.name), row.id)
    )
    return [_source(row, timeline) for row in await session.execute(query)]


def _source(row: Any, timeline: Timeline | None) -> TalkingSource:
    heard_at = _heard_at(row.last_fact_at, row.last_received_at, timeline)
    voice = Voice(row.kind, row.rhythm_hours, heard_at, row.paused_at is not None, row.gap)
    return TalkingSource(
        row.id,
        row.name,
        row.kind,
        row.provides,
        row.connected_at,
        row.last_fact_at,
        row.last_received_at,
        row.provider,
        row.pull_every_seconds,
        voice,
    )


def _heard_at(
    fact: BusinessInstant | None, received: WallInstant | None, timeline: Timeline | None
) -> BusinessInstant | None:
    """Return the later of the newest fact and the last receipt, which the machine's clock tells."""
    if received is None:
        return fact
    heard = BusinessInstant(received) if timeline is None else timeline.business_at(received)
    return heard if fact is None else max(fact, heard)
