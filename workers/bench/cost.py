"""What a customer's year costs in Temporal: actions, events and bytes, counted from every history."""

import asyncio
import datetime as dt
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.worker import Worker

from domain.errors import EverstayError
from domain.time import BusinessInstant, WallInstant
from models.bench_year import runs_before
from models.demo_report import lateness
from settings import Settings
from workers.bench.actions import Cost, child_of, cost_of, cost_of_untimed, untimed_waits
from workers.bench.histories import histories
from workers.bench.homes import bench_home
from workers.bench.naive_workflow import QUEUE, NaiveInput, NaiveWorkflow, look
from workers.bench.portfolio import Bench, opened, prepare
from workers.bench.reasons import reasons_of
from workers.bench.reference_year import CHECK_IN, DAYS, PARTS, RENEWAL, RUNS, four_touches
from workers.bench.report import Report
from workers.bench.year import STAGGER, Life, live
from workers.embedded.control import start_detached, stop_running
from workers.embedded.runtime import locate
from workers.main import sandbox

STACK = ("-m", "workers.bench.workflow_stack")
BEGINS = BusinessInstant(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC))
DAY_SECONDS = 86_400.0
LIFECYCLE = "lifecycle"
UNTIMED_BYTES = 300
"""About the size of a timer's two events and of the workflow task that follows them."""
SETTLE_SECONDS = 5.0

Say = Callable[[str], None]


class OtherMixError(EverstayError):
    """The year was not the reference year: {found} runs where {wanted} belong to it."""


@dataclass(frozen=True)
class CostOptions:
    """How many customers live how many days, and how long a day lasts on the wall."""

    customers: int = 12
    days: int = DAYS
    day_seconds: float = 1.5
    naive_customers: int = 3


@dataclass
class Measured:
    """What the histories of the year cost, by the part of the mix that they belong to."""

    parts: dict[str, Cost] = field(default_factory=lambda: defaultdict(Cost))
    reasons: Counter[str] = field(default_factory=Counter)
    naive: Cost = field(default_factory=Cost)
    naive_days: float = 0.0
    runs: Counter[str] = field(default_factory=Counter)
    late_p95_hours: float = 0.0
    untimed: int = 0


def bench_cost(settings: Settings, options: CostOptions, say: Say) -> Report:
    """Start a stack in a home of its own, live through the year, count, and take it all away again."""
    began = time.perf_counter()
    with bench_home(settings) as home:
        start_detached(home, say, auto_ports=True, program=(*STACK, str(options.day_seconds)))
        try:
            measured = asyncio.run(_measure(locate(home), options, say))
        finally:
            stop_running(home)
    return _report(measured, options, time.perf_counter() - began)


async def _measure(settings: Settings, options: CostOptions, say: Say) -> Measured:
    measured = Measured()
    async with opened(settings) as bench:
        rate = DAY_SECONDS / options.day_seconds
        await prepare(bench, [four_touches()], [RENEWAL, CHECK_IN], BEGINS, rate)
        days = options.days + STAGGER.days * options.customers
        say(
            f"{options.customers} customers live {options.days} days: some {days * options.day_seconds:.0f} s"
        )
        naive = asyncio.create_task(_live_naively(bench, options))
        lives = await asyncio.gather(
            *(live(bench, number, options.days) for number in range(options.customers))
        )
        await asyncio.sleep(SETTLE_SECONDS)
        say("counting the histories")
        await _count(bench, lives, options, measured)
        measured.naive = await naive
        measured.naive_days = options.days * options.naive_customers
    return measured


async def _live_naively(bench: Bench, options: CostOptions) -> Cost:
    """Let a few customers be looked at every day, and count."""
    ids = [f"naive/{uuid.uuid4()}" for _ in range(options.naive_customers)]
    async with Worker(
        bench.client,
        task_queue=QUEUE,
        workflows=[NaiveWorkflow],
        activities=[look],
        workflow_runner=sandbox(),
    ):
        days = [NaiveInput(one, options.day_seconds, options.days) for one in ids]
        work = [
            bench.client.execute_workflow(NaiveWorkflow.run, day, id=one, task_queue=QUEUE)
            for one, day in zip(ids, days, strict=True)
        ]
        await asyncio.gather(*work)
    found = [cost_of(history) for one in ids for history in await histories(bench.client, one)]
    return sum(found, Cost())


