"""`everstay demo`: a sample portfolio lives through business days on its own embedded stack."""

from pathlib import Path
from typing import Annotated

import typer

from ml.simulation.worlds import Preset


def register(app: typer.Typer) -> None:
    """Add `everstay demo`."""
    app.command()(demo)


def demo(
    *,
    customers: Annotated[int, typer.Option(min=1, help="Size of the sample portfolio.")] = 150,
    days: Annotated[int, typer.Option(min=1, help="Business days to live through.")] = 60,
    preset: Annotated[
        Preset, typer.Option(help="A year's trouble within the days, or a company with two years behind it.")
    ] = Preset.DEMO,
    seed: Annotated[int, typer.Option(help="The same seed gives the same portfolio.")] = 1,
    ends: Annotated[bool, typer.Option("--exit", help="Stop after the last day and check the run.")] = False,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Write the summary to this file (with --exit).")
    ] = None,
    day_seconds: Annotated[
        float | None,
        typer.Option(min=1, help="Seconds that a day lasts at first; the default fits the size."),
    ] = None,
) -> None:
    """Show customers being scored, e-mails, tasks, and who came back; Ctrl-C stops it."""
    import asyncio

    from rich.console import Console

    from settings import load_settings
    from workers.demo.options import DemoOptions
    from workers.demo.run import run_demo

    options = DemoOptions(
        customers=customers,
        days=days,
        seed=seed,
        preset=preset,
        ends=ends,
        json_path=json_path.absolute() if json_path else None,
        day_seconds=day_seconds,
    )
    asyncio.run(run_demo(load_settings(), options, Console()))
