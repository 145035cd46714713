"""`everstay webhooks …`: what providers pushed, and reading it again."""

import json
from typing import Annotated

import typer

from domain.errors import InvalidInputError

webhooks = typer.Typer(no_args_is_help=True, help="Webhooks of connected providers; see docs/webhooks.md.")

Source = Annotated[str | None, typer.Option(help="Only of this source.")]


def register(app: typer.Typer) -> None:
    """Add `everstay webhooks`."""
    app.add_typer(webhooks, name="webhooks")


@webhooks.command("list")
def list_(
    source: Source = None,
    state: Annotated[
        list[str] | None, typer.Option(help="received, processed, ignored or failed; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List deliveries, the newest first."""
    from models.resources.deliveries import list_deliveries
    from workers.console import in_transaction, located_settings
    from workers.delivery_report import as_rows, as_table

    found = in_transaction(
        located_settings(), lambda session: list_deliveries(session, source, state or [], None, limit)
    )
    typer.echo(json.dumps(as_rows(found.rows), indent=2) if as_json else as_table(found.rows))


@webhooks.command()
def show(delivery: Annotated[str, typer.Argument(help="Id of a delivery, or its beginning.")]) -> None:
    """Print one delivery with its body, as JSON."""
    from workers.console import in_transaction, located_settings
    from workers.delivery_report import as_rows, load_whole

    row = in_transaction(located_settings(), lambda session: load_whole(session, delivery))
    typer.echo(json.dumps(as_rows([row])[0], indent=2))


@webhooks.command()
def replay(
    deliveries: Annotated[
        list[str] | None, typer.Argument(help="Ids of deliveries, or their beginnings.")
    ] = None,
    source: Source = None,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Every one that failed.")] = False,
    unclean: Annotated[
        bool, typer.Option("--unclean", help="Every one that failed or left something in quarantine.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Have deliveries read again by the running stack; what they told before counts as a duplicate."""
    if not (deliveries or failed or unclean):
        raise InvalidInputError(field="everstay webhooks replay", reason="needs ids, --failed or --unclean")
    from workers.console import in_transaction, located_settings
    from workers.delivery_report import replay_chosen

    count = in_transaction(
        located_settings(),
        lambda session: replay_chosen(session, deliveries or [], source, failed=failed, unclean=unclean),
    )
    typer.echo(json.dumps({"replayed": count}) if as_json else f"{count} deliveries are being read again.")
