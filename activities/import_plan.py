"""What an import is about to do: its files, their headers, its lookups and the end of its data."""

import datetime as dt
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from zoneinfo import ZoneInfo

from domain.errors import InvalidInputError
from domain.mapping import FileSpec, LookupSpec, Mapping
from domain.mapping_cells import CellError, compile_column, in_zone
from domain.mapping_check import check_header
from domain.tabular import Position, TableFormat, TableReader
from domain.time import BusinessInstant

LARGEST_LOOKUP = 2_000_000
"""Rows. A lookup is held in memory, so a larger one is refused rather than left to exhaust it."""


@dataclass(frozen=True)
class PlannedFile:
    """One file of the folder and what the mapping says of it."""

    path: Path
    spec: FileSpec
    size: int


def plan_files(mapping: Mapping, folder: Path, reader: TableReader) -> list[PlannedFile]:
    """Return the files in the order in which they are read; raises InvalidInputError for what is amiss."""
    if not folder.is_dir():
        raise InvalidInputError(field="--source", reason=f"there is no folder {folder}")
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    planned: list[PlannedFile] = []
    for spec in mapping.files:
        matching = [name for name in names if fnmatch(name, spec.match)]
        if not matching:
            reason = f"there is no file {spec.match} in it; it holds {', '.join(names) or 'no files'}"
            raise InvalidInputError(field="--source", reason=reason)
        planned += [_plan_file(folder / name, spec, reader) for name in matching]
    return planned


def _plan_file(path: Path, spec: FileSpec, reader: TableReader) -> PlannedFile:
    info = reader.describe(path, table_of(spec))
    problems = check_header(spec, info.columns)
    if problems:
        raise InvalidInputError(field=path.name, reason="; ".join(problems))
    return PlannedFile(path, spec, info.size)


def table_of(spec: FileSpec | LookupSpec) -> TableFormat:
    """Return how a file is written."""
    return TableFormat(spec.format, spec.delimiter)


def load_lookups(mapping: Mapping, folder: Path, reader: TableReader) -> dict[str, dict[str, str]]:
    """Return every lookup table; of two rows with one key the first counts, as it does for facts."""
    return {name: _load_lookup(name, spec, folder, reader) for name, spec in mapping.lookups.items()}


def _load_lookup(name: str, spec: LookupSpec, folder: Path, reader: TableReader) -> dict[str, str]:
    path = folder / spec.match
    if not path.is_file():
        raise InvalidInputError(field=f"the lookup {name}", reason=f"there is no file {spec.match}")
    missing = {spec.key, spec.value} - set(reader.describe(path, table_of(spec)).columns)
    if missing:
        raise InvalidInputError(field=spec.match, reason=f"has no column {', '.join(sorted(missing))}")
    table: dict[str, str] = {}
    for row in reader.rows(path, table_of(spec), Position(), (spec.key, spec.value)):
        if row.problem is None:
            table.setdefault(str(row.cells[spec.key]), str(row.cells[spec.value]))
        if len(table) > LARGEST_LOOKUP:
            raise InvalidInputError(field=spec.match, reason=f"has more than {LARGEST_LOOKUP} keys")
    return table


def end_of_data(mapping: Mapping, files: list[PlannedFile], reader: TableReader) -> BusinessInstant:
    """Return the first instant after the last day of the column that the mapping's clock names.

    Cells that are no date are left out: their rows go to quarantine.
    """
    clock = mapping.clock
    if clock is None:
        raise InvalidInputError(field="--set-clock", reason="the mapping names no `clock` column")
    zone, last = ZoneInfo(mapping.source.time_zone), None
    for file in files:
        if file.spec.name != clock.file:
            continue
        parse = compile_column(file.spec.columns[clock.column], zone)
        for row in reader.rows(file.path, table_of(file.spec), Position(), (clock.column,)):
            day = _day(parse, row.cells.get(clock.column), zone)
            last = max(filter(None, (last, day)), default=None)
    if last is None:
        raise InvalidInputError(field="--set-clock", reason=f"the column {clock.column} holds no date")
    following = last + dt.timedelta(days=1)
    return BusinessInstant(in_zone(dt.datetime(following.year, following.month, following.day), zone))  # noqa: DTZ001  in_zone adds it


def _day(parse: object, cell: object, zone: ZoneInfo) -> dt.date | None:
    assert callable(parse)  # noqa: S101  a compiled column
    try:
        value = parse(cell)
    except CellError:
        return None
    if isinstance(value, dt.datetime):
        return value.astimezone(zone).date()
    return value if isinstance(value, dt.date) else None
