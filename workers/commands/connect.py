"""`everstay connect …` and `everstay connections …`: the accounts at providers that we read or hear from."""

import asyncio
import json
from typing import Annotated

import typer

connections = typer.Typer(
    invoke_without_command=True, help="Connected providers: what they told, and whether they are read."
)

TokenEnv = Annotated[
    str | None, typer.Option("--token-env", help="Name of the environment variable that holds the token.")
]
SourceId = Annotated[str, typer.Argument(help="The connection, as `everstay connections` lists it.")]


def register(app: typer.Typer) -> None:
    """Add `everstay connect` and `everstay connections`."""
    app.command("connect")(connect)
    app.add_typer(connections, name="connections")


def connect(  # noqa: PLR0913, PLR0917 - one option each
    provider: Annotated[
        str,
        typer.Argument(
            help="hubspot, zendesk, stripe, warehouse, intercom, salesforce, calendar, mail or webhook."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="How lists show it; its id is made of it.")] = None,
    token_env: TokenEnv = None,
    webhook_secret_env: Annotated[
        str | None, typer.Option(help="Name of the variable that holds the secret of its webhooks.")
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="Another address than the provider's own.")] = None,
    user: Annotated[str | None, typer.Option(help="Zendesk: whose API token it is, as an e-mail.")] = None,
    every: Annotated[str | None, typer.Option(help="How often it is read: 90s, 15m, 6h, 1d.")] = None,
    mapping: Annotated[
        str | None, typer.Option(help="webhook, warehouse: a mapping, by file or name.")
    ] = None,
    folder: Annotated[
        str | None, typer.Option(help="warehouse: a folder with Parquet or CSV files, in place of a token.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Another option of the provider: name=value.")
    ] = None,
    *,
    customers: Annotated[
        bool | None,
        typer.Option(
            "--customers/--no-customers",
            help="Whether customers are kept there; without a word, if nobody else tells of them.",
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Try the credentials first.")] = True,
) -> None:
    """Connect an account; connecting it again replaces what is given anew and keeps the rest.

    Secrets come from environment variables, never from the command line, and are stored encrypted.
    """
    from workers.connecting import ConnectOrder, connect_provider

    order = ConnectOrder(
        provider,
        name or provider.capitalize(),
        token_env,
        webhook_secret_env,
        base_url,
        user,
        every,
        mapping,
        folder,
        tuple(option or ()),
        customers,
        check,
    )
    for line in asyncio.run(connect_provider(order)):
        typer.echo(line)


@connections.callback()
def list_connections(
    context: typer.Context, *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the connections, where no other command is given."""
    if context.invoked_subcommand is not None:
        return
    from workers.connection_report import as_lines, load_report

    report = load_report()
    typer.echo(json.dumps(report, indent=2) if as_json else as_lines(report))


@connections.command()
def pause(source: SourceId) -> None:
    """Stop reading a connection; nothing is forgotten."""
    from models.clock import wall_now
    from workers.connection_report import set_paused

    set_paused(source, wall_now())
    typer.echo(f"{source} is paused.")


@connections.command()
def resume(source: SourceId) -> None:
    """Go on reading a paused connection where it stopped."""
    from workers.connection_report import set_paused

    set_paused(source, None)
    typer.echo(f"{source} is read again.")


@connections.command("pull-now")
def pull_now(source: SourceId) -> None:
    """Read a connection at once instead of at its next time."""
    from workers.connecting import ask_for_pull

    asyncio.run(ask_for_pull(source))
    typer.echo(f"{source} is being read; see `everstay connections`.")
