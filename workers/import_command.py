"""`everstay import` itself: start or attach, watch until the end, and report."""

import json
import os
from pathlib import Path

from rich.console import Console

from activities.import_orders import ImportOrder, open_import
from domain.errors import InvalidInputError
from domain.mapping import Mapping
from integrations.tabular import FileReader
from integrations.tabular_postgres import copy_tables, is_warehouse
from models.clock import wall_now
from models.database import Database
from models.imports import ImportRun
from models.mapping_files import load_mapping
from settings import load_settings
from workers.console import located_settings
from workers.embedded.connection import connect_temporal
from workers.import_report import print_summary, summary
from workers.import_watch import LineBoard, LiveBoard, watch
from workers.imports import start_import

VARIABLE = "env:"
"""Before the name of the variable that holds the source, so that no password is in a command line."""


def order_of(mapping: str, source: str, *, set_clock: bool, force: bool) -> ImportOrder:
    """Return what was asked for, with the mapping read and checked, and a warehouse's tables copied."""
    document = load_mapping(mapping)
    return ImportOrder(mapping, document, _folder(document, source), set_clock, force)


def _folder(mapping: Mapping, source: str) -> Path:
    """Return the folder of the files; of a Postgres, a new one under the home with its tables in it."""
    given = os.environ.get(source.removeprefix(VARIABLE), "") if source.startswith(VARIABLE) else source
    if not given:
        raise InvalidInputError(field=source, reason="the environment variable is not set or empty")
    if not is_warehouse(given):
        return Path(given).resolve()
    stamp = wall_now().strftime("%Y%m%dT%H%M%S")
    folder = load_settings().home / "imports" / f"{mapping.source.id.replace('/', '-')}-{stamp}"
    folder.mkdir(parents=True, mode=0o700)
    copy_tables(given, mapping, folder)
    return folder


async def run_import(order: ImportOrder) -> ImportRun:
    """Return the run once it has ended well; a run of the same order that is under way is gone on with."""
    settings, console = located_settings(), Console(stderr=True)
    database = Database(settings.database_url or "", pool_size=2)
    try:
        client = await connect_temporal(settings)
        opened = await open_import(database, FileReader(), order, wall_now())
        if opened.is_resumed:
            console.print(f"Going on with the unfinished import {opened.id}.")
        await start_import(client, opened.id)
        if not console.is_terminal:
            return await watch(database, client, opened.id, LineBoard(console))
        with LiveBoard(console) as board:
            return await watch(database, client, opened.id, board)
    finally:
        await database.close()


def report(run: ImportRun, path: Path | None) -> None:
    """Print the summary, and write it as JSON where asked."""
    if path is not None:
        path.write_text(json.dumps(summary(run), indent=2) + "\n", encoding="utf-8")
    print_summary(Console(), run)
