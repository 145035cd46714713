"""The reader of tables that the import uses: one door, a format behind it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from domain.tabular import Position, RawRow, TableFormat, TableInfo, TableReader
from integrations.tabular_csv import CsvReader
from integrations.tabular_parquet import ParquetReader


class FileReader:
    """Picks the reader by the format."""

    def __init__(self) -> None:
        """Know both formats."""
        self._readers: dict[str, TableReader] = {"csv": CsvReader(), "parquet": ParquetReader()}

    def describe(self, path: Path, table: TableFormat) -> TableInfo:
        """Return the header and the size."""
        return self._readers[table.kind].describe(path, table)

    def rows(
        self, path: Path, table: TableFormat, start: Position, columns: Sequence[str] | None = None
    ) -> Iterator[RawRow]:
        """Yield the rows after `start`."""
        return self._readers[table.kind].rows(path, table, start, columns)
