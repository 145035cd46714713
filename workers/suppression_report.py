"""What `everstay suppressions` prints, and one import on demand."""

import asyncio
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from domain.errors import InvalidInputError
from models.clock import open_clock
from models.database import Database
from models.resources.keyset import Row
from settings import Settings
from workers.suppression_keeper import import_suppressions, suppression_reader


def import_now(settings: Settings) -> dict[str, int | str]:
    """Read every list once; raises InvalidInputError where mail leaves by a server that keeps none."""
    return asyncio.run(_import_now(settings))


async def _import_now(settings: Settings) -> dict[str, int | str]:
    reader = suppression_reader(settings)
    if reader is None:
        raise InvalidInputError(field="smtp_url", reason="a mail server keeps no suppression lists to read")
    database = Database(settings.database_url or "", pool_size=1)
    try:
        found = await import_suppressions(database, await open_clock(database), reader)
    finally:
        await database.close()
    return {which.value: told for which, told in found.items()}


def as_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return plain values for JSON."""
    return [{name: _plain(value) for name, value in row.items() if not name.startswith("_")} for row in rows]


def as_lines(rows: Sequence[Row]) -> str:
    """Return one line per address, or that there is none."""
    lines = [
        f"{row['listed_at']:%Y-%m-%d %H:%M}  {row['list'].value:<18}  {row['email']}"
        + ("  (lifted)" if row["lifted_at"] else "")
        for row in rows
    ]
    return "\n".join(lines) or "The provider holds no address back, as far as was read."


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value
