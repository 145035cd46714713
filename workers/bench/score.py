"""How many customers a second a night scores, through the real workflow and its workers, and one on demand.

The night that is measured is a usual one: everybody has been scored before, some nights of scores are there
to compare with, and a day of use has come in since. The first night, which opens everything, stands beside.
"""

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import Client

from activities.contracts_scoring import PlanShardsInput, ScoreShardResult
from domain.time import BusinessInstant, after
from models.bench_portfolio import PROVIDES, SOURCE, add_day, make_portfolio
from models.bench_score import count_rollups, night_of
from models.clock import start_clock, wall_now
from models.database import Database
from models.installation import release
from models.sources import Source, connect_source
from settings import Settings
from workers.bench.homes import bench_home
from workers.bench.report import Report, percentile
from workers.bench.score_limits import Limits, measure_limits, rescore_each
from workers.bench.score_model import file_champion
from workers.bench.score_stack import worker_name
from workers.embedded.connection import connect_temporal
from workers.embedded.control import start_detached, stop_running
from workers.embedded.runtime import locate, read_state
from workflows.policies import SCORING_QUEUE
from workflows.scoring import PortfolioScoringWorkflow, workflow_id

STACK = ("-m", "workers.bench.score_stack")
BEGINS = BusinessInstant(dt.datetime(2026, 6, 16, 1, tzinfo=dt.UTC))
CONNECTED = dt.timedelta(days=1200)
DAY = dt.timedelta(days=1)
PER = 10_000
Say = Callable[[str], None]


@dataclass(frozen=True)
class ScoreOptions:
    """How many customers, scored by how many worker processes; `sizes` are measured beside, for growth."""

    customers: int = 100_000
    workers: int = 2
    asked: int = 100
    """Customers that are scored one by one."""
    sizes: tuple[int, ...] = ()


@dataclass
class Measured:
    """One size of portfolio."""

    customers: int
    rollups: int = 0
    first_seconds: float = 0.0
    seconds: float = 0.0
    peak_mb: float = 0.0
    found: ScoreShardResult = field(default_factory=ScoreShardResult)
    stored: dict[str, float] = field(default_factory=dict)
    on_demand_ms: list[float] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)


def bench_score(settings: Settings, options: ScoreOptions, say: Say) -> Report:
    """Measure each size on a stack in a home of its own."""
    began = time.perf_counter()
    sizes = sorted({options.customers, *options.sizes})
    found = {size: _measure_size(settings, size, options, say) for size in sizes}
    return _report(found, options, time.perf_counter() - began)


def _measure_size(settings: Settings, customers: int, options: ScoreOptions, say: Say) -> Measured:
    with bench_home(settings) as home:
        start_detached(home, say, auto_ports=True, program=(*STACK, str(options.workers)))
        try:
            return asyncio.run(_measure(locate(home), customers, options, say))
        finally:
            stop_running(home)


async def _measure(settings: Settings, customers: int, options: ScoreOptions, say: Say) -> Measured:
    measured = Measured(customers)
    database, client = Database(settings.database_url or "", pool_size=4), await connect_temporal(settings)
    try:
        say(f"telling of {customers} customers")
        await _begin(database, settings, customers, say)
        say("teaching a champion")
        model = await file_champion(database, BEGINS)
        say("scoring the first night")
        measured.first_seconds, _ = await _night(client, BEGINS)
        say(f"{measured.first_seconds:.1f} s; a day passes")
        now = after(BEGINS, DAY)
        await _set_clock(database, now)
        await asyncio.to_thread(add_day, settings.database_url or "", now)
        say("scoring the second night")
        measured.seconds, measured.found = await _night(client, now)
        measured.peak_mb = sum(_peak_mb(settings, number) for number in range(options.workers))
        say(f"{measured.seconds:.1f} s, {measured.peak_mb:.0f} MB; scoring one by one")
        measured.on_demand_ms = await rescore_each(database, options.asked)
        say("measuring the limits")
        measured.limits = await measure_limits(database, model, now)
        async with database.transaction() as session:
            measured.rollups = await count_rollups(session)
            measured.stored = await night_of(session, now.date())
    finally:
        await database.close()
    return measured


async def _begin(database: Database, settings: Settings, customers: int, say: Say) -> None:
    await _set_clock(database, BEGINS)
    async with database.transaction() as session:
        source = Source(SOURCE, "Bench", "bench", PROVIDES, after(BEGINS, -CONNECTED))
        await connect_source(session, source)
        await release(session, BEGINS, wall_now())
    await asyncio.to_thread(make_portfolio, settings.database_url or "", customers, BEGINS, say)


async def _set_clock(database: Database, at: BusinessInstant) -> None:
    """Set every process's clock; it runs on at the pace of the machine."""
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=at, rate=1.0)


async def _night(client: Client, now: BusinessInstant) -> tuple[float, ScoreShardResult]:
    """Score everyone as the calendar would; return seconds from the start to the end of the workflow."""
    began = time.perf_counter()
    handle = await client.start_workflow(
        PortfolioScoringWorkflow.run,
        PlanShardsInput(now.date()),
        id=workflow_id(now.date()),
        task_queue=SCORING_QUEUE,
    )
    found = await handle.result()
    return time.perf_counter() - began, found


def _peak_mb(settings: Settings, number: int) -> float:
    """Return the most memory that a worker has held at once, as the kernel counts it (VmHWM)."""
    state = read_state(settings.home)
    mark = state.parts[worker_name(number)].mark if state is not None else None
    if mark is None:
        return 0.0
    status = Path(f"/proc/{mark.pid}/status").read_text(encoding="ascii")
    kept = dict(line.split(":", 1) for line in status.splitlines())
    return int(kept["VmHWM"].split()[0]) / 1024


def _report(found: dict[int, Measured], options: ScoreOptions, wall_seconds: float) -> Report:
    main = found[options.customers]
    limits = main.limits
    figures = _figures(main) | {
        "rollups": main.rollups,
        "found": asdict(main.found),
        "stored": main.stored,
        "on_demand_p50_ms": round(percentile(main.on_demand_ms, 0.5), 1),
        "on_demand_p99_ms": round(percentile(main.on_demand_ms, 0.99), 1),
        "growth": [_figures(one) for one in found.values()],
    }
    floor = main.customers * limits.seconds_each
    return Report(
        "score",
        asdict(options) | {"days_of_use": 90},
        figures,
        {
            "sql_customers_per_second": round(1 / limits.sql),
            "predict_rows_per_second": round(1 / limits.predict),
            "shap_rows_per_second": round(1 / limits.shap),
            "trees": limits.trees,
        },
        {"of_floor": round(floor / main.seconds, 3)},
        wall_seconds,
    )


def _figures(one: Measured) -> dict[str, Any]:
    return {
        "customers": one.customers,
        "customers_per_second": round(one.customers / one.seconds, 1),
        "wall_seconds": round(one.seconds, 1),
        "first_night_seconds": round(one.first_seconds, 1),
        "seconds_per_10000": round(one.seconds / one.customers * PER, 2),
        "peak_rss_mb": round(one.peak_mb),
    }
