"""`everstay suppressions …`: addresses that the mail provider holds back."""

import json
from typing import Annotated

import typer

from domain.suppressions import SuppressionList

suppressions = typer.Typer(
    no_args_is_help=True, help="Addresses that the mail provider holds back; see docs/email.md."
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add `everstay suppressions`."""
    app.add_typer(suppressions, name="suppressions")


@suppressions.command("import")
def import_(*, as_json: AsJson = False) -> None:
    """Read every list of the provider's now, from where it was read last; exits with 1 where one failed."""
    from workers.console import located_settings
    from workers.suppression_report import import_now

    found = import_now(located_settings())
    words = [f"{which}: {told if isinstance(told, str) else f'{told} new'}" for which, told in found.items()]
    typer.echo(json.dumps(found) if as_json else "\n".join(words))
    if any(isinstance(told, str) for told in found.values()):
        raise typer.Exit(1)


@suppressions.command("list")
def list_(
    lists: Annotated[
        list[SuppressionList] | None, typer.Option("--list", help="Only of this list; may be repeated.")
    ] = None,
    search: Annotated[str, typer.Option(help="A part of the address.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List held addresses, the latest first."""
    from models.resources.suppressions import list_suppressions
    from workers.console import in_transaction, located_settings
    from workers.suppression_report import as_lines, as_rows

    found = in_transaction(
        located_settings(), lambda session: list_suppressions(session, lists or [], search, limit=limit)
    )
    typer.echo(json.dumps(as_rows(found.rows), indent=2) if as_json else as_lines(found.rows))
