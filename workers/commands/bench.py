"""`everstay bench …`: figures beside the limits of the same run, as JSON."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

bench = typer.Typer(no_args_is_help=True, help="Measure; each benchmark starts what it needs and cleans up.")
Json = Annotated[Path | None, typer.Option("--json", help="Write the result to this file.")]


def register(app: typer.Typer) -> None:
    """Add `everstay bench`."""
    app.add_typer(bench, name="bench")


@bench.command()
def pages(
    *,
    customers: Annotated[int, typer.Option(min=1, help="Size of the sample portfolio.")] = 300,
    requests: Annotated[int, typer.Option(min=1, help="How often each page is fetched.")] = 100,
    json_path: Json = None,
) -> None:
    """Time to each page over HTTP, beside the time of its template alone."""
    _show([_pages(customers, requests)], json_path)


@bench.command()
def reaction(
    *,
    customers: Annotated[int, typer.Option(min=1, help="How many react, one after the other.")] = 40,
    json_path: Json = None,
) -> None:
    """Time from a posted event that breaks a limit to the decision, and from a fact to the new verdict."""
    _show([_reaction(customers)], json_path)


@bench.command()
def ingest(
    *,
    seconds: Annotated[float, typer.Option(min=1, help="How long events are sent.")] = 10.0,
    connections: Annotated[int, typer.Option(min=1, help="Requests that are under way at once.")] = 64,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Events in one request.")] = 100,
    stored: Annotated[int, typer.Option(min=0, help="Events that are stored before.")] = 0,
    json_path: Json = None,
) -> None:
    """Events per second through HTTP until stored, beside COPY alone and the handler alone."""
    _show([_ingest(seconds=seconds, connections=connections, batch=batch, stored=stored)], json_path)


@bench.command()
def lifecycle(
    *,
    customers: Annotated[int, typer.Option(min=1, help="How many, each with a workflow of its own.")] = 300,
    json_path: Json = None,
) -> None:
    """Time starts, notices and steps of workflows until they are decided, beside empty workflows."""
    _show([_lifecycle(customers)], json_path)


@bench.command()
def cost(
    *,
    customers: Annotated[int, typer.Option(min=1, help="How many live through the year.")] = 12,
    days: Annotated[int, typer.Option(min=1, help="Days of the year that they live.")] = 365,
    day_seconds: Annotated[float, typer.Option(min=0.2, help="How long a day lasts.")] = 1.5,
    json_path: Json = None,
) -> None:
    """Billable actions, events and bytes of a customer's reference year, beside a daily look at each."""
    from workers.bench.cost import check_mix

    document = _cost(customers=customers, days=days, day_seconds=day_seconds)
    _show([document], json_path)
    check_mix(document)


@bench.command()
def score(
    *,
    customers: Annotated[int, typer.Option(min=100, help="Size of the portfolio.")] = 100_000,
    workers: Annotated[int, typer.Option(min=1, help="Scoring worker processes.")] = 2,
    sizes: Annotated[str, typer.Option(help="Other sizes to measure too, such as 10000,300000.")] = "",
    json_path: Json = None,
) -> None:
    """Time a night's scoring and one on demand, beside their statements, trees and reasons alone."""
    others = tuple(int(one) for one in sizes.split(",") if one)
    _show([_score(customers=customers, workers=workers, sizes=others)], json_path)


@bench.command()
def effects(
    *,
    letters: Annotated[int, typer.Option(min=1, help="Letters with the ledger, and as many without.")] = 400,
    charges: Annotated[int, typer.Option(min=1, help="Charges with the ledger, and as many without.")] = 150,
    faulty: Annotated[int, typer.Option(min=1, help="Letters and charges that meet a fault each.")] = 105,
    stops: Annotated[int, typer.Option(min=1, help="Unpaid invoices that are paid one by one.")] = 40,
    cards: Annotated[int, typer.Option(min=1, help="Simulated cards of each mix and seed.")] = 1_000,
    json_path: Json = None,
) -> None:
    """Rate of sends and charges beside the bare provider, and under faults; time from payment to stop."""
    given = {"letters": letters, "charges": charges, "faulty": faulty, "stops": stops, "cards": cards}
    _show([_effects(**given)], json_path)


