"""`everstay effects …`: what was done to the world outside."""

import asyncio
import json
from typing import Annotated

import typer

from domain.vocabulary import EffectState

effects = typer.Typer(no_args_is_help=True, help="What was done to the world outside, each thing once.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add `everstay effects`."""
    app.add_typer(effects, name="effects")


@effects.command("list")
def list_all(
    state: Annotated[list[EffectState] | None, typer.Option(help="In this state; repeatable.")] = None,
    kind: Annotated[str | None, typer.Option(help="Such as email, webhook, prompt or crm.")] = None,
    search: Annotated[str | None, typer.Option(help="How its key begins, or a delivery id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    *,
    as_json: Json = False,
) -> None:
    """List effects, the newest first; those of which nobody knows before all others."""
    from workers.console import located_settings
    from workers.effects_command import as_lines, list_now

    found = asyncio.run(list_now(located_settings(), state or [], kind, search, limit))
    typer.echo(json.dumps(found, indent=2) if as_json else as_lines(found))


@effects.command()
def settle(
    name: Annotated[str, typer.Argument(help="Its key or delivery id.")],
    *,
    happened: Annotated[bool, typer.Option("--happened/--did-not-happen", help="What you found out.")],
    by: Annotated[str, typer.Option("--by", help="Your name, for the record.")] = "",
    as_json: Json = False,
) -> None:
    """Say of an uncertain effect whether it happened; it is never done again, and its run goes on."""
    from workers.console import located_settings
    from workers.effects_command import settle_now

    found = asyncio.run(settle_now(located_settings(), name, by, happened=happened))
    typer.echo(json.dumps(found, indent=2) if as_json else f"{found['key']} is {found['state']}.")
