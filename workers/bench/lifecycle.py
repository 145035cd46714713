"""How fast customers' workflows start, hear and step, each counted to its last decision row in Postgres.

The limit is the same closed loop with workflows that do nothing, on the same server.
"""

import asyncio
import datetime as dt
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from domain.playbook import Playbook
from domain.time import BusinessInstant
from domain.vocabulary import RiskTier, SignalKind
from models.bench_year import count_decided, steps_done
from settings import Settings
from workers.bench.bare_loops import bare_signals, bare_starts
from workers.bench.homes import bench_home
from workers.bench.old_customers import Wakes, resident_bytes, wake_old
from workers.bench.portfolio import Bench, add_customers, opened, prepare
from workers.bench.report import Report, percentile
from workers.bench.until import see, until, until_warned
from workers.embedded.control import start_detached, stop_running
from workers.embedded.runtime import locate

STACK = ("-m", "workers.bench.workflow_stack")
DAY_SECONDS = "86400"
BEGINS = BusinessInstant(dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC))
WARNING, STEPPING = SignalKind.USAGE_DROP, SignalKind.QBR_MISSED
FIRST_DECISION, LAST_OF_A_RUN = "watchlist_on", "end_run"
STEPS = 4
Say = Callable[[str], None]


@dataclass(frozen=True)
class LifecycleOptions:
    """How many customers, each with a workflow of its own."""

    customers: int = 300
    warm_up: int = 40
    """Customers before the first measurement: a fresh process grows by more than its cache."""
    old: int = 10
    """Customers that are woken from a cold cache, one after the other."""


@dataclass
class Measured:
    """Seconds until the last of all was done, and the rest."""

    starts: float = 0.0
    notices: float = 0.0
    steps: float = 0.0
    steps_done: int = 0
    bare_starts: float = 0.0
    bare_signals: float = 0.0
    cached_kb: float = 0.0
    wakes: Wakes = field(default_factory=lambda: Wakes([], [], 0))


def bench_lifecycle(settings: Settings, options: LifecycleOptions, say: Say) -> Report:
    """Start a stack in a home of its own, measure, and take it all away again."""
    began = time.perf_counter()
    with bench_home(settings) as home:
        start_detached(home, say, auto_ports=True, program=(*STACK, DAY_SECONDS))
        try:
            measured = asyncio.run(_measure(locate(home), options, say))
        finally:
            stop_running(home)
    return _report(measured, options, time.perf_counter() - began)


async def _measure(settings: Settings, options: LifecycleOptions, say: Say) -> Measured:
    measured, count = Measured(), options.customers
    async with opened(settings) as bench:
        await prepare(bench, [stepping_playbook()], [], BEGINS, 1.0)
        await _start(bench, "warm", options.warm_up, 0)
        before = resident_bytes(settings)
        say(f"starting {count} customers")
        ids, measured.starts = await _start(bench, "customer", count, options.warm_up)
        measured.cached_kb = (resident_bytes(settings) - before) / 1024 / count
        say("ringing them")
        measured.notices = await until_warned(bench, ids, WARNING)
        say(f"stepping through {STEPS} letters each")
        await _step(bench, ids, measured)
        say("the same with empty workflows")
        measured.bare_starts = await bare_starts(bench.client, count)
        measured.bare_signals = await bare_signals(bench.client, count)
        say("waking old customers from a cold cache")
        measured.wakes = await wake_old(settings, bench, ids[: options.old])
    return measured


def stepping_playbook() -> Playbook:
    """Return a playbook that only writes: letters that no budget and no office hour holds up."""
    letter = {"template": "stay-in-touch", "to": ["champion"], "purpose": "transactional"}
    document = {
        "key": "bench-steps",
        "name": "Steps",
        "description": "Letters of the benchmark, one after the other.",
        "motion": "retention",
        "priority": 10,
        "trigger": {"signals": [STEPPING.value]},
        "goal": {"when": "touchpoint", "window": "30d"},
        "steps": [{"id": f"letter-{number}", "send_email": letter} for number in range(STEPS)],
    }
    return Playbook.model_validate(document)


async def _start(bench: Bench, name: str, count: int, before: int) -> tuple[list[uuid.UUID], float]:
    """Add customers; return them, and the seconds until each one's first decision is there."""
    names = [f"{name}-{number}" for number in range(count)]
    found = await add_customers(bench, names, tier=RiskTier.MEDIUM)
    spent = await until(bench, lambda session: count_decided(session, FIRST_DECISION), before + count)
    return list(found.values()), spent


async def _step(bench: Bench, ids: Sequence[uuid.UUID], measured: Measured) -> None:
    """Let a run go through its letters for each customer."""
    await see(bench, ids, STEPPING)
    measured.steps = await until(bench, lambda session: count_decided(session, LAST_OF_A_RUN), len(ids))
    async with bench.database.transaction() as session:
        measured.steps_done = await steps_done(session, "send_email")


def _report(measured: Measured, options: LifecycleOptions, wall_seconds: float) -> Report:
    count, wakes = options.customers, measured.wakes
    figures = {
        "starts_per_second": round(count / measured.starts, 1),
        "notices_per_second": round(count / measured.notices, 1),
        "steps_per_second": round(measured.steps_done / measured.steps, 1),
        "kb_per_cached_workflow": round(measured.cached_kb, 1),
        "cold_wake_ms": round(percentile(wakes.cold_ms, 0.5), 1),
        "warm_wake_ms": round(percentile(wakes.warm_ms, 0.5), 1),
        "cold_wake_events": wakes.events,
    }
    limits = {
        "bare_starts_per_second": round(count / measured.bare_starts, 1),
        "bare_signals_per_second": round(count / measured.bare_signals, 1),
    }
    ratios = {
        "starts_of_bare": round(figures["starts_per_second"] / limits["bare_starts_per_second"], 3),
        "notices_of_bare": round(figures["notices_per_second"] / limits["bare_signals_per_second"], 3),
    }
    return Report("lifecycle", asdict(options), figures, limits, ratios, wall_seconds)
