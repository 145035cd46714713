"""How soon something told becomes a decision, and a new verdict, through a whole stack of its own."""

import asyncio
import datetime as dt
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from temporalio.worker import Worker

from domain.errors import EverstayError
from domain.facts import ContactFact, CustomerFact, Fact, SubscriptionFact, SurveyFact, UsageFact
from domain.time import BusinessInstant, after
from domain.usage_windows import MetricKind
from integrations.event_poster import EventPoster
from models.bench_reaction import (
    count_assessments,
    count_decisions,
    customer_ids,
    limit_plan,
    round_trip,
    unrested,
)
from models.clock import open_clock, wall_now
from models.database import Database, Session
from models.facts import store_facts
from models.keys import KeyKind, create_key
from models.metrics import Metric, declare_metric
from models.sources import Source, connect_source
from settings import Settings
from workers.bench.empty_workflow import EmptyWorkflow
from workers.bench.homes import bench_home
from workers.bench.report import Report, percentile
from workers.embedded.connection import connect_temporal
from workers.embedded.control import start_detached, stop_running
from workers.embedded.runtime import locate
from workers.main import sandbox

CRM, PRODUCT, PLAN, METRIC = "bench-crm", "bench-product", "bench", "export"
PROVIDES = ("customers", "contacts", "subscriptions", "surveys")
HISTORY_DAYS, CEILING, USUAL = 70, 1000.0, 15.0
SETTLE_SECONDS, GIVE_UP_SECONDS, LOOK_SECONDS = 180.0, 30.0, 0.005
ROUND_TRIPS, QUEUE = 50, "bench"
OF_ALL = 6
"""One customer in so many reacts: what befalls a fifth of the portfolio at once is held back as an alarm."""
FLOOR_TRIPS = 5
"""Transactions on the way: store, attribute, score, claim the ring, decide."""
DAY = dt.timedelta(days=1)
Count = Callable[[Session, uuid.UUID], Awaitable[int]]


class NoReactionError(EverstayError):
    """{what} was not there after {seconds:.0f} s."""


@dataclass(frozen=True)
class ReactionOptions:
    """How many customers react, one after the other."""

    customers: int = 40


@dataclass
class Measured:
    """Milliseconds of each reaction, and of what each is made of."""

    decided: list[float] = field(default_factory=list)
    refreshed: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    workflow: list[float] = field(default_factory=list)


def bench_reaction(settings: Settings, options: ReactionOptions, say: Callable[[str], None]) -> Report:
    """Start a stack in a home of its own, make customers react, and take it all away again."""
    began = time.perf_counter()
    with bench_home(settings) as home:
        start_detached(home, say, auto_ports=True)
        try:
            measured = asyncio.run(_measure(locate(home), options, say))
        finally:
            stop_running(home)
    return _report(measured, options, time.perf_counter() - began)


async def _measure(settings: Settings, options: ReactionOptions, say: Callable[[str], None]) -> Measured:
    database = Database(settings.database_url or "", pool_size=4)
    measured = Measured()
    try:
        say(f"telling of {options.customers * OF_ALL} customers")
        key, ids = await _prepare(database, options)
        await _rest(database)
        say("posting events that break a limit")
        async with EventPoster(settings.local_url, key) as poster:
            for name, customer_id in ids.items():
                measured.decided.append(await _react(database, poster, name, customer_id))
        await _rest(database)
        say("telling of answers to surveys")
        for name, customer_id in ids.items():
            measured.refreshed.append(await _refresh(database, name, customer_id))
        say("measuring the floor")
        measured.database = [await _timed(lambda: _ask(database)) for _ in range(ROUND_TRIPS)]
        measured.workflow = await _workflow_trips(settings)
    finally:
        await database.close()
    return measured


async def _prepare(database: Database, options: ReactionOptions) -> tuple[str, dict[str, uuid.UUID]]:
    now = (await open_clock(database)).now()
    begun = after(now, -200 * DAY)
    names = [f"customer-{number}" for number in range(options.customers * OF_ALL)]
    async with database.transaction() as session:
        await connect_source(session, Source(CRM, "CRM", "bench", PROVIDES, begun))
        await connect_source(session, Source(PRODUCT, "Product", "tracking", ("usage",), begun))
        await limit_plan(session, PLAN, METRIC, CEILING, begun)
        await declare_metric(session, Metric(METRIC, MetricKind.COUNTER, property="rows"))
        key, _ = await create_key(session, KeyKind.WRITE, wall_now(), name="bench", source_id=PRODUCT)
        told = [fact for name in names for fact in _introduction(name, now)]
        await store_facts(session, CRM, told, received_at=wall_now())
        used = [fact for name in names for fact in _history(name, now)]
        await store_facts(session, PRODUCT, used, received_at=wall_now())
        return key, await customer_ids(session, names[: options.customers])


