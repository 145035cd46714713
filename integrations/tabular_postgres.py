"""Tables and views of somebody's warehouse, copied as one consistent picture to files for an import.

A file is what makes an import resumable: a position in it stays what it was, while a table goes on changing.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from domain.errors import InvalidInputError
from domain.mapping import FileSpec, LookupSpec, Mapping

SCHEMES = ("postgresql://", "postgres://")
READ_ONLY = "-c default_transaction_read_only=on -c application_name=everstay"
CONNECT_SECONDS = 15
_NAME = re.compile(r"[A-Za-z_][\w$ -]*(\.[A-Za-z_][\w$ -]*)?")
_AS_TEXT = {
    "timestamptz": "to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    "timestamp": "to_char({column}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')",
}
"""Types whose usual text no mapping reads."""


def is_warehouse(source: str) -> bool:
    """Tell an address of a Postgres from a folder."""
    return source.startswith(SCHEMES)


def copy_tables(dsn: str, mapping: Mapping, folder: Path, only: str | None = None) -> None:
    """Copy every table that the mapping names into the folder, as CSV under the name that it has there.

    `match` is the table or view, with a schema if need be; an ending `.csv` is left out. All of them are read
    in one read-only transaction, so that they fit each other. With `only`, no more than that part of the
    mapping and the lookups are. Raises InvalidInputError for what cannot be read.
    """
    specs: list[FileSpec | LookupSpec] = [one for one in mapping.files if only in {None, one.name}]
    specs += mapping.lookups.values()
    try:
        with psycopg.connect(dsn, options=READ_ONLY, connect_timeout=CONNECT_SECONDS) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            for spec in specs:
                _copy(connection, spec, folder / spec.match)
    except psycopg.Error as error:
        raise InvalidInputError(field="the warehouse", reason=_words(error)) from None


def check_tables(dsn: str, mapping: Mapping) -> str:
    """Return which tables can be read; raises InvalidInputError for the first that cannot."""
    specs: list[FileSpec | LookupSpec] = [*mapping.files, *mapping.lookups.values()]
    try:
        with psycopg.connect(dsn, options=READ_ONLY, connect_timeout=CONNECT_SECONDS) as connection:
            for spec in specs:
                connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(_table(spec)))
    except psycopg.Error as error:
        raise InvalidInputError(field="the warehouse", reason=_words(error)) from None
    return f"It may read {', '.join(spec.match for spec in mapping.files)}."


def _copy(connection: psycopg.Connection, spec: FileSpec | LookupSpec, path: Path) -> None:
    table = _table(spec)
    columns = _columns(connection, table)
    statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT WITH (FORMAT csv, HEADER, DELIMITER {})")
    query = statement.format(sql.SQL(", ").join(columns), table, sql.Literal(spec.delimiter))
    with path.open("wb") as file, connection.cursor().copy(query) as copy:
        for part in copy:
            file.write(part)


def _columns(connection: psycopg.Connection, table: sql.Composable) -> Sequence[sql.Composable]:
    described = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(table)).description or []
    types = connection.adapters.types
    found: Iterable[tuple[str, str]] = (
        (column.name, info.name if (info := types.get(column.type_code)) else "") for column in described
    )
    return [_column(name, kind) for name, kind in found]


def _column(name: str, kind: str) -> sql.Composable:
    column = sql.Identifier(name)
    shown = _AS_TEXT.get(kind, "{column}::text")
    return sql.SQL(shown).format(column=column) + sql.SQL(" AS ") + column


def _table(spec: FileSpec | LookupSpec) -> sql.Composable:
    name = spec.match.removesuffix(".csv")
    if spec.format != "csv" or not _NAME.fullmatch(name):
        reason = "is no name of a table or view; write `match: schema.table`, without format and wildcards"
        raise InvalidInputError(field=spec.match, reason=reason)
    return sql.Identifier(*name.split("."))


def _words(error: psycopg.Error) -> str:
    """Return what the server said, or that it could not be reached: never the address with its password."""
    if error.diag.message_primary:
        return error.diag.message_primary
    return "it cannot be reached with this address, user and password"
