"""Replaying quarantined rows: by a mended mapping, or with corrected cells."""

import csv
import uuid
from collections.abc import Mapping as Cells
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from activities.import_plan import load_lookups, table_of
from activities.import_rows import RowBatch
from activities.message_replay import corrected_message, is_message, replay_message
from activities.upload_people import link_upload
from domain.errors import ConflictError, InvalidInputError
from domain.mapping import FileSpec, Mapping
from domain.mapping_check import nearest
from domain.mapping_rows import RowConverter
from domain.tabular import Position, RawRow, TableReader
from domain.time import WallInstant, business
from domain.tracked_message import MessageReader
from models.asked_objects import ask_for
from models.changes import announce_change
from models.database import Database, Session
from models.facts import store_facts
from models.imports import ImportRun, load_run
from models.quarantine import (
    OPEN,
    REPLAYED,
    BadRow,
    Quarantined,
    QuarantineFilter,
    change_reason,
    get_quarantined,
    open_rows,
    settle_quarantined,
)
from models.uploads import UPLOAD


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


PULLED = frozenset({"stream", "id"})
"""What names an object that a pull can fetch again."""


async def replay(
    database: Database,
    reader: TableReader,
    row_id: uuid.UUID,
    correction: Correction,
    wall: WallInstant,
    messages: MessageReader | None = None,
) -> Replayed:
    """Store a quarantined row as if it stood in its file like this, in one transaction.

    `messages` reads rows that were no lines of files but messages of tracking clients.
    """
    async with database.transaction() as session:
        row = await get_quarantined(session, row_id)
        if row.state != OPEN:
            raise ConflictError(what=f"{row.file}:{row.line}", reason=f"it is {row.state} already")
        if row.import_run_id is None and row.raw.keys() >= PULLED:
            await ask_for(session, row.source_id, str(row.raw["stream"]), str(row.raw["id"]))
            reason = "it is being read anew from its provider, and leaves the quarantine if it fits now"
            return Replayed(row, BadRow(row.file, row.line, row.kind, row.field, reason, row.raw))
        if messages is not None and is_message(row):
            raw = corrected_message(row.raw, correction.cells, correction.text)
            return await _settled(
                session, row, await replay_message(session, database.url, row, raw, messages, wall), wall
            )
        if row.import_run_id is None:
            reason = "it came with no import that could be repeated; replay its delivery, or pull again"
            raise ConflictError(what=f"{row.file}:{row.line}", reason=reason)
        run = await load_run(session, row.import_run_id)
        mapping = correction.mapping or Mapping.model_validate(run.document)
        batch, converter = _batch(row, mapping, run, reader, correction)
        if mapping.source.kind == UPLOAD:
            await link_upload(session, row.source_id, batch, run.now or business(wall))
        result = await store_facts(session, row.source_id, batch.facts, received_at=wall)
        batch.settle(result, converter)
        return await _settled(session, row, batch.bad.get(0), wall)


async def _settled(session: Session, row: Quarantined, still: BadRow | None, wall: WallInstant) -> Replayed:
    """Note that the row is stored, or what is still wrong with it."""
    if still is None:
        await settle_quarantined(session, row.id, REPLAYED, wall)
    else:
        await change_reason(session, row.id, still)
    await announce_change(session)
    return Replayed(row, still)


MOST_AT_ONCE = 1_000
"""Rows of one replay of many; the rest are replayed by asking again."""


@dataclass(frozen=True)
class ManyReplayed:
    """What became of many rows, and how many wait still."""

    replayed: int
    failed: int
    more: bool


async def replay_many(
    database: Database,
    reader: TableReader,
    chosen: QuarantineFilter,
    wall: WallInstant,
    messages: MessageReader | None = None,
) -> ManyReplayed:
    """Try all rows that fit again, as they came: after the world, not the rows, was mended."""
    async with database.transaction() as session:
        ids = await open_rows(session, chosen, MOST_AT_ONCE + 1)
    replayed = failed = 0
    for row_id in ids[:MOST_AT_ONCE]:
        try:
            done = await replay(database, reader, row_id, Correction(), wall, messages)
        except (ConflictError, InvalidInputError):
            failed += 1
        else:
            replayed, failed = (replayed + 1, failed) if done.still is None else (replayed, failed + 1)
    return ManyReplayed(replayed, failed, len(ids) > MOST_AT_ONCE)


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
