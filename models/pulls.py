"""How far each stream of a connection is read, and what each pass did."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import WallInstant
from models.tables.connections import PullCursorRow, PullRunRow
from models.tables.data import SourceRow

RUNNING, DONE, FAILED = "running", "done", "failed"


@dataclass(frozen=True)
class PullRun:
    """One pass over one stream."""

    id: uuid.UUID
    source_id: str
    source: str
    """Its name."""
    stream: str
    state: str
    read: int
    stored: int
    duplicates: int
    quarantined: int
    error: str | None
    started_at: WallInstant
    finished_at: WallInstant | None


async def load_cursor(
    session: AsyncSession, source_id: str, stream: str, *, lock: bool = False
) -> dict[str, Any]:
    """Return where a stream goes on, empty at its beginning."""
    row = PullCursorRow
    query = select(row.cursor).where(row.source_id == source_id, row.stream == stream)
    return await session.scalar(query.with_for_update() if lock else query) or {}


async def begun_streams(session: AsyncSession, source_id: str) -> set[str]:
    """Return the streams of which something was read: what changed before then is not told of again."""
    row = PullCursorRow
    query = select(row.stream).where(row.source_id == source_id, row.cursor != {})
    return set(await session.scalars(query))


async def move_cursor(
    session: AsyncSession, source_id: str, stream: str, cursor: Mapping[str, Any], wall: WallInstant
) -> None:
    """Move a stream on, in the transaction that stored what lies behind."""
    statement = upsert(PullCursorRow).values(
        source_id=source_id, stream=stream, cursor=dict(cursor), moved_at=wall
    )
    news = {"cursor": statement.excluded.cursor, "moved_at": statement.excluded.moved_at}
    await session.execute(statement.on_conflict_do_update(index_elements=["source_id", "stream"], set_=news))


async def begin_run(
    session: AsyncSession, run_id: uuid.UUID, source_id: str, stream: str, wall: WallInstant
) -> None:
    """Record a pass before its first page; a repeated attempt goes on with the same row."""
    values = {"id": run_id, "source_id": source_id, "stream": stream, "state": RUNNING}
    counts = {"read": 0, "stored": 0, "duplicates": 0, "quarantined": 0, "started_at": wall}
    statement = upsert(PullRunRow).values(values | counts)
    await session.execute(statement.on_conflict_do_nothing(index_elements=["id"]))


async def count_page(session: AsyncSession, run_id: uuid.UUID, **counts: int) -> None:
    """Add a page's counts, in its transaction."""
    columns = {name: getattr(PullRunRow, name) + count for name, count in counts.items()}
    await session.execute(update(PullRunRow).where(PullRunRow.id == run_id).values(columns))


async def end_run(
    session: AsyncSession, run_id: uuid.UUID, wall: WallInstant, error: str | None = None
) -> None:
    """Record how a pass over a stream ended."""
    state = DONE if error is None else FAILED
    statement = update(PullRunRow).where(PullRunRow.id == run_id)
    await session.execute(statement.values(state=state, error=error, finished_at=wall))


async def end_unfinished(session: AsyncSession, source_id: str, wall: WallInstant, error: str) -> None:
    """Record the end of a pass whose last attempt died without a word."""
    row = PullRunRow
    statement = update(row).where(row.source_id == source_id, row.state == RUNNING)
    await session.execute(statement.values(state=FAILED, error=error, finished_at=wall))


async def list_runs(session: AsyncSession, source_id: str | None = None, limit: int = 50) -> list[PullRun]:
    """Return the newest passes of one connection or of all."""
    query = _runs().order_by(PullRunRow.started_at.desc(), PullRunRow.id).limit(limit)
    if source_id is not None:
        query = query.where(PullRunRow.source_id == source_id)
    return [PullRun(*found) for found in await session.execute(query)]


async def newest_runs(session: AsyncSession) -> list[PullRun]:
    """Return of every stream of every connection the newest pass."""
    row = PullRunRow
    query = _runs().ext(distinct_on(row.source_id, row.stream))
    query = query.order_by(row.source_id, row.stream, row.started_at.desc(), row.id)
    return [PullRun(*found) for found in await session.execute(query)]


def _runs() -> Select[Any]:
    row = PullRunRow
    names = ("stream", "state", "read", "stored", "duplicates", "quarantined", "error")
    columns = (row.id, row.source_id, SourceRow.name, *(getattr(row, name) for name in names))
    return select(*columns, row.started_at, row.finished_at).join(SourceRow, SourceRow.id == row.source_id)
