"""Rows that could not be stored: where they stood and why, until they are replayed or dismissed."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import ColumnElement, Text, cast, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, NotFoundError
from domain.time import WallInstant
from models.facts_batch import NAMESPACE
from models.tables.data import QuarantinedRow

OPEN, REPLAYED, DISMISSED = "open", "replayed", "dismissed"


@dataclass(frozen=True)
class BadRow:
    """A row that was not stored. `kind` is malformed, invalid, conflict or unresolved."""

    file: str
    line: int
    kind: str
    field: str
    reason: str
    raw: dict[str, Any]
    """The cells by column, or, of a malformed row, its text under the empty name."""


@dataclass(frozen=True)
class Quarantined(BadRow):
    """A bad row as kept."""

    id: uuid.UUID
    import_run_id: uuid.UUID | None
    source_id: str
    state: str
    quarantined_at: WallInstant
    settled_at: WallInstant | None


def row_hash(raw: dict[str, Any]) -> str:
    """Return the hash by which the same row is recognised in another run."""
    return hashlib.blake2b(json.dumps(raw, sort_keys=True, default=str).encode(), digest_size=16).hexdigest()


async def quarantine(
    session: AsyncSession, run_id: uuid.UUID | None, source_id: str, rows: Sequence[BadRow], wall: WallInstant
) -> None:
    """Keep bad rows; one that is kept already, from this or an earlier run, stays as it is."""
    if not rows:
        return
    statement = insert(QuarantinedRow).on_conflict_do_nothing(
        index_elements=["source_id", "file", "line", "row_hash"]
    )
    await session.execute(statement, [_values(run_id, source_id, row, wall) for row in rows])


_KEEP = """
INSERT INTO quarantined_rows (id, import_run_id, source_id, file, line, kind, field, reason, raw, row_hash,
                              state, quarantined_at)
VALUES (%(id)s, %(import_run_id)s, %(source_id)s, %(file)s, %(line)s, %(kind)s, %(field)s, %(reason)s,
        %(raw)s, %(row_hash)s, %(state)s, %(quarantined_at)s)
ON CONFLICT (source_id, file, line, row_hash) DO NOTHING
"""


def keep_bad_rows(
    cursor: psycopg.Cursor[Any], source_id: str, rows: Sequence[BadRow], wall: WallInstant
) -> None:
    """Do the same for rows that came with no import, on the connection of a writer that is no session."""
    values = [_values(None, source_id, row, wall) for row in rows]
    cursor.executemany(_KEEP, [each | {"raw": Jsonb(each["raw"])} for each in values])


def _values(run_id: uuid.UUID | None, source_id: str, row: BadRow, wall: WallInstant) -> dict[str, Any]:
    hashed = row_hash(row.raw)
    return {
        "id": uuid.uuid5(NAMESPACE, f"{source_id}/quarantine/{row.file}/{row.line}/{hashed}"),
        "import_run_id": run_id,
        "source_id": source_id,
        "file": row.file,
        "line": row.line,
        "kind": row.kind,
        "field": row.field,
        "reason": row.reason,
        "raw": json.loads(json.dumps(row.raw, default=str)),
        "row_hash": hashed,
        "state": OPEN,
        "quarantined_at": wall,
    }


_COLUMNS = (
    QuarantinedRow.file,
    QuarantinedRow.line,
    QuarantinedRow.kind,
    QuarantinedRow.field,
    QuarantinedRow.reason,
    QuarantinedRow.raw,
    QuarantinedRow.id,
    QuarantinedRow.import_run_id,
    QuarantinedRow.source_id,
    QuarantinedRow.state,
    QuarantinedRow.quarantined_at,
    QuarantinedRow.settled_at,
)


async def list_quarantined(
    session: AsyncSession,
    *,
    source_id: str | None = None,
    file: str | None = None,
    state: str | None = OPEN,
    limit: int = 1000,
) -> list[Quarantined]:
    """Return kept rows in the order of source, file and line."""
    row = QuarantinedRow
    query = select(*_COLUMNS).order_by(row.source_id, row.file, row.line).limit(limit)
    for column, wanted in ((row.source_id, source_id), (row.file, file), (row.state, state)):
        if wanted is not None:
            query = query.where(column == wanted)
    return [Quarantined(*found) for found in await session.execute(query)]


@dataclass(frozen=True)
class QuarantineFilter:
    """Which rows are meant; what is left out fits all."""

    source_id: str | None = None
    file: str | None = None
    kind: str | None = None
    field: str | None = None
    import_id: uuid.UUID | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it leaves nothing out."""
        return self == QuarantineFilter()


