"""Rows that could not be stored, as people look through them: filtered, and grouped by what is wrong."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import WallInstant
from models.quarantine import OPEN, QuarantineFilter, conditions
from models.tables.data import QuarantinedRow, SourceRow

PAGE_SIZE = 50
MOST_GROUPS = 30


@dataclass(frozen=True)
class QuarantineLine:
    """One row that waits for a fix: where it stood, and why it could not be stored."""

    id: uuid.UUID
    source_id: str
    source: str
    file: str
    line: int
    kind: str
    field: str
    reason: str
    raw: dict[str, Any]
    state: str
    quarantined_at: WallInstant
    settled_at: WallInstant | None
    import_run_id: uuid.UUID | None


@dataclass(frozen=True)
class ReasonGroup:
    """Rows of one source with the same fault in the same field."""

    source_id: str
    source: str
    kind: str
    field: str
    rows: int
    example: str


@dataclass(frozen=True)
class QuarantinePage:
    """One page of rows, and how many there are in all."""

    rows: tuple[QuarantineLine, ...]
    total: int
    page: int
    pages: int


async def load_quarantine(
    session: AsyncSession, page: int, chosen: QuarantineFilter | None = None, *, settled: bool = False
) -> QuarantinePage:
    """Return one page of what waits (or of what was settled), newest first."""
    row = QuarantinedRow
    where = [_state(settled=settled), *conditions(chosen or QuarantineFilter())]
    columns = (row.id, row.source_id, SourceRow.name, row.file, row.line, row.kind, row.field, row.reason)
    query = (
        select(*columns, row.raw, row.state, row.quarantined_at, row.settled_at, row.import_run_id)
        .join(SourceRow, SourceRow.id == row.source_id)
        .where(*where)
        .order_by(row.quarantined_at.desc(), row.file, row.line, row.id)
        .limit(PAGE_SIZE)
        .offset((max(page, 1) - 1) * PAGE_SIZE)
    )
    total = await session.scalar(select(func.count()).select_from(row).where(*where)) or 0
    lines = tuple(QuarantineLine(*each) for each in await session.execute(query))
    return QuarantinePage(lines, total, page, max(1, -(-total // PAGE_SIZE)))


def _state(*, settled: bool) -> ColumnElement[bool]:
    return QuarantinedRow.state != OPEN if settled else QuarantinedRow.state == OPEN


async def load_reasons(session: AsyncSession) -> list[ReasonGroup]:
    """Return what waits by source, kind and field, the most frequent first."""
    row = QuarantinedRow
    keys = (row.source_id, SourceRow.name, row.kind, row.field)
    query = (
        select(*keys, func.count(), func.min(row.reason))
        .join(SourceRow, SourceRow.id == row.source_id)
        .where(row.state == OPEN)
        .group_by(*keys)
        .order_by(func.count().desc(), *keys)
        .limit(MOST_GROUPS)
    )
    return [ReasonGroup(*each) for each in await session.execute(query)]
