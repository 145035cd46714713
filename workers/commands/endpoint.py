"""`everstay endpoint …`: the other systems that we tell of things."""

import json
import uuid
from typing import Annotated

import typer

from domain.vocabulary import MessageState

endpoints = typer.Typer(
    no_args_is_help=True,
    help="Where the steps `call_webhook` of playbooks and subscribed events are posted to.",
)

Key = Annotated[str, typer.Argument(help="Its name in playbooks, such as crm-sync.")]


def register(app: typer.Typer) -> None:
    """Add `everstay endpoint`."""
    app.add_typer(endpoints, name="endpoint")


@endpoints.command()
def add(
    key: Key,
    url: Annotated[str, typer.Argument(help="An https address on the public internet.")],
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    secret_env: Annotated[
        str | None,
        typer.Option(help="Variable with its secret (whsec_…); without one, a new endpoint is given one."),
    ] = None,
    event: Annotated[
        list[str] | None, typer.Option(help="An event that it subscribes to, such as run.*; repeatable.")
    ] = None,
) -> None:
    """Add an endpoint, or replace and enable it; what is not given it keeps."""
    from workers.endpoints import save

    made = save(key, url, note, secret_env, event or None)
    typer.echo(f"{key} is saved. Try it: everstay endpoint test {key}")
    if made is not None:
        typer.echo(f"Its secret, shown this once: {made}")


@endpoints.command("list")
def list_all(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the endpoints, without their secrets."""
    from workers.endpoints import as_lines, load

    found = load()
    typer.echo(json.dumps(found, indent=2) if as_json else as_lines(found))


@endpoints.command()
def test(key: Key) -> None:
    """Post a signed message of type everstay.test; the exit code says whether it was taken."""
    from workers import endpoints as work

    typer.echo(work.test(key))


@endpoints.command()
def disable(
    key: Key, reason: Annotated[str, typer.Option(help="Why; runs show it.")] = "a person disabled it"
) -> None:
    """Post nothing more there, and take no more answers, until it is added again."""
    from workers import endpoints as work

    work.disable(key, reason)
    typer.echo(f"{key} is disabled.")


@endpoints.command()
def remove(key: Key) -> None:
    """Forget an endpoint; steps that name it fail from now on, and their runs go on."""
    from workers import endpoints as work

    work.remove(key)
    typer.echo(f"{key} is removed.")


@endpoints.command()
def events(
    key: Annotated[str | None, typer.Argument(help="Whose subscription; without one, all events.")] = None,
    chosen: Annotated[list[str] | None, typer.Argument(help="What it subscribes to from now on.")] = None,
    *,
    none: Annotated[bool, typer.Option("--none", help="End its subscription.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the events that there are, or choose what an endpoint subscribes to."""
    from workers import endpoints as known
    from workers import webhook_events as work

    if key is None:
        found = work.catalogue()
        typer.echo(json.dumps(found, indent=2) if as_json else work.as_list(found))
        return
    mine = work.choose(key, chosen or []) if chosen or none else known.events_of(key)
    typer.echo(json.dumps(mine) if as_json else "\n".join(mine) or f"{key} subscribes to nothing.")


@endpoints.command()
def deliveries(
    key: Key,
    state: Annotated[list[MessageState] | None, typer.Option(help="In this state; repeatable.")] = None,
    message: Annotated[uuid.UUID | None, typer.Option(help="One of them, with all its attempts.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what was posted to an endpoint, the newest first."""
    from workers import webhook_events as work

    if message is not None:
        typer.echo(json.dumps(work.delivery(message), indent=2))
        return
    found = work.deliveries(key, state or [], limit)
    typer.echo(json.dumps(found, indent=2) if as_json else work.as_lines(found))


@endpoints.command()
def replay(
    key: Key,
    message: Annotated[str | None, typer.Option(help="This message alone.")] = None,
    since: Annotated[str | None, typer.Option(help="Everything since this instant, ISO 8601.")] = None,
) -> None:
    """Send again what has failed, under the ids that it had; or one message, or all since an instant."""
    from workers import webhook_events as work

    count = work.replay(key, message, since)
    typer.echo(f"{count} {'message is' if count == 1 else 'messages are'} sent again.")
