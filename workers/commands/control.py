"""`everstay pause`, `resume` and `monitor`: what rests, and what does not go on by itself."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer

from settings import Settings

Document = dict[str, Any]
Run = Callable[[Settings], Coroutine[Any, Any, Document]]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
What = Annotated[
    str,
    typer.Argument(
        help="everything, or segment/SEGMENT, playbook/KEY, customer/ID, run/ID.", show_default=False
    ),
]
Why = Annotated[str, typer.Option("--reason", help="Why; it stands beside the rest.")]
Days = Annotated[
    float | None, typer.Option("--days", min=0.01, help="Business days; none: until a person ends it.")
]
By = Annotated[str, typer.Option("--by", help="Your name, for the record.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(pause)
    app.command()(resume)
    app.command()(monitor)


def pause(what: What, reason: Why, days: Days = None, by: By = "", *, as_json: Json = False) -> None:
    """Have runs rest: they listen and take no step until the rest is over."""
    from workers.control_command import pause_now, shown_rests

    _say(lambda settings: pause_now(settings, what, reason, days, by), shown_rests, as_json=as_json)


def resume(what: What, by: By = "", *, as_json: Json = False) -> None:
    """End a rest: what it covered hears what happened meanwhile, and goes on."""
    from workers.control_command import resume_now, shown_rests

    _say(lambda settings: resume_now(settings, what, by), shown_rests, as_json=as_json)


def monitor(*, as_json: Json = False) -> None:
    """List what does not go on by itself; exit code 1 if anything is found."""
    from workers.control_command import shown_monitor, watch

    document = _say(watch, shown_monitor, as_json=as_json)
    if document["findings"]:
        raise typer.Exit(1)


def _say(run: Run, shown: Callable[[Document], str], *, as_json: bool) -> Document:
    import asyncio
    import json

    from workers.console import located_settings

    document = asyncio.run(run(located_settings()))
    typer.echo(json.dumps(document, indent=2) if as_json else shown(document))
    return document
