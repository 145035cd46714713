"""Parquet, batch by batch: memory holds one batch, whatever the size of the row groups' columns."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from domain.errors import InvalidInputError
from domain.tabular import Position, RawRow, TableFormat, TableInfo

_BATCH = 4096


def _open(path: Path) -> Any:
    try:
        return parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidInputError(field=path.name, reason=f"is no Parquet file ({error})") from None


class ParquetReader:
    """Reads Parquet; the line of a row is its number, from 1."""

    def describe(self, path: Path, _table: TableFormat) -> TableInfo:
        """Return the columns and the number of rows."""
        file = _open(path)
        return TableInfo(tuple(file.schema_arrow.names), int(file.metadata.num_rows))

    def rows(
        self, path: Path, _table: TableFormat, start: Position, columns: Sequence[str] | None = None
    ) -> Iterator[RawRow]:
        """Yield the rows after `start`."""
        number = 0
        wanted = None if columns is None else list(columns)
        for batch in _open(path).iter_batches(batch_size=_BATCH, columns=wanted, use_threads=False):
            if number + batch.num_rows <= start.rows:
                number += batch.num_rows
                continue
            for cells in batch.to_pylist():
                number += 1
                if number > start.rows:
                    yield RawRow(number, cells, Position(number, number, number))
