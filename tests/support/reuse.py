"""One migrated database for many tests: emptied after each, which costs a tenth of a copy of the template."""

from collections.abc import Iterable

import psycopg
from psycopg import sql

from tests.support.postgres import create_database

_LEAVE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
)
TABLES = """
SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'alembic_version'
"""
_PARTITIONS = r"""
SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname ~ '_\d{8}$'
"""
_SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"


class ReusedDatabase:
    """A database that each test finds as a fresh migration leaves it."""

    def __init__(self, server_url: str, name: str, template: str) -> None:
        self.url = create_database(server_url, name, template)
        self._name = name
        with psycopg.connect(self.url) as connection:
            self._tables = [name for (name,) in connection.execute(TABLES.encode())]

    def empty(self) -> None:
        """Send everybody away, delete every row, drop partitions that a test made, count from one again."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(_LEAVE.encode(), [self._name])
            connection.execute(b"SET session_replication_role = replica")
            for (table,) in connection.execute(only_filled(self._tables)).fetchall():
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            for (name,) in connection.execute(_PARTITIONS.encode()).fetchall():
                connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
            for (name,) in connection.execute(_SEQUENCES.encode()).fetchall():
                connection.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(name)))


def only_filled(tables: Iterable[str]) -> sql.Composed:
    """Return the query for those of the tables that have a row."""
    one = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    return sql.SQL(" UNION ALL ").join(
        one.format(sql.Literal(table), sql.Identifier(table)) for table in tables
    )
