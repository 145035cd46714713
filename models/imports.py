"""Runs of imports: what was asked for, how far each file is, and how it ended."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.tabular import Position
from domain.time import BusinessInstant, WallInstant
from models.tables.data import ImportRunRow

RUNNING, DONE, FAILED = "running", "done", "failed"


@dataclass(frozen=True)
class FileProgress:
    """How far one file is. Counts are source rows: read = stored + duplicates + quarantined."""

    spec: str
    order: int
    size: int
    position: Position = field(default_factory=Position)
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    facts: Mapping[str, int] = field(default_factory=dict)
    """Facts stored, by type."""
    done: bool = False

    @property
    def rows_read(self) -> int:
        """Rows behind the cursor."""
        return self.position.rows


@dataclass(frozen=True)
class ImportRun:
    """One import as stored."""

    id: uuid.UUID
    source_id: str
    mapping: str
    document: dict[str, Any]
    folder: Path
    options: dict[str, Any]
    state: str
    files: dict[str, FileProgress]
    """By file name, in the order in which they are read."""
    error: str | None
    started_at: WallInstant
    finished_at: WallInstant | None

    @property
    def now(self) -> BusinessInstant | None:
        """Return the business instant at which it began, for facts that carry none of their own."""
        told = self.options.get("now")
        return None if told is None else BusinessInstant(dt.datetime.fromisoformat(told))

    def total(self, count: str) -> int:
        """Return the sum of a count over the files."""
        return sum(int(getattr(progress, count)) for progress in self.files.values())


async def find_unfinished(
    session: AsyncSession, source_id: str, folder: Path, document: dict[str, Any]
) -> uuid.UUID | None:
    """Return the run of the same mapping over the same folder that has not ended."""
    row = ImportRunRow
    query = select(row.id).where(
        row.source_id == source_id,
        row.folder == str(folder),
        row.state == RUNNING,
        row.mapping_document == literal(document, JSONB),
    )
    return await session.scalar(query.order_by(row.started_at).limit(1))


async def create_run(session: AsyncSession, run: ImportRun) -> None:
    """Record a run before its workflow starts."""
    await session.execute(
        insert(ImportRunRow).values(
            id=run.id,
            source_id=run.source_id,
            mapping=run.mapping,
            mapping_document=run.document,
            folder=str(run.folder),
            options=run.options,
            state=run.state,
            files={},
            started_at=run.started_at,
        )
    )


async def load_run(session: AsyncSession, run_id: uuid.UUID, *, lock: bool = False) -> ImportRun:
    """Return a run, or raise NotFoundError; with `lock`, nobody else moves its cursor meanwhile."""
    query = select(ImportRunRow).where(ImportRunRow.id == run_id)
    row = (await session.scalars(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFoundError(what="import", key=run_id)
    files = sorted((_progress(name, one) for name, one in row.files.items()), key=lambda one: one[1].order)
    return ImportRun(
        row.id,
        row.source_id,
        row.mapping,
        row.mapping_document,
        Path(row.folder),
        row.options,
        row.state,
        dict(files),
        row.error,
        row.started_at,
        row.finished_at,
    )


def _progress(name: str, stored: dict[str, Any]) -> tuple[str, FileProgress]:
    return name, FileProgress(**stored | {"position": Position(**stored["position"])})


async def save_progress(session: AsyncSession, run_id: uuid.UUID, files: Mapping[str, FileProgress]) -> None:
    """Write how far some files are, in the transaction that stored their rows."""
    document = {name: asdict(progress) for name, progress in files.items()}
    merged = ImportRunRow.files.op("||")(literal(document, JSONB))
    await session.execute(update(ImportRunRow).where(ImportRunRow.id == run_id).values(files=merged))


async def note_option(session: AsyncSession, run_id: uuid.UUID, name: str, value: Any) -> None:
    """Write down something about the run as a whole."""
    merged = ImportRunRow.options.op("||")(literal({name: value}, JSONB))
    await session.execute(update(ImportRunRow).where(ImportRunRow.id == run_id).values(options=merged))


async def end_run(
    session: AsyncSession, run_id: uuid.UUID, state: str, wall: WallInstant, error: str | None = None
) -> None:
    """Record how a run ended; the first end counts."""
    statement = update(ImportRunRow).where(ImportRunRow.id == run_id, ImportRunRow.state == RUNNING)
    await session.execute(statement.values(state=state, error=error, finished_at=wall))
