"""`everstay backtest` and the sample company to try it on: how early scoring sees who leaves."""

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    str,
    typer.Option(help="scorecard, champion, the name of a filed model, or retrain (as it would have been)."),
]
From = Annotated[
    dt.datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="First day; a year before the last."),
]
To = Annotated[
    dt.datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; the newest with departures known for good."),
]
Capacity = Annotated[
    int | None, typer.Option(min=1, help="Customers that people can look after at once; a tenth of all.")
]
Groups = Annotated[
    Path | None,
    typer.Option(
        exists=True, help="CSV with customer (its id at its source) and group, to tell departures by."
    ),
]
AllowSeen = Annotated[
    bool,
    typer.Option("--allow-seen", help="Also of days from which the model has learned; the result says so."),
]
Keep = Annotated[
    bool, typer.Option("--keep/--no-keep", help="File the result; it is shown under /backtests.")
]
JsonPath = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")]


class Every(StrEnum):
    """How far apart the replayed days are."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backtest)
    app.command()(sample)


def backtest(  # noqa: PLR0913  each is an option of the command line
    *,
    model: Model = "scorecard",
    from_: From = None,
    to: To = None,
    every: Annotated[Every, typer.Option(help="Days that are replayed.")] = Every.WEEK,
    capacity: Capacity = None,
    groups: Groups = None,
    allow_seen: AllowSeen = False,
    keep: Keep = True,
    json_path: JsonPath = None,
) -> None:
    """Replay past scoring with what was known then: lead time, precision, revenue, calibration."""
    import asyncio

    from workers.backtest_command import Asked, run_backtest
    from workers.backtest_words import shown
    from workers.commands.learning import write
    from workers.console import located_settings
    from workers.train_progress import progress

    first, last = (one.date() if one else None for one in (from_, to))
    asked = Asked(model, first, last, every.value, capacity, groups, allow_seen, keep)
    with progress() as tell:
        document = asyncio.run(run_backtest(located_settings(), asked, tell))
    write(document, json_path)
    typer.echo(shown(document))


def sample(
    *,
    customers: Annotated[int, typer.Option(min=1, help="Size of the company's customer base.")] = 600,
    seed: Annotated[int, typer.Option(help="The same seed gives the same company.")] = 1,
    stories: Annotated[
        Path | None, typer.Option(help="Write what each customer truly lived to this file, for --groups.")
    ] = None,
) -> None:
    """Fill an empty installation with two years of an untreated sample company; nothing is sent."""
    import asyncio

    from workers.console import located_settings
    from workers.sample_command import run_sample

    typer.echo(asyncio.run(run_sample(located_settings(), customers, seed, stories)))
