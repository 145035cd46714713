"""`everstay import quarantine …`: what waits there, and what a person does about it."""

import json
import uuid
from collections.abc import Sequence

import typer

from activities.import_replay import Correction
from activities.import_replay import replay as replay_row
from domain.errors import InvalidInputError
from integrations.tabular import FileReader
from integrations.tracking.kept import KeptMessages
from models.clock import wall_now
from models.database import Database, Session
from models.mapping_files import load_mapping
from models.quarantine import (
    DISMISSED,
    Quarantined,
    find_quarantined,
    list_quarantined,
    settle_quarantined,
)
from workers.console import in_transaction, located_settings

EVERYTHING = 1_000_000


def print_rows(source: str | None, file: str | None, state: str, limit: int, *, as_json: bool) -> None:
    """Print kept rows with file, line, field and reason."""
    wanted = None if state == "all" else state
    rows = in_transaction(
        located_settings(),
        lambda session: list_quarantined(session, source_id=source, file=file, state=wanted, limit=limit),
    )
    if as_json:
        typer.echo(json.dumps([_as_json(row) for row in rows], indent=2))
        return
    for row in rows:
        typer.echo(f"{str(row.id)[:8]}  {row.file}:{row.line}  {row.field}  {row.reason}")
    typer.echo(f"{len(rows)} rows." if rows else "Nothing is in quarantine.", err=True)


def print_row(beginning: str) -> None:
    """Print one row with its cells."""
    typer.echo(json.dumps(_as_json(_find([beginning])[0]), indent=2))


def _as_json(row: Quarantined) -> dict[str, object]:
    shown = ("file", "line", "field", "reason", "kind", "raw", "state")
    return {"id": str(row.id), "source": row.source_id} | {name: getattr(row, name) for name in shown}


def _find(beginnings: Sequence[str]) -> list[Quarantined]:
    if not beginnings:
        raise InvalidInputError(field="rows", reason="name at least one of `everstay import quarantine list`")
    return in_transaction(located_settings(), lambda session: find_quarantined(session, beginnings))


def dismiss(beginnings: Sequence[str]) -> int:
    """Put rows aside for good; return how many."""
    rows = _find(beginnings)

    async def settle(session: Session) -> None:
        for row in rows:
            await settle_quarantined(session, row.id, DISMISSED, wall_now())

    in_transaction(located_settings(), settle)
    return len(rows)


def open_rows() -> list[uuid.UUID]:
    """Return the ids of all rows that wait."""
    rows = in_transaction(located_settings(), lambda session: list_quarantined(session, limit=EVERYTHING))
    return [row.id for row in rows]


def rows_named(beginnings: Sequence[str]) -> list[uuid.UUID]:
    """Return the ids that begin like this."""
    return [row.id for row in _find(beginnings)]


async def replay(
    ids: Sequence[uuid.UUID], mapping: str | None, cells: Sequence[str], text: str | None
) -> int:
    """Try rows again, each in its own transaction; print and count those that are still wrong."""
    correction = Correction(None if mapping is None else load_mapping(mapping), _cells(cells), text)
    database, failed = Database(located_settings().database_url or "", pool_size=1), 0
    try:
        for row_id in ids:
            done = await replay_row(database, FileReader(), row_id, correction, wall_now(), KeptMessages())
            if done.still is not None:
                failed += 1
                typer.echo(f"{done.row.file}:{done.row.line}  {done.still.field}  {done.still.reason}")
    finally:
        await database.close()
    return failed


def _cells(given: Sequence[str]) -> dict[str, str]:
    pairs = [cell.partition("=") for cell in given]
    if any(not sign for _, sign, _ in pairs):
        raise InvalidInputError(field="--set", reason="takes column=value")
    return {name: value for name, _, value in pairs}
