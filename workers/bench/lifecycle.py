"""How fast customers' workflows start, hear and step, each counted to its last decision row in Postgres.

The limit is the same closed loop with workflows that do nothing, on the same server.
"""

import asyncio
import datetime as dt
import os
import signal
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field

import psutil
from temporalio.client import Client

from domain.errors import EverstayError
from domain.playbook import Playbook
from domain.time import BusinessInstant
from domain.vocabulary import NoticeKind, RiskTier, Severity, SignalKind
from models.bench_year import (
    count_decided,
    count_heads_ups,
    count_unheard,
    open_signals,
    steps_done,
    tell,
)
from models.clock import wall_now
from models.database import Session
from settings import Settings
from workers.bench.bare_worker import QUEUE
from workers.bench.empty_workflow import EmptyEntity, EmptyWorkflow
from workers.bench.histories import histories
from workers.bench.homes import bench_home
from workers.bench.portfolio import Bench, add_customers, opened, prepare
from workers.bench.report import Report, percentile
from workers.bench.workflow_stack import LIFECYCLE
from workers.embedded.control import start_detached, stop_running
from workers.embedded.runtime import locate, read_state
from workers.relay import AT_ONCE

STACK = ("-m", "workers.bench.workflow_stack")
DAY_SECONDS = "86400"
BEGINS = BusinessInstant(dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC))
WARM_UP = 40
"""Customers before the first measurement: a process that has done nothing yet grows by more than its cache."""
SIGHTS = 16
"""Looks at a customer between two continuations as new in the reference year, and some more."""
OLD = 10
"""Customers that are woken from a cold cache, one after the other."""
STICKY_SECONDS = 12.0
"""The server forgets after ten seconds which worker had a workflow in its cache."""
LOOK_SECONDS, GIVE_UP_SECONDS = 0.02, 300.0
WARNING, STEPPING, WARM, COLD = (
    SignalKind.USAGE_DROP,
    SignalKind.QBR_MISSED,
    SignalKind.FEATURE_DROP_OFF,
    SignalKind.LOGIN_SILENCE,
)
STEPS = 4
Say = Callable[[str], None]
Ask = Callable[[Session], Awaitable[int]]


class NotDoneError(EverstayError):
    """Only {found} of {wanted} were done after {seconds:.0f} s."""


@dataclass(frozen=True)
class LifecycleOptions:
    """How many customers, each with a workflow of its own."""

    customers: int = 300


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
    warm_ms: list[float] = field(default_factory=list)
    cold_ms: list[float] = field(default_factory=list)
    cold_events: int = 0


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
    measured = Measured()
    async with opened(settings) as bench:
        await prepare(bench, [stepping_playbook()], [], BEGINS, 1.0)
        await _start(bench, "warm", WARM_UP, WARM_UP)
        before = _memory(settings)
        say(f"starting {options.customers} customers")
        ids = await _start_timed(bench, options, measured)
        measured.cached_kb = (_memory(settings) - before) / 1024 / options.customers
        say("ringing them")
        measured.notices = await _warn(bench, ids, WARNING)
        say(f"stepping through {STEPS} letters each")
        measured.steps = await _step(bench, ids)
        async with bench.database.transaction() as session:
            measured.steps_done = await steps_done(session, "send_email")
        say("the same with empty workflows")
        measured.bare_starts = await _bare_starts(bench.client, options.customers)
        measured.bare_signals = await _bare_signals(bench.client, options.customers)
        say("waking old customers from a cold cache")
        await _wake(settings, bench, ids[:OLD], measured)
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


async def _start(bench: Bench, name: str, count: int, wanted: int) -> list[uuid.UUID]:
    """Add customers, and wait until each one's first decision is there."""
    found = await add_customers(
        bench, [f"{name}-{number}" for number in range(count)], tier=RiskTier.MEDIUM
    )
    await _until(bench, lambda session: count_decided(session, "watchlist_on"), wanted)
    return list(found.values())


async def _start_timed(bench: Bench, options: LifecycleOptions, measured: Measured) -> list[uuid.UUID]:
    names = [f"customer-{number}" for number in range(options.customers)]
    found = await add_customers(bench, names, tier=RiskTier.MEDIUM)
    measured.starts = await _until(
        bench, lambda session: count_decided(session, "watchlist_on"), WARM_UP + options.customers
    )
    return list(found.values())


async def _warn(bench: Bench, ids: Sequence[uuid.UUID], kind: SignalKind) -> float:
    """Tell of a signal of each customer; return the seconds until the last warning is decided."""
    await _open(bench, ids, kind)
    return await _until(bench, lambda session: count_heads_ups(session, kind), len(ids))


async def _step(bench: Bench, ids: Sequence[uuid.UUID]) -> float:
    await _open(bench, ids, STEPPING)
    return await _until(bench, lambda session: count_decided(session, "end_run"), len(ids))