async def _count(bench: Bench, lives: Sequence[Life], options: CostOptions, measured: Measured) -> None:
    """Count what happened in each customer's own days: the first went on while the last still lived."""
    async with bench.database.transaction() as session:
        measured.late_p95_hours = (await lateness(session, bench.clock)).p95
    for life in lives:
        end = BusinessInstant(life.begins + dt.timedelta(days=options.days))
        async with bench.database.transaction() as session:
            runs = await runs_before(session, life.customer_id, end)
        parts = {f"intervention/{run.run_id}": PARTS[run.playbook_key] for run in runs}
        measured.runs.update(run.playbook_key for run in runs)
        for workflow_id in (f"customer/{life.customer_id}", *parts):
            for history in await histories(bench.client, workflow_id):
                lived = [event for event in history if _business(bench, event) <= end]
                _add(measured, workflow_id, lived, parts)


def _business(bench: Bench, event: HistoryEvent) -> BusinessInstant:
    return bench.clock.timeline.business_at(WallInstant(event.event_time.ToDatetime(tzinfo=dt.UTC)))


def _add(
    measured: Measured, workflow_id: str, history: Sequence[HistoryEvent], parts: dict[str, str]
) -> None:
    """Count one history for its part; what starts or rings a run counts for the run, not for its customer."""
    mine = parts.get(workflow_id, LIFECYCLE)
    shares: dict[str, list[HistoryEvent]] = defaultdict(list)
    for event in history:
        shares[parts.get(child_of(event) or "", mine)].append(event)
    for part, events in shares.items():
        measured.parts[part] += cost_of(events)
    measured.reasons += reasons_of(history)
    waits = untimed_waits(history)
    measured.untimed += waits
    measured.parts[mine] += cost_of_untimed(waits, UNTIMED_BYTES)


def check_mix(document: dict[str, Any]) -> None:
    """Refuse a whole year that was not the reference year."""
    lived, found = document["parameters"], document["figures"]["runs"]
    wanted = {key: count * lived["customers"] for key, count in RUNS.items()}
    if lived["days"] >= DAYS and found != wanted:
        raise OtherMixError(found=found, wanted=wanted)


def _report(measured: Measured, options: CostOptions, wall_seconds: float) -> Report:
    share = DAYS / options.days / options.customers
    whole = sum(measured.parts.values(), Cost())
    naive = DAYS / measured.naive_days
    figures = _totals(whole, share) | {
        "parts": {name: _totals(cost, share) for name, cost in sorted(measured.parts.items())},
        "actions_by_event": _per_year(whole.actions, share),
        "events_by_type": _per_year(whole.events, share),
        "activities_by_reason": _per_year(measured.reasons, share),
        "runs": dict(measured.runs),
        "untimed_waits_per_customer_year": round(measured.untimed * share, 1),
        "wake_lateness_hours_p95": measured.late_p95_hours,
    }
    limits = {f"naive_{name}": value for name, value in _totals(measured.naive, naive).items()}
    below = limits["naive_actions_per_customer_year"] / max(figures["actions_per_customer_year"], 0.01)
    return Report(
        "cost", asdict(options), figures, limits, {"times_below_naive": round(below, 1)}, wall_seconds
    )


def _totals(cost: Cost, share: float) -> dict[str, Any]:
    return {
        "actions_per_customer_year": round(sum(cost.actions.values()) * share, 1),
        "events_per_customer_year": round(sum(cost.events.values()) * share, 1),
        "kb_per_customer_year": round(cost.size * share / 1024, 1),
    }


def _per_year(counts: Counter[str], share: float) -> dict[str, float]:
    return {name: round(count * share, 2) for name, count in counts.most_common()}
