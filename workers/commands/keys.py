"""`everstay keys …`: the keys of machines."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

keys = typer.Typer(no_args_is_help=True, help="Keys of machines: for tracking, and for the API.")


def register(app: typer.Typer) -> None:
    """Add `everstay keys`."""
    app.add_typer(keys, name="keys")


@keys.command()
def create(
    kind: Annotated[Literal["write", "api"], typer.Option(help="write: sends events. api: calls the API.")],
    scopes: Annotated[str, typer.Option(help="What an API key may do, separated by commas.")] = "",
    name: Annotated[str, typer.Option(help="What it is for, as lists show it.")] = "",
    source: Annotated[
        str | None, typer.Option(help="The source of a write key's messages; none makes one of its own.")
    ] = None,
    *,
    marketing: Annotated[
        bool,
        typer.Option(
            "--marketing", help="A marketing tool: its mail spends the contact budget, and is no use."
        ),
    ] = False,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write it here too, as JSON.")] = None,
) -> None:
    """Make a key and show it, once: only its hash is kept."""
    from models.clock import wall_now
    from models.keys import KeyKind, create_key
    from workers.console import in_transaction, located_settings
    from workers.key_files import write_secret_file

    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    secret, key = in_transaction(
        located_settings(),
        lambda session: create_key(
            session,
            KeyKind(kind),
            wall_now(),
            scopes=wanted,
            name=name,
            source_id=source,
            is_marketing=marketing,
        ),
    )
    if json_path is not None:
        write_secret_file(json_path, {"key": secret, "kind": kind, "scopes": list(key.scopes)})
    typer.echo(secret)


@keys.command("list")
def list_(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the keys by their beginnings; the rest of a key is known to its holder only."""
    from models.keys import list_keys
    from workers.console import in_transaction, located_settings
    from workers.key_files import as_rows, as_table

    found = in_transaction(located_settings(), list_keys)
    typer.echo(json.dumps(as_rows(found), indent=2) if as_json else as_table(found))


@keys.command()
def revoke(which: Annotated[str, typer.Argument(help="Its beginning as lists show it, or its id.")]) -> None:
    """End a key, from its next request on; a write key within a few seconds."""
    from models.clock import wall_now
    from models.keys import revoke_key
    from workers.console import in_transaction, located_settings

    key = in_transaction(located_settings(), lambda session: revoke_key(session, which, wall_now()))
    typer.echo(f"{key.prefix}… ({key.name}) opens nothing any more.")
