"""`everstay score`: score everyone or one customer now, or look at a past day without changing anything."""

import datetime as dt
import uuid
from typing import Annotated

import typer

Customer = Annotated[uuid.UUID | None, typer.Option(help="Only this customer.")]
AsOf = Annotated[
    dt.datetime | None,
    typer.Option(help="Look at this past instant (UTC) with what was known then; stores nothing."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(score)


def score(customer: Customer = None, as_of: AsOf = None, *, as_json: Json = False) -> None:
    """Score customers now and write what follows from it; with --as-of only show the verdicts."""
    import asyncio
    import json

    from workers.console import located_settings
    from workers.score_command import run_score, shown

    document = asyncio.run(run_score(located_settings(), customer, as_of))
    typer.echo(json.dumps(document, indent=2) if as_json else shown(document))
