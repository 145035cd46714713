"""CSV as it comes: byte order marks, quotes over several lines, rows of the wrong width, bad bytes.

Every physical line belongs to exactly one row, so nothing is lost: where a quote does not close, the first
line alone is the bad row and reading goes on with the next.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from domain.errors import InvalidInputError
from domain.tabular import Position, RawRow, TableFormat, TableInfo

_BOM = b"\xef\xbb\xbf"
_LONGEST_ROW = 1_000_000
"""Bytes. A longer row is an unclosed quote, not a row."""
_REPLACED = "\ufffd"


class _RowTooLongError(Exception):
    """A quote swallowed more than any row holds."""


class _Lines:
    """Hands out decoded lines, remembers those of the current row, and takes them back."""

    def __init__(self, file: BinaryIO, start: Position) -> None:
        self._file, self._offset, self.line = file, start.offset, start.line
        self._returned: deque[bytes] = deque()
        self.taken: list[bytes] = []
        self.is_bad = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = self._returned.popleft() if self._returned else self._file.readline()
        if not raw:
            raise StopIteration
        self.taken.append(raw)
        self._offset += len(raw)
        self.line += 1
        if len(self.taken) > 1 and sum(map(len, self.taken)) > _LONGEST_ROW:
            raise _RowTooLongError
        return self._decoded(raw)

    def _decoded(self, raw: bytes) -> str:
        if raw.startswith(_BOM) and self._offset == len(raw):
            raw = raw[len(_BOM) :]
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text, self.is_bad = raw.decode(errors="replace"), True
        if "\0" in text:
            text, self.is_bad = text.replace("\0", _REPLACED), True
        return text

    def begin_row(self) -> int:
        """Forget the last row's lines; return the line at which the next one starts."""
        self.taken, self.is_bad = [], False
        return self.line + 1

    def give_back_all_but_the_first(self) -> str:
        """Return the first line's text, and read the others again."""
        first, *others = self.taken
        self._returned.extendleft(reversed(others))
        self._offset -= sum(map(len, others))
        self.line -= len(others)
        self.taken = [first]
        return first.decode(errors="replace").replace("\0", _REPLACED).rstrip("\r\n")

    def position(self, rows: int) -> Position:
        """Return where to go on after the current row."""
        return Position(self._offset, self.line, rows)


class CsvReader:
    """Reads CSV in UTF-8."""

    def describe(self, path: Path, table: TableFormat) -> TableInfo:
        """Return the header and the size in bytes."""
        with path.open("rb") as file:
            header, _ = _header(file, path, table)
        return TableInfo(header, path.stat().st_size)

    def rows(
        self, path: Path, table: TableFormat, start: Position, _columns: Sequence[str] | None = None
    ) -> Iterator[RawRow]:
        """Yield the rows after `start`."""
        with path.open("rb") as file:
            header, after_header = _header(file, path, table)
            begin = start if start.offset else after_header
            file.seek(begin.offset)
            yield from _rows(_Lines(file, begin), header, table, begin.rows)


def _header(file: BinaryIO, path: Path, table: TableFormat) -> tuple[tuple[str, ...], Position]:
    lines = _Lines(file, Position())
    try:
        header = tuple(next(csv.reader(lines, delimiter=table.delimiter, strict=True)))
    except (StopIteration, csv.Error, _RowTooLongError) as error:
        reason = f"has no header that could be read ({str(error) or 'it is empty'})"
        raise InvalidInputError(field=path.name, reason=reason) from None
    if lines.is_bad:
        raise InvalidInputError(field=path.name, reason="is not UTF-8 text")
    return header, lines.position(0)


def _rows(lines: _Lines, header: tuple[str, ...], table: TableFormat, rows: int) -> Iterator[RawRow]:
    reader = csv.reader(lines, delimiter=table.delimiter, strict=True)
    while True:
        first_line, problem, cells = lines.begin_row(), None, list[str]()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _RowTooLongError) as error:
            problem = f"cannot be taken apart ({str(error) or 'a quote is not closed'})"
        if problem is None and not cells:
            continue
        problem = problem or _shape_problem(cells, header, is_bad=lines.is_bad)
        rows += 1
        if problem is None:
            yield RawRow(first_line, dict(zip(header, cells, strict=True)), lines.position(rows))
            continue
        text = lines.give_back_all_but_the_first()
        yield RawRow(first_line, {"": text}, lines.position(rows), problem)
        reader = csv.reader(lines, delimiter=table.delimiter, strict=True)


def _shape_problem(cells: list[str], header: tuple[str, ...], *, is_bad: bool) -> str | None:
    if is_bad:
        return "holds bytes that are no UTF-8 text"
    if len(cells) != len(header):
        return f"has {len(cells)} columns where the header has {len(header)}"
    return None
