"""The Postgres server itself: does it answer, has it our database, which revision holds the schema."""

import psycopg
from alembic.script import ScriptDirectory
from psycopg import sql
from psycopg.errors import DuplicateDatabase, UndefinedTable

from models.migrate import alembic_config

CONNECT_SECONDS = 3


async def _ask(url: str, statement: sql.SQL | sql.Composed) -> list[tuple[object, ...]]:
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    async with await psycopg.AsyncConnection.connect(
        plain, autocommit=True, connect_timeout=CONNECT_SECONDS
    ) as connection:
        cursor = await connection.execute(statement)
        return await cursor.fetchall() if cursor.description else []


async def answers(url: str) -> bool:
    """Whether the server takes a query now, which is what ready means; raises `psycopg.Error` if not."""
    return await _ask(url, sql.SQL("SELECT 1")) == [(1,)]


async def server_version(url: str) -> str:
    """Return the server's version, as it names it."""
    rows = await _ask(url, sql.SQL("SHOW server_version"))
    return str(rows[0][0])


async def ensure_database(maintenance_url: str, name: str) -> None:
    """Create the database unless it is there."""
    query = sql.SQL("SELECT 1 FROM pg_database WHERE datname = {}").format(sql.Literal(name))
    if not await _ask(maintenance_url, query):
        try:
            await _ask(maintenance_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except DuplicateDatabase:  # another process was quicker
            return


async def schema_revision(url: str) -> str | None:
    """Return the revision of the schema in the database, None before the first migration."""
    try:
        rows = await _ask(url, sql.SQL("SELECT version_num FROM alembic_version"))
    except UndefinedTable:
        return None
    return str(rows[0][0]) if rows else None


def newest_revision(url: str) -> str | None:
    """Return the revision that this code wants."""
    return ScriptDirectory.from_config(alembic_config(url)).get_current_head()
