"""`everstay import` itself: start or attach, watch until the end, and report."""

import json
from pathlib import Path

from rich.console import Console

from activities.import_orders import ImportOrder, open_import
from integrations.mapping_files import load_mapping
from integrations.tabular import FileReader
from models.clock import wall_now
from models.database import Database
from models.imports import ImportRun
from workers.console import located_settings
from workers.embedded.connection import connect_temporal
from workers.import_report import print_summary, summary
from workers.import_watch import LineBoard, LiveBoard, watch
from workers.imports import start_import


def order_of(mapping: str, source: Path, *, set_clock: bool, force: bool) -> ImportOrder:
    """Return what was asked for, with the mapping read and checked."""
    return ImportOrder(mapping, load_mapping(mapping), source.resolve(), set_clock, force)


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
