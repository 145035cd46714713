"""The summary of an import: as JSON with the names of the contract, and as a table for people."""

from typing import Any

from rich.console import Console
from rich.table import Table

from models.imports import FileProgress, ImportRun

COUNTS = ("rows_read", "stored", "duplicates", "quarantined")


def summary(run: ImportRun) -> dict[str, Any]:
    """Return the counts of a run. Rows read are always stored, duplicates and quarantined together."""
    ended = run.finished_at or run.started_at
    totals = {name: run.total(name) for name in COUNTS}
    facts: dict[str, int] = {}
    for file in run.files.values():
        for kind, count in file.facts.items():
            facts[kind] = facts.get(kind, 0) + count
    return totals | {
        "files": {name: _file(file) for name, file in run.files.items()},
        "wall_seconds": round((ended - run.started_at).total_seconds(), 3),
        "facts": facts,
        "import_id": str(run.id),
        "source": run.source_id,
        "mapping": run.mapping,
        "state": run.state,
        "clock": run.options.get("clock"),
    }


def _file(file: FileProgress) -> dict[str, Any]:
    return {name: getattr(file, name) for name in COUNTS} | {"facts": dict(file.facts)}


def print_summary(console: Console, run: ImportRun) -> None:
    """Print the counts, and what to do about rows in quarantine."""
    table = Table("file", *(name.replace("_", " ") for name in COUNTS))
    for column in table.columns[1:]:
        column.justify = "right"
    for name, file in run.files.items():
        table.add_row(name, *(f"{getattr(file, count):,}" for count in COUNTS))
    table.add_section()
    table.add_row("all", *(f"{run.total(count):,}" for count in COUNTS))
    console.print(table)
    if clock := run.options.get("clock"):
        console.print(f"Business time goes on from {clock}.")
    if run.total("quarantined"):
        console.print("Rows in quarantine, each with its reason: everstay import quarantine list")
