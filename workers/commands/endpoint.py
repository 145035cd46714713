"""`everstay endpoint …`: the other systems that playbooks tell of things."""

import json
from typing import Annotated

import typer

endpoints = typer.Typer(no_args_is_help=True, help="Where the steps `call_webhook` of playbooks post to.")

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
) -> None:
    """Add an endpoint, or replace and enable it; without --secret-env it keeps its secret."""
    from workers.endpoints import save

    made = save(key, url, note, secret_env)
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
