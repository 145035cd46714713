"""`everstay metrics …`: how the uses of features add up."""

import json
from typing import Annotated

import typer

from domain.usage_windows import MetricKind

metrics = typer.Typer(no_args_is_help=True, help="How the uses of features add up: counters and gauges.")


def register(app: typer.Typer) -> None:
    """Add `everstay metrics`."""
    app.add_typer(metrics, name="metrics")


@metrics.command()
def declare(
    feature: Annotated[str, typer.Argument(help="The feature: an event's name, or page:<name>.")],
    kind: Annotated[
        MetricKind, typer.Option(help="counter: adds up. gauge: stands at something (seats, storage).")
    ] = MetricKind.COUNTER,
    read: Annotated[
        str | None, typer.Option("--property", help="The property of the event that holds the quantity.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="What it counts, as pages say it.")] = None,
    description: Annotated[str | None, typer.Option(help="What it means.")] = None,
) -> None:
    """Say how the uses of a feature add up; without a declaration its events are counted."""
    from models.metrics import Metric, declare_metric
    from workers.console import in_transaction, located_settings

    metric = Metric(feature, kind, unit, description, read)
    in_transaction(located_settings(), lambda session: declare_metric(session, metric))
    typer.echo(f"{feature} is a {kind.value}" + (f" that reads {read}" if read else ""))


@metrics.command("list")
def list_(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List what was declared."""
    from models.metrics import list_metrics
    from workers.console import in_transaction, located_settings

    found = in_transaction(located_settings(), list_metrics)
    if as_json:
        typer.echo(json.dumps([vars(one) for one in found], indent=2))
        return
    for one in found:
        typer.echo("\t".join([one.feature, one.kind.value, one.property or "-", one.unit or "-"]))