@bench.command()
def uplift(
    *,
    seeds: Annotated[int, typer.Option(min=1, help="Installations that differ by luck alone.")] = 20,
    customers: Annotated[int, typer.Option(min=100, help="Customers of each playbook.")] = 3_000,
    json_path: Json = None,
) -> None:
    """Coverage of estimated effects in worlds of known truth: intervals, verdicts, and what they need."""
    from workers.bench.uplift import UpliftOptions, bench_uplift

    options = UpliftOptions(seeds, customers)
    _show([bench_uplift(options, lambda line: typer.echo(line, err=True)).document()], json_path)


@bench.command()
def loop(
    *,
    seeds: Annotated[int, typer.Option(min=1, help="Companies that differ by luck alone.")] = 20,
    customers: Annotated[int, typer.Option(min=20, help="Customers of each.")] = 300,
    days: Annotated[int, typer.Option(min=28, help="How long they are looked after.")] = 450,
    preset: Annotated[str, typer.Option(help="company, or demo (its 60 to 90 days).")] = "company",
    json_path: Json = None,
) -> None:
    """Churn of a company that is scored, looked after and learned from, against its holdout and its twin."""
    from workers.bench.loop import LoopOptions, bench_loop

    options = LoopOptions(seeds, customers, days, preset)
    _show([bench_loop(options, lambda line: typer.echo(line, err=True)).document()], json_path)


@bench.command(name="all")
def everything(*, json_path: Json = None) -> None:
    """Run every benchmark of speed and cost; not uplift and loop, which take hours."""
    _show(
        [_ingest(), _pages(300, 100), _reaction(40), _lifecycle(300), _cost(), _score(), _effects()],
        json_path,
    )


def _reaction(customers: int) -> dict[str, Any]:
    from settings import load_settings
    from workers.bench.reaction import ReactionOptions, bench_reaction

    options = ReactionOptions(customers)
    return bench_reaction(load_settings(), options, lambda line: typer.echo(line, err=True)).document()


def _ingest(**given: Any) -> dict[str, Any]:
    from settings import load_settings
    from workers.bench.ingest import IngestOptions, bench_ingest

    options = IngestOptions(**given)
    return bench_ingest(load_settings(), options, lambda line: typer.echo(line, err=True)).document()


def _pages(customers: int, requests: int) -> dict[str, Any]:
    from settings import load_settings
    from workers.bench.pages import PagesOptions, bench_pages

    options = PagesOptions(customers, requests)
    return bench_pages(load_settings(), options, lambda line: typer.echo(line, err=True)).document()


def _lifecycle(customers: int) -> dict[str, Any]:
    from settings import load_settings
    from workers.bench.lifecycle import LifecycleOptions, bench_lifecycle

    options = LifecycleOptions(customers)
    return bench_lifecycle(load_settings(), options, lambda line: typer.echo(line, err=True)).document()


def _score(**given: Any) -> dict[str, Any]:
    from settings import load_settings
    from workers.bench.score import ScoreOptions, bench_score

    options = ScoreOptions(**given)
    return bench_score(load_settings(), options, lambda line: typer.echo(line, err=True)).document()


def _effects(**given: int) -> dict[str, Any]:
    from settings import load_settings
    from workers.bench.effects import EffectsOptions, bench_effects

    options = EffectsOptions(**given)
    return bench_effects(load_settings(), options, lambda line: typer.echo(line, err=True)).document()


def _cost(**given: Any) -> dict[str, Any]:
    """Also print the tables, for people."""
    from settings import load_settings
    from workers.bench.cost import CostOptions, bench_cost
    from workers.bench.cost_table import table

    report = bench_cost(load_settings(), CostOptions(**given), lambda line: typer.echo(line, err=True))
    typer.echo("\n".join(table(report)), err=True)
    return report.document()


def _show(documents: list[dict[str, Any]], json_path: Path | None) -> None:
    """Print the result, and keep it where asked; one benchmark is an object, several are a list."""
    result = documents[0] if len(documents) == 1 else documents
    text = json.dumps(result, indent=2)
    typer.echo(text)
    if json_path is not None:
        json_path.write_text(text + "\n", encoding="utf-8")
