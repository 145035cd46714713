"""`everstay train` and `everstay model …`: learn from this installation's data, and decide what is used."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.trained_model import ModelTarget
from settings import Settings

Document = dict[str, Any]
Run = Callable[[Settings], Coroutine[Any, Any, Document]]

Target = Annotated[ModelTarget, typer.Option(help="What the model foretells.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Why = Annotated[str, typer.Option("--why", help="The reason; it is kept with the model.")]
By = Annotated[str, typer.Option("--by", help="Your name, for the record.")]
Name = Annotated[str, typer.Argument(help="The model, for example churn-2026-11-21-1.", show_default=False)]

model = typer.Typer(no_args_is_help=True, help="Look at trained models, and decide about them.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(train)
    app.add_typer(model, name="model")


def train(
    target: Target = ModelTarget.CHURN,
    path: Annotated[Path | None, typer.Option("--json", help="Write the card as JSON to this file.")] = None,
) -> None:
    """Train a model on all that is known, and hold it against what is in use. Needs the database alone."""
    import asyncio

    from workers.console import located_settings
    from workers.train_command import run_training, shown
    from workers.train_progress import progress

    with progress() as tell:
        document = asyncio.run(run_training(located_settings(), target, tell))
    if path is not None:
        path.write_text(_json(document) + "\n", encoding="utf-8")
    typer.echo(shown(document))


@model.command(name="list")
def list_(*, as_json: Json = False) -> None:
    """List every model, the newest first."""
    from workers.model_command import list_all, shown_list

    _say(list_all, shown_list, as_json=as_json)


@model.command()
def show(name: Name, *, as_json: Json = False) -> None:
    """Show one model: its card, and every decision about it."""
    from workers.model_command import show_one, shown_model

    _say(lambda settings: show_one(settings, name), shown_model, as_json=as_json)


@model.command()
def promote(name: Name, why: Why, by: By = "", *, as_json: Json = False) -> None:
    """Use a model from now on, whatever the gate said."""
    from workers.model_command import promote_one, shown_decision

    _say(lambda settings: promote_one(settings, name, why, by), shown_decision, as_json=as_json)


@model.command()
def rollback(target: Target, why: Why, by: By = "", *, as_json: Json = False) -> None:
    """Go back to the champion before; behind the first one stands the scorecard."""
    from workers.model_command import roll_back_one, shown_decision

    _say(lambda settings: roll_back_one(settings, target, why, by), shown_decision, as_json=as_json)


@model.command()
def review(
    name: Name,
    why: Why,
    by: By = "",
    *,
    leak: Annotated[bool, typer.Option("--leak", help="It knows what it should not: reject it.")] = False,
    as_json: Json = False,
) -> None:
    """Say what you found in a model that looks too good to be true."""
    from workers.model_command import review_one, shown_decision

    _say(
        lambda settings: review_one(settings, name, why, by, sound=not leak), shown_decision, as_json=as_json
    )


def _say(run: Run, shown: Callable[[Document], str], *, as_json: bool) -> None:
    import asyncio

    from workers.console import located_settings

    document = asyncio.run(run(located_settings()))
    typer.echo(_json(document) if as_json else shown(document))


def _json(document: Any) -> str:
    import json

    return json.dumps(document, indent=2, default=str)
