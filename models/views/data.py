"""Imports and what could not be understood of them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from models.quarantine import OPEN
from models.tables.data import ImportRunRow, QuarantinedRow, SourceRow

PAGE_SIZE = 50


@dataclass(frozen=True)
class SourceLine:
    """One place that facts come from, and how fresh it is."""

    id: str
    name: str
    kind: str
    provides: list[str]
    connected_at: BusinessInstant
    rhythm_hours: float | None
    last_fact_at: BusinessInstant | None


@dataclass(frozen=True)
class ImportLine:
    """One import with its counts added up: rows read are those stored, known already, or quarantined."""

    id: uuid.UUID
    source: str
    mapping: str
    state: str
    error: str | None
    started_at: WallInstant
    finished_at: WallInstant | None
    files: int
    read: int
    stored: int
    duplicates: int
    quarantined: int


@dataclass(frozen=True)
class QuarantineLine:
    """One row that waits for a fix: where it stood, and why it could not be stored."""

    id: uuid.UUID
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


@dataclass(frozen=True)
class QuarantinePage:
    """One page of rows, and how many there are in all."""

    rows: tuple[QuarantineLine, ...]
    total: int
    page: int
    pages: int


async def load_sources(session: AsyncSession) -> Sequence[SourceLine]:
    """Return every source by name."""
    row = SourceRow
    query = select(
        row.id, row.name, row.kind, row.provides, row.connected_at, row.rhythm_hours, row.last_fact_at
    )
    return [SourceLine(*each) for each in await session.execute(query.order_by(row.name))]


def _total(files: dict[str, Any], name: str) -> int:
    return sum(int(each.get(name) or 0) for each in files.values())


async def load_imports(session: AsyncSession) -> Sequence[ImportLine]:
    """Return the newest imports."""
    row = ImportRunRow
    columns = (row.id, SourceRow.name, row.mapping, row.state, row.error, row.started_at, row.finished_at)
    query = (
        select(*columns, row.files)
        .join(SourceRow, SourceRow.id == row.source_id)
        .order_by(row.started_at.desc())
        .limit(PAGE_SIZE)
    )
    return [_import_line(each) for each in await session.execute(query)]


def _import_line(row: Any) -> ImportLine:
    files = row[-1]
    counts = [_total(files, name) for name in ("stored", "duplicates", "quarantined")]
    values: list[Any] = [*row[:-1], len(files), sum(counts), *counts]
    return ImportLine(*values)


async def load_quarantine(session: AsyncSession, page: int, *, settled: bool = False) -> QuarantinePage:
    """Return one page of what waits (or of what was settled), newest first."""
    row = QuarantinedRow
    chosen = row.state != OPEN if settled else row.state == OPEN
    query = (
        select(
            row.id,
            SourceRow.name,
            row.file,
            row.line,
            row.kind,
            row.field,
            row.reason,
            row.raw,
            row.state,
            row.quarantined_at,
            row.settled_at,
            func.count().over(),
        )
        .join(SourceRow, SourceRow.id == row.source_id)
        .where(chosen)
        .order_by(row.quarantined_at.desc(), row.file, row.line, row.id)
        .limit(PAGE_SIZE)
        .offset((max(page, 1) - 1) * PAGE_SIZE)
    )
    rows = (await session.execute(query)).all()
    total = rows[0][-1] if rows else 0
    lines = tuple(QuarantineLine(*each[:-1]) for each in rows)
    return QuarantinePage(lines, total, page, max(1, -(-total // PAGE_SIZE)))
