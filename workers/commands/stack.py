"""`everstay up|down|status|doctor|migrate`: the embedded stack from the command line."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands of the stack."""
    for command in (up, down, status, doctor, migrate):
        app.command()(command)


def up(
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Return once everything is healthy.")] = False,
    auto_ports: Annotated[
        bool, typer.Option("--auto-ports", help="Choose free ports for taken ones.")
    ] = False,
) -> None:
    """Start Postgres, Temporal, the pages and the workers; Ctrl-C stops them."""
    import asyncio

    from settings import load_settings
    from workers.embedded.control import start_detached
    from workers.embedded.stack import run_stack

    settings = load_settings()
    if detach:
        start_detached(settings, typer.echo, auto_ports=auto_ports)
    else:
        asyncio.run(run_stack(settings, typer.echo, auto_ports=auto_ports))


def down() -> None:
    """Stop the running stack and wait until nothing of it is left."""
    from settings import load_settings
    from workers.embedded.control import stop_running

    stop_running(load_settings())
    typer.echo("Everstay has stopped.")


def status(*, as_json: Json = False) -> None:
    """Show the parts of the stack; exit code 1 unless all are healthy."""
    from settings import load_settings
    from workers.embedded.status import as_text, describe

    found = describe(load_settings())
    typer.echo(found.model_dump_json(indent=2) if as_json else as_text(found))
    raise typer.Exit(0 if found.healthy else 1)


def doctor(*, as_json: Json = False) -> None:
    """Check each part and say how to mend what is wrong; exit code 1 if anything is."""
    import asyncio

    from settings import load_settings
    from workers.embedded.doctor import as_text, examine, to_json

    findings = asyncio.run(examine(load_settings()))
    typer.echo(to_json(findings) if as_json else as_text(findings))
    raise typer.Exit(1 if any(finding.verdict == "wrong" for finding in findings) else 0)


def migrate() -> None:
    """Bring the database to the newest schema and the Temporal namespace to our search attributes."""
    import asyncio

    from models.migrate import migrate_to_head
    from settings import load_settings
    from workers.embedded.runtime import locate
    from workers.embedded.temporal import prepare_namespace

    settings = locate(load_settings())
    migrate_to_head(settings.database_url or "")
    added = asyncio.run(prepare_namespace(settings))
    typer.echo(
        "The schema is up to date." + (f" Search attributes added: {', '.join(added)}." if added else "")
    )