def conditions(chosen: QuarantineFilter) -> list[ColumnElement[bool]]:
    """Return what the filter asks of a row."""
    row = QuarantinedRow
    wanted: tuple[tuple[Any, Any], ...] = (
        (row.source_id, chosen.source_id),
        (row.file, chosen.file),
        (row.kind, chosen.kind),
        (row.field, chosen.field),
        (row.import_run_id, chosen.import_id),
    )
    return [column == value for column, value in wanted if value is not None]


async def open_rows(session: AsyncSession, chosen: QuarantineFilter, limit: int) -> list[uuid.UUID]:
    """Return the ids of rows that wait and fit, the oldest first."""
    row = QuarantinedRow
    query = select(row.id).where(row.state == OPEN, *conditions(chosen))
    return list((await session.scalars(query.order_by(row.quarantined_at, row.id).limit(limit))).all())


async def dismiss_rows(session: AsyncSession, chosen: QuarantineFilter, wall: WallInstant) -> int:
    """Put all rows that wait and fit aside for good; return how many."""
    row = QuarantinedRow
    statement = update(row).where(row.state == OPEN, *conditions(chosen))
    result = await session.execute(statement.values(state=DISMISSED, settled_at=wall))
    return int(getattr(result, "rowcount", 0))


async def dismiss_row(session: AsyncSession, row_id: uuid.UUID, wall: WallInstant) -> None:
    """Put a row aside for good; raises NotFoundError, or ConflictError for one that does not wait."""
    row = await get_quarantined(session, row_id)
    if row.state != OPEN:
        raise ConflictError(what=f"{row.file}:{row.line}", reason=f"it is {row.state} already")
    await settle_quarantined(session, row_id, DISMISSED, wall)


async def get_quarantined(session: AsyncSession, row_id: uuid.UUID) -> Quarantined:
    """Return one kept row and lock it, or raise NotFoundError."""
    query = select(*_COLUMNS).where(QuarantinedRow.id == row_id).with_for_update()
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFoundError(what="quarantined row", key=row_id)
    return Quarantined(*found)


async def settle_quarantined(session: AsyncSession, row_id: uuid.UUID, state: str, wall: WallInstant) -> None:
    """Mark a row as replayed or dismissed."""
    statement = update(QuarantinedRow).where(QuarantinedRow.id == row_id)
    await session.execute(statement.values(state=state, settled_at=wall))


async def change_reason(session: AsyncSession, row_id: uuid.UUID, bad: BadRow) -> None:
    """Say why a replay failed."""
    statement = update(QuarantinedRow).where(QuarantinedRow.id == row_id)
    await session.execute(statement.values(kind=bad.kind, field=bad.field, reason=bad.reason))


async def find_quarantined(session: AsyncSession, beginnings: Sequence[str]) -> list[Quarantined]:
    """Return the rows whose ids begin like this, one for each beginning; raises NotFoundError."""
    found: list[Quarantined] = []
    for beginning in beginnings:
        begins = cast(QuarantinedRow.id, Text).startswith(beginning, autoescape=True)
        rows = (await session.execute(select(*_COLUMNS).where(begins).limit(2))).all()
        if len(rows) != 1:
            raise NotFoundError(what="single quarantined row", key=beginning)
        found.append(Quarantined(*rows[0]))
    return found
