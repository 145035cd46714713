"""Many rows in one statement with one parameter: a statement per row costs more than its row.

Rows go as one JSON document, which the server takes apart again (json_to_recordset). Numbers are written so
that they are read back to the bit.
"""

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy tells no types here


def source_of(table: Table, columns: Iterable[str]) -> str:
    """Return the parameter `rows` as a relation `new` with columns of the table's types."""
    typed = ", ".join(f"{name} {table.c[name].type.compile(DIALECT)}" for name in columns)
    return f"json_to_recordset(CAST(:rows AS json)) AS new({typed})"


async def write_rows(session: AsyncSession, statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement that reads `source_of`."""
    if rows:
        await session.execute(text(statement), {"rows": json.dumps(rows, default=_plain)})


def _plain(value: object) -> str:
    if isinstance(value, dt.date):  # instants too
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(type(value).__name__)
