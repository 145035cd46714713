"""`everstay import …`: files become facts, and what could not become one waits in quarantine."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import InvalidInputError

imports = typer.Typer(
    invoke_without_command=True, help="Import files through a mapping; see docs/imports.md."
)
quarantine = typer.Typer(invoke_without_command=True, help="Rows that could not be stored, and why.")
imports.add_typer(quarantine, name="quarantine")

RowIds = Annotated[list[str] | None, typer.Argument(help="Ids of rows, or the beginnings of ids.")]


def register(app: typer.Typer) -> None:
    """Add `everstay import`."""
    app.add_typer(imports, name="import")


@imports.callback()
def run(
    context: typer.Context,
    mapping: Annotated[str | None, typer.Option(help="A mapping: a file, or a name in the library.")] = None,
    source: Annotated[
        str | None,
        typer.Option(help="The folder with the files, or postgresql://… (better: env:NAME of a variable)."),
    ] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the summary there as JSON.")] = None,
    *,
    set_clock: Annotated[
        bool, typer.Option("--set-clock", help="Set business time to the end of the data.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Set the clock of a lived-in installation too.")
    ] = False,
) -> None:
    """Import a folder. Run again after an interruption, it goes on with the unfinished run."""
    if context.invoked_subcommand is not None:
        return
    if mapping is None or source is None:
        raise InvalidInputError(field="everstay import", reason="needs --mapping and --source")
    from workers.import_command import order_of, report, run_import

    order = order_of(mapping, source, set_clock=set_clock, force=force)
    report(asyncio.run(run_import(order)), json_path)


@quarantine.callback()
def _default(context: typer.Context) -> None:
    """List what waits, where no other command is given."""
    if context.invoked_subcommand is None:
        list_rows()


@quarantine.command("list")
def list_rows(
    source: Annotated[str | None, typer.Option(help="Only of this source.")] = None,
    file: Annotated[str | None, typer.Option(help="Only of this file.")] = None,
    state: Annotated[str, typer.Option(help="open, replayed, dismissed or all.")] = "open",
    limit: Annotated[int, typer.Option(help="At most so many rows.")] = 1000,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List rows with file, line, field and reason."""
    from workers.import_quarantine import print_rows

    print_rows(source, file, state, limit, as_json=as_json)


@quarantine.command()
def show(row: Annotated[str, typer.Argument(help="Id of a row, or its beginning.")]) -> None:
    """Show one row with its cells."""
    from workers.import_quarantine import print_row

    print_row(row)


@quarantine.command()
def replay(
    rows: RowIds = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every open row.")] = False,
    mapping: Annotated[str | None, typer.Option(help="A mended mapping; none: the run's own.")] = None,
    cells: Annotated[list[str] | None, typer.Option("--set", help="A corrected cell: column=value.")] = None,
    text: Annotated[str | None, typer.Option("--row", help="The corrected row, as CSV.")] = None,
) -> None:
    """Try rows again after a fix; exits 1 while any is still wrong."""
    from workers import import_quarantine as desk

    ids = desk.open_rows() if everything else desk.rows_named(rows or [])
    failed = asyncio.run(desk.replay(ids, mapping, cells or [], text))
    typer.echo(f"{len(ids) - failed} of {len(ids)} rows stored.", err=True)
    if failed:
        raise typer.Exit(1)


@quarantine.command()
def dismiss(rows: RowIds = None) -> None:
    """Put rows aside for good; they stay listed under --state dismissed."""
    from workers import import_quarantine as desk

    typer.echo(f"{desk.dismiss(rows or [])} rows dismissed.", err=True)
