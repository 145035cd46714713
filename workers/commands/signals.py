"""`everstay signals`: what is watched, what it would have shown, and switching it on or off."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer

from settings import Settings

Document = dict[str, Any]
Run = Callable[[Settings], Coroutine[Any, Any, Document]]
Shown = Callable[[Document], str]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Kind = Annotated[str, typer.Argument(help="Such as usage_drop, or own:<key> for a signal of your own.")]
Threshold = Annotated[
    list[str] | None,
    typer.Option("--threshold", help="SEGMENT.LEVEL=NUMBER, such as small.open=0.6; may be repeated."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    signals = typer.Typer(no_args_is_help=True, help="The catalogue of signals.")
    signals.command("list")(list_)
    signals.command()(preview)
    signals.command()(enable)
    signals.command()(disable)
    signals.command("train-sentiment")(train_sentiment)
    app.add_typer(signals, name="signals")


def list_(*, as_json: Json = False) -> None:
    """List every detector and every signal of your own with what it shows now."""
    from workers.signal_command import list_signals, shown_list

    _say(list_signals, shown_list, as_json=as_json)


def preview(kind: Kind, thresholds: Threshold = None, *, as_json: Json = False) -> None:
    """Play the last 90 days back on a sample, with other thresholds if given; changes nothing."""
    from workers.signal_command import preview_signal, shown_preview

    _say(lambda settings: preview_signal(settings, kind, thresholds or []), shown_preview, as_json=as_json)


def enable(kind: Kind) -> None:
    """Look for this signal from now on."""
    from workers.signal_command import shown_switch, switch_signal

    _say(lambda settings: switch_signal(settings, kind, on=True), shown_switch)


def disable(kind: Kind) -> None:
    """Stop looking for this signal; what it has open ends with the next look."""
    from workers.signal_command import shown_switch, switch_signal

    _say(lambda settings: switch_signal(settings, kind, on=False), shown_switch)


def train_sentiment(*, as_json: Json = False) -> None:
    """Train a model of ticket tone on your own rated tickets; it is used if it beats the word list."""
    from workers.signal_command import shown_sentiment, train_now

    _say(train_now, shown_sentiment, as_json=as_json)


def _say(run: Run, shown: Shown, *, as_json: bool = False) -> None:
    import asyncio
    import json

    from workers.console import located_settings

    document = asyncio.run(run(located_settings()))
    typer.echo(json.dumps(document, indent=2) if as_json else shown(document))
