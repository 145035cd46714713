"""A warehouse that is read again and again by a mapping: tables of a Postgres, or a folder of files.

Each pass reads everything; what is known counts as a duplicate. The place within a pass is one in a file: of
a Postgres, in a picture of the table that this attempt took, so that an attempt after a kill begins anew.
"""

import asyncio
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Any

from domain.errors import InvalidInputError, PermanentProviderError
from domain.facts import Fact
from domain.mapping import FileSpec
from domain.mapping import Mapping as Document
from domain.mapping_rows import RowConverter
from domain.mapping_values import FieldError
from domain.pulling import Cursor, Hint, Page, Told
from domain.tabular import Position, RawRow, TableFormat
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Timeline
from integrations.tabular import FileReader
from integrations.tabular_postgres import check_tables, copy_tables

PROVIDER = "The warehouse"
AT_ONCE = 2_000


class WarehouseReader:
    """Options: mapping (the document), and folder where it is one; else the token is the address."""

    def __init__(self, options: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        """Check what was given."""
        if "mapping" not in options:
            raise PermanentProviderError(provider=PROVIDER, reason="the connection has no mapping")
        self._mapping = Document.model_validate(options["mapping"])
        self._dsn, given = secrets.get("token"), options.get("folder")
        if bool(self._dsn) == bool(given):
            reason = "give either a folder, or the address of a Postgres by --token-env"
            raise PermanentProviderError(provider=PROVIDER, reason=reason)
        self._given = Path(str(given)) if given else None
        self._picture: tempfile.TemporaryDirectory[str] | None = None
        self._id = uuid.uuid4().hex if self._dsn else "folder"
        self._files = FileReader()
        self._rows: tuple[str, Iterator[RawRow]] | None = None
        self._converter: RowConverter | None = None
        self.streams = tuple(spec.name for spec in self._mapping.files)

    def close(self) -> None:
        """Throw the picture of the tables away."""
        if self._picture is not None:
            self._picture.cleanup()

    async def check(self) -> str:
        """Look for the tables or files."""
        if self._dsn:
            return await asyncio.to_thread(check_tables, self._dsn, self._mapping)
        names = [path.name for spec in self._mapping.files for path in self._matching(spec)]
        return f"It may read {', '.join(names)}."

    async def page(self, stream: str, cursor: Cursor, _now: WallInstant) -> Page:
        """Return the next rows of the file that the cursor stands in, or of the next one."""
        try:
            return await asyncio.to_thread(self._page, stream, cursor)
        except InvalidInputError as error:
            raise PermanentProviderError(provider=PROVIDER, reason=str(error)) from None

    def _page(self, stream: str, cursor: Cursor) -> Page:
        spec = next(one for one in self._mapping.files if one.name == stream)
        names = [path.name for path in self._matching(spec)]
        at = cursor if cursor.get("picture") == self._id and cursor.get("file") in names else {}
        name = str(at.get("file", names[0]))
        place = Position(**at["at"]) if "at" in at else Position()
        found = list(islice(self._reading(spec, name, place), AT_ONCE))
        told = tuple(Told(stream, f"{name}:{row.line}", {"row": row}) for row in found)
        if len(found) == AT_ONCE:
            end = found[-1].position
            here = {"offset": end.offset, "line": end.line, "rows": end.rows}
            return Page(told, {"picture": self._id, "file": name, "at": here}, is_last=False, read=len(found))
        self._rows = None
        following = names[names.index(name) + 1 :]
        moved = {"picture": self._id, "file": following[0]} if following else {}
        return Page(told, moved, is_last=not following, read=len(found))

    def _reading(self, spec: FileSpec, name: str, place: Position) -> Iterator[RawRow]:
        key = f"{spec.name}/{name}"
        if self._rows is None or self._rows[0] != key:
            table = TableFormat(spec.format, spec.delimiter)
            self._rows = (key, self._files.rows(self._folder(spec) / name, table, place))
        return self._rows[1]

    def _folder(self, spec: FileSpec) -> Path:
        if self._given is not None:
            return self._given
        if self._picture is None:
            self._picture = tempfile.TemporaryDirectory(prefix="everstay-warehouse-")
            copy_tables(self._dsn or "", self._mapping, Path(self._picture.name), only=spec.name)
        return Path(self._picture.name)

    def _matching(self, spec: FileSpec) -> list[Path]:
        folder = self._folder(spec)
        if not folder.is_dir():
            raise InvalidInputError(field="folder", reason=f"there is no folder {folder}")
        found = sorted(path for path in folder.iterdir() if fnmatch(path.name, spec.match))
        if not found:
            raise InvalidInputError(field="folder", reason=f"there is no file {spec.match} in it")
        return found

    async def one(self, _stream: str, _object_id: str) -> Sequence[Told]:
        """Return nothing: rows are read in order."""
        return []

    def facts_of(
        self, told: Told, known_at: BusinessInstant, _timeline: Timeline
    ) -> tuple[list[Fact], list[Hint]]:
        """Translate one row by the mapping."""
        row: RawRow = told.body["row"]
        if row.problem is not None:
            message = f"(row): {row.problem}"
            raise ValueError(message)
        if self._converter is None:
            spec = next(one for one in self._mapping.files if one.name == told.kind)
            self._converter = RowConverter(spec, self._mapping.source, self._lookups(spec), known_at)
        try:
            return self._converter.facts_of(row.cells), []
        except FieldError as error:
            message = f"{error.field}: {error.reason}"
            raise ValueError(message) from None

    def _lookups(self, spec: FileSpec) -> dict[str, dict[str, str]]:
        tables: dict[str, dict[str, str]] = {}
        for name, lookup in self._mapping.lookups.items():
            table, path = TableFormat(lookup.format, lookup.delimiter), self._folder(spec) / lookup.match
            pairs = self._files.rows(path, table, Position(), (lookup.key, lookup.value))
            found = tables.setdefault(name, {})
            for row in pairs:
                if row.problem is None:
                    found.setdefault(str(row.cells[lookup.key]), str(row.cells[lookup.value]))
        return tables
