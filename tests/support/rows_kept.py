"""The rows of a whole database, kept in memory and put back: quicker than writing them by far."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncSession

from tests.support.reuse import TABLES, only_filled

_SEQUENCES = (
    "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
)


@dataclass(frozen=True)
class KeptRows:
    """Each table in COPY's binary form, and where the sequences stand."""

    tables: dict[str, list[bytes]]
    sequences: dict[str, int]


async def is_empty(session: AsyncSession) -> bool:
    """Whether nothing was written yet."""
    return not await _filled(await _connection(session))


async def keep_rows(session: AsyncSession) -> KeptRows:
    """Read everything that this transaction sees."""
    connection = await _connection(session)
    tables: dict[str, list[bytes]] = {}
    for table in await _filled(connection):
        order = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
        async with connection.cursor().copy(order) as copy:
            tables[table] = [bytes(data) async for data in copy]
    rows = await (await connection.execute(_SEQUENCES.encode())).fetchall()
    return KeptRows(tables, dict(rows))


async def put_rows(session: AsyncSession, kept: KeptRows) -> None:
    """Write everything into an empty database, in this transaction; nothing is checked again."""
    connection = await _connection(session)
    await connection.execute(b"SET LOCAL session_replication_role = replica")
    for table, data in kept.tables.items():
        order = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
        async with connection.cursor().copy(order) as copy:
            for piece in data:
                await copy.write(piece)
    for name, value in kept.sequences.items():
        await connection.execute(sql.SQL("SELECT setval({}, {})").format(name, value))
    await connection.execute(b"SET LOCAL session_replication_role = origin")


async def _connection(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    raw = await (await session.connection()).get_raw_connection()
    found = raw.driver_connection
    assert isinstance(found, psycopg.AsyncConnection)
    return found


async def _filled(connection: psycopg.AsyncConnection[Any]) -> list[str]:
    names = [name for (name,) in await (await connection.execute(TABLES.encode())).fetchall()]
    return [name for (name,) in await (await connection.execute(only_filled(names))).fetchall()]
