"""`everstay evaluate`: how well departures, expansions or renewals are foretold on your own data."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

Asked = Annotated[
    str, typer.Option(help="churn_30d, churn_60d, churn_90d, expansion_60d or renewal (within 45 days).")
]
TrainUntil = Annotated[
    dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Newest snapshot that is learned from.")
]
TestFrom = Annotated[
    dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First snapshot that is judged.")
]
TestTo = Annotated[
    dt.datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Last one; if not given, the newest matured."),
]
Seeds = Annotated[int, typer.Option(min=1, max=50, help="Models that differ by luck; figures are means.")]
JsonPath = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    target: Asked = "churn_90d",
    train_until: TrainUntil = None,
    test_from: TestFrom = None,
    test_to: TestTo = None,
    seeds: Seeds = 5,
    json_path: JsonPath = None,
) -> None:
    """Learn on past months, judge on later ones, with leak checks; changes nothing."""
    import asyncio

    from activities.training_data import Target
    from domain.errors import InvalidInputError
    from workers.console import located_settings, steps
    from workers.evaluate_command import Window, run_evaluate, shown

    if target not in set(Target):
        raise InvalidInputError(field="target", reason=f"one of {', '.join(Target)}")
    window = Window(*(one.date() if one else None for one in (train_until, test_from, test_to)))
    with steps("Evaluating") as progress:
        run = run_evaluate(located_settings(), Target(target), window, seeds, progress)
        document = asyncio.run(run)
    write(document, json_path)
    typer.echo(shown(document))


def write(document: dict[str, Any], path: Path | None) -> None:
    """Write a document as JSON where one was asked for."""
    import json

    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