async def _open(bench: Bench, ids: Sequence[uuid.UUID], kind: SignalKind) -> None:
    async with bench.database.transaction() as session:
        await open_signals(session, ids, kind, Severity.HIGH, bench.clock.now(), wall_now())


async def _until(bench: Bench, ask: Ask, wanted: int) -> float:
    """Return the seconds until so many are done."""
    began, found = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < GIVE_UP_SECONDS:
        async with bench.database.transaction() as session:
            found = await ask(session)
        if found >= wanted:
            return time.perf_counter() - began
        await asyncio.sleep(LOOK_SECONDS)
    raise NotDoneError(found=found, wanted=wanted, seconds=spent)


async def _bare_starts(client: Client, count: int) -> float:
    async def run() -> None:
        await client.execute_workflow(EmptyWorkflow.run, id=f"bare/{uuid.uuid4()}", task_queue=QUEUE)

    return await _all(run() for _ in range(count))


async def _bare_signals(client: Client, count: int) -> float:
    """Ring so many workflows that wait for it; return the seconds until the last has answered."""
    ids = [f"bare/{uuid.uuid4()}" for _ in range(count)]
    handles = [await client.start_workflow(EmptyEntity.run, id=one, task_queue=QUEUE) for one in ids]

    async def ring(number: int) -> None:
        await handles[number].signal(EmptyEntity.ring)
        await handles[number].result()

    return await _all(ring(number) for number in range(count))


async def _all(work: Iterable[Awaitable[None]]) -> float:
    """Do everything, as many at once as the relay does; return the seconds."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(job: Awaitable[None]) -> None:
        async with slots:
            await job

    began = time.perf_counter()
    await asyncio.gather(*(one(job) for job in work))
    return time.perf_counter() - began


async def _wake(settings: Settings, bench: Bench, ids: Sequence[uuid.UUID], measured: Measured) -> None:
    """Give customers a history, empty the worker's cache, and time the way from a ring to its decision."""
    for _ in range(SIGHTS):
        async with bench.database.transaction() as session:
            await tell(session, ids, NoticeKind.CUSTOMER_CHANGED, bench.clock.now(), wall_now())
        await _nothing_unheard(bench)
    measured.warm_ms = await _wake_each(bench, ids, WARM)
    measured.cold_events = len((await histories(bench.client, f"customer/{ids[0]}"))[-1])
    await _restart_worker(settings)
    measured.cold_ms = await _wake_each(bench, ids, COLD)


async def _nothing_unheard(bench: Bench) -> None:
    async def unheard(session: Session) -> int:
        return -await count_unheard(session)

    await _until(bench, unheard, 0)


async def _wake_each(bench: Bench, ids: Sequence[uuid.UUID], kind: SignalKind) -> list[float]:
    found = []
    for number, customer_id in enumerate(ids, start=1):
        await _open(bench, [customer_id], kind)
        seconds = await _until(bench, lambda session: count_heads_ups(session, kind), number)
        found.append(seconds * 1000)
    return found


async def _restart_worker(settings: Settings) -> None:
    """End the process that has the workflows in its cache; the supervisor starts another."""
    old = _worker_pid(settings)
    os.kill(old, signal.SIGTERM)
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not _is_replaced(settings, old):
        if time.monotonic() > deadline:
            raise NotDoneError(found=0, wanted=1, seconds=GIVE_UP_SECONDS)
        await asyncio.sleep(LOOK_SECONDS)
    await asyncio.sleep(STICKY_SECONDS)


def _is_replaced(settings: Settings, old: int) -> bool:
    state = read_state(settings.home)
    part = state.parts[LIFECYCLE] if state else None
    return part is not None and part.healthy and part.mark is not None and part.mark.pid != old


def _worker_pid(settings: Settings) -> int:
    state = read_state(settings.home)
    mark = state.parts[LIFECYCLE].mark if state else None
    if mark is None:
        raise NotDoneError(found=0, wanted=1, seconds=0.0)
    return mark.pid


def _memory(settings: Settings) -> int:
    """Return the resident bytes of the process that has the workflows in its cache."""
    return int(psutil.Process(_worker_pid(settings)).memory_info().rss)


def _report(measured: Measured, options: LifecycleOptions, wall_seconds: float) -> Report:
    count = options.customers
    figures = {
        "starts_per_second": round(count / measured.starts, 1),
        "notices_per_second": round(count / measured.notices, 1),
        "steps_per_second": round(measured.steps_done / measured.steps, 1),
        "kb_per_cached_workflow": round(measured.cached_kb, 1),
        "cold_wake_ms": round(percentile(measured.cold_ms, 0.5), 1),
        "warm_wake_ms": round(percentile(measured.warm_ms, 0.5), 1),
        "cold_wake_events": measured.cold_events,
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