def _introduction(name: str, now: BusinessInstant) -> list[Fact]:
    """Return who a customer is, told today: a source that was silent until now would have to settle first."""
    start = after(now, -150 * DAY)
    return [
        CustomerFact(key=name, known_at=now, name=name.title(), plan=PLAN, started_at=start),
        ContactFact(key=f"{name}/admin", known_at=now, customer=name, name="Ann", since=start),
        SubscriptionFact(
            key=name, known_at=now, customer=name, product="core", mrr_minor=200_000, started_at=start
        ),
    ]


def _history(name: str, now: BusinessInstant) -> list[Fact]:
    days = [after(now, -number * DAY) for number in range(1, HISTORY_DAYS)]
    return [
        UsageFact(
            key=f"{name}/{at:%Y%m%d}",
            known_at=at,
            customer=name,
            feature=METRIC,
            quantity=USUAL,
            occurred_at=at,
        )
        for at in days
    ]


async def _rest(database: Database) -> None:
    """Wait until everything told so far has been scored and decided."""
    deadline = time.monotonic() + SETTLE_SECONDS
    quiet = 0
    while quiet < 5:  # noqa: PLR2004 - between two steps the queues are empty for a moment
        async with database.transaction() as session:
            quiet = 0 if await unrested(session) else quiet + 1
        if time.monotonic() > deadline:
            raise NoReactionError(what="rest", seconds=SETTLE_SECONDS)
        await asyncio.sleep(0.2)


async def _react(database: Database, poster: EventPoster, name: str, customer_id: uuid.UUID) -> float:
    """Post a use that breaks the plan's limit; return milliseconds until a decision is there."""
    message = {
        "event": METRIC,
        "messageId": f"{name}/breaks",
        "userId": f"{name}/admin",
        "context": {"groupId": name},
        "properties": {"rows": CEILING},
    }

    async def post() -> None:
        await poster.track(message)

    return await _until_more(database, customer_id, count_decisions, post, "a decision")


async def _refresh(database: Database, name: str, customer_id: uuid.UUID) -> float:
    """Tell of a bad answer; return milliseconds until a new verdict is there."""
    now = (await open_clock(database)).now()
    answer = SurveyFact(key=name, known_at=now, customer=name, score=1, responded_at=now)

    async def tell() -> None:
        async with database.transaction() as session:
            await store_facts(session, CRM, [answer], received_at=wall_now())

    return await _until_more(database, customer_id, count_assessments, tell, "a new verdict")


async def _until_more(
    database: Database, customer_id: uuid.UUID, count: Count, act: Callable[[], Awaitable[None]], what: str
) -> float:
    async with database.transaction() as session:
        before = await count(session, customer_id)
    began = time.perf_counter()
    await act()
    while (spent := time.perf_counter() - began) < GIVE_UP_SECONDS:
        async with database.transaction() as session:
            if await count(session, customer_id) > before:
                return (time.perf_counter() - began) * 1000
        await asyncio.sleep(LOOK_SECONDS)
    raise NoReactionError(what=f"{what} of {customer_id}", seconds=spent)


async def _ask(database: Database) -> None:
    async with database.transaction() as session:
        await round_trip(session)


async def _timed(act: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await act()
    return (time.perf_counter() - began) * 1000


async def _workflow_trips(settings: Settings) -> list[float]:
    """Time a workflow that does nothing, from its start to its result, on the same server."""
    client = await connect_temporal(settings)

    async def run() -> None:
        await client.execute_workflow(EmptyWorkflow.run, id=f"bench/{uuid.uuid4()}", task_queue=QUEUE)

    async with Worker(client, task_queue=QUEUE, workflows=[EmptyWorkflow], workflow_runner=sandbox()):
        return [await _timed(run) for _ in range(ROUND_TRIPS)]


def _report(measured: Measured, options: ReactionOptions, wall_seconds: float) -> Report:
    figures = _percentiles(measured.decided) | {
        f"health_{name}": value for name, value in _percentiles(measured.refreshed).items()
    }
    database, workflow = (percentile(found, 0.5) for found in (measured.database, measured.workflow))
    limits = {"database_round_trip_ms": round(database, 2), "workflow_round_trip_ms": round(workflow, 2)}
    floor = FLOOR_TRIPS * database + workflow
    return Report(
        "reaction",
        {"customers": options.customers, "portfolio": options.customers * OF_ALL},
        figures,
        limits,
        {"over_floor": round(figures["p50_ms"] / max(floor, 0.01), 2)},
        wall_seconds,
    )


def _percentiles(found: list[float]) -> dict[str, float]:
    shares = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
    return {name: round(percentile(found, share), 1) for name, share in shares.items()}
