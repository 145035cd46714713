"""Replaying quarantined rows: by a mended mapping, or with corrected cells."""

import csv
import uuid
from collections.abc import Mapping as Cells
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from activities.import_plan import load_lookups, table_of
from activities.import_rows import RowBatch
from domain.errors import InvalidInputError
from domain.mapping import FileSpec, Mapping
from domain.mapping_check import nearest
from domain.mapping_rows import RowConverter
from domain.tabular import Position, RawRow, TableReader
from domain.time import WallInstant
from models.database import Database
from models.facts import store_facts
from models.imports import ImportRun, load_run
from models.quarantine import (
    OPEN,
    REPLAYED,
    BadRow,
    Quarantined,
    change_reason,
    get_quarantined,
    settle_quarantined,
)


@dataclass(frozen=True)
class Correction:
    """What to change before a row is tried again; nothing: only the mapping, or the world, is different."""

    mapping: Mapping | None = None
    cells: Cells[str, str] | None = None
    text: str | None = None
    """The whole row as CSV, for one that could not be taken apart."""


@dataclass(frozen=True)
class Replayed:
    """What became of one row: None for success, else what is still wrong."""

    row: Quarantined
    still: BadRow | None


async def replay(
    database: Database, reader: TableReader, row_id: uuid.UUID, correction: Correction, wall: WallInstant
) -> Replayed:
    """Store a quarantined row as if it stood in its file like this, in one transaction."""
    async with database.transaction() as session:
        row = await get_quarantined(session, row_id)
        if row.state != OPEN:
            raise InvalidInputError(field=str(row_id), reason=f"is {row.state} already")
        if row.import_run_id is None:
            raise InvalidInputError(field=str(row_id), reason="came with no import that could be repeated")
        run = await load_run(session, row.import_run_id)
        mapping = correction.mapping or Mapping.model_validate(run.document)
        batch, converter = _batch(row, mapping, run, reader, correction)
        result = await store_facts(session, row.source_id, batch.facts, received_at=wall)
        batch.settle(result, converter)
        still = batch.bad.get(0)
        if still is None:
            await settle_quarantined(session, row.id, REPLAYED, wall)
        else:
            await change_reason(session, row.id, still)
    return Replayed(row, still)


def _batch(
    row: Quarantined, mapping: Mapping, run: ImportRun, reader: TableReader, correction: Correction
) -> tuple[RowBatch, RowConverter]:
    spec = _spec_of(row, mapping)
    converter = RowConverter(spec, mapping.source, load_lookups(mapping, run.folder, reader), run.now)
    batch = RowBatch(row.file)
    cells = _corrected(row.raw, spec, correction, header_of(run, row.file, spec, reader))
    problem = row.reason if "" in cells else None
    batch.take(RawRow(row.line, cells, Position(), problem), converter)
    return batch, converter


def _spec_of(row: Quarantined, mapping: Mapping) -> FileSpec:
    for spec in mapping.files:
        if fnmatch(row.file, spec.match):
            return spec
    raise InvalidInputError(field=row.file, reason="is no file of this mapping")


def header_of(run: ImportRun, file: str, spec: FileSpec, reader: TableReader) -> tuple[str, ...]:
    """Return the order of the columns in the file; a mapping as stored does not keep it."""
    path = run.folder / file
    if path.is_file():
        return reader.describe(path, table_of(spec)).columns
    return tuple(run.options.get("header", ()))


def _corrected(
    raw: dict[str, Any], spec: FileSpec, correction: Correction, header: tuple[str, ...]
) -> dict[str, Any]:
    cells = dict(raw)
    if correction.text is not None:
        values = next(csv.reader([correction.text], delimiter=spec.delimiter), [])
        if len(values) != len(header):
            reason = f"has {len(values)} columns where the file has {len(header)}"
            raise InvalidInputError(field="--row", reason=reason)
        cells = dict(zip(header, values, strict=True))
    for name, value in (correction.cells or {}).items():
        if name not in spec.columns:
            reason = f"there is no column {name!r}{nearest(name, spec.columns)}"
            raise InvalidInputError(field="--set", reason=reason)
        cells[name] = value
    return cells
