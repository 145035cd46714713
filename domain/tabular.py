"""Rows of a table in a file, wherever they stand, and the port through which they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

Cells = dict[str, Any]
"""One row by column: texts from CSV, typed values from Parquet."""


@dataclass(frozen=True)
class Position:
    """Where to go on reading: bytes (CSV) or rows (Parquet) behind us, and the last line and row taken."""

    offset: int = 0
    line: int = 0
    rows: int = 0


@dataclass(frozen=True)
class RawRow:
    """One row as it stands, or, with a problem, the text that could not be taken apart."""

    line: int
    cells: Cells
    position: Position
    """Where to go on after this row."""
    problem: str | None = None


@dataclass(frozen=True)
class TableFormat:
    """How a file is written."""

    kind: str = "csv"
    delimiter: str = ","


@dataclass(frozen=True)
class TableInfo:
    """What is known of a table before its rows are read."""

    columns: tuple[str, ...]
    size: int
    """In the unit of `Position.offset`, so that progress is a share."""
    problems: tuple[str, ...] = field(default=())


class TableReader(Protocol):
    """Reads tables as streams; memory does not grow with the file."""

    def describe(self, path: Path, table: TableFormat) -> TableInfo:
        """Return the header and the size; raises InvalidInputError for what is no such table."""
        ...

    def rows(
        self, path: Path, table: TableFormat, start: Position, columns: Sequence[str] | None = None
    ) -> Iterator[RawRow]:
        """Yield the rows after `start` (with `columns`, where the format allows, only those)."""
        ...
