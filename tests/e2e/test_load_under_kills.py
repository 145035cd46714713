"""200,000 events while parts of the stack are killed at random: each that was accepted counts, once."""

import asyncio
import datetime as dt
import os
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import httpx
import pytest
from sqlalchemy import text

from domain.facts import ContactFact, CustomerFact, Fact, SubscriptionFact, UsageFact
from domain.time import BusinessInstant, after
from domain.usage_windows import MetricKind
from models.clock import open_clock, wall_now
from models.database import Database
from models.facts import store_facts
from models.keys import KeyKind, create_key
from models.metrics import Metric, declare_metric
from models.sources import Source, connect_source
from models.tables.facts import PlanLimitRow
from settings import Settings
from tests.house.repository import ROOT
from tests.support.homes import temporary_home
from tests.workers.embedded.support import fresh_settings, variables
from workers.embedded.runtime import locate, read_state

pytestmark = [pytest.mark.proof, pytest.mark.e2e]

EVENTS, BATCH, SENDERS = 200_000, 100, 4
CUSTOMERS, BREAKERS = 48, 8  # more at once would be held back as a mass alert
CEILING, USUAL, HISTORY_DAYS = 1000.0, 15.0, 70
VICTIMS = ("api", "relay", "worker-lifecycle", "worker-decisions", "worker-activities", "postgres")
PAUSE_SECONDS = (2.0, 6.0)
SETTLE_SECONDS = 900.0
DAY = dt.timedelta(days=1)


@pytest.fixture
def stack() -> Iterator[Settings]:
    with temporary_home() as home:
        settings = fresh_settings(home)
        everstay(settings, "up", "--detach")
        try:
            yield locate(settings)
        finally:
            everstay(settings, "down")


def everstay(settings: Settings, *words: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env=variables(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def name_of(number: int) -> str:
    return f"customer-{number:02}"


def known(name: str, now: BusinessInstant) -> list[Fact]:
    start = after(now, -150 * DAY)
    return [
        CustomerFact(key=name, known_at=start, name=name, plan="metered", started_at=start),
        ContactFact(key=f"{name}/admin", known_at=start, customer=name, name="Ann", since=start),
        SubscriptionFact(
            key=name, known_at=start, customer=name, product="core", mrr_minor=200_000, started_at=start
        ),
    ]


def used(name: str, now: BusinessInstant) -> list[Fact]:
    days = [after(now, -number * DAY) for number in range(1, HISTORY_DAYS)]
    return [
        UsageFact(
            key=f"{name}/{at:%Y%m%d}",
            known_at=at,
            customer=name,
            feature="export",
            quantity=USUAL,
            occurred_at=at,
        )
        for at in days
    ]


async def prepare(database: Database) -> str:
    """Customers with a quiet past, near to no limit; return a write key."""
    now = (await open_clock(database)).now()
    begun = after(now, -200 * DAY)
    names = [name_of(number) for number in range(CUSTOMERS)]
    kinds = ("customers", "contacts", "subscriptions")
    async with database.transaction() as session:
        await connect_source(session, Source("crm", "CRM", "test", kinds, begun))
        await connect_source(session, Source("product", "Product", "tracking", ("usage",), begun))
        session.add(
            PlanLimitRow(
                id=uuid.uuid4(),
                plan="metered",
                customer_id=None,
                metric="export",
                ceiling=CEILING,
                known_at=begun,
            )
        )
        await declare_metric(session, Metric("export", MetricKind.COUNTER, property="rows"))
        key, _ = await create_key(session, KeyKind.WRITE, wall_now(), name="load", source_id="product")
        told = [fact for name in names for fact in known(name, now)]
        await store_facts(session, "crm", told, received_at=wall_now())
        past = [fact for name in names for fact in used(name, now)]
        await store_facts(session, "product", past, received_at=wall_now())
    return key


def message(number: int) -> dict[str, object]:
    """A use of a breaker is worth a row, one of the others next to nothing."""
    customer = number % CUSTOMERS
    name = name_of(customer)
    return {
        "type": "track",
        "event": "export",
        "messageId": f"load-{number}",
        "userId": f"{name}/admin",
        "context": {"groupId": name},
        "properties": {"rows": 1 if customer < BREAKERS else 0.001},
    }


@dataclass
class Load:
    """What was sent and what was answered."""

    key: str
    url: str
    waiting: list[int] = field(default_factory=lambda: list(range(0, EVENTS, BATCH))[::-1])
    accepted: int = 0
    refused: int = 0

    async def send(self) -> None:
        """Send batch after batch, each until it is accepted, as the official clients do."""
        async with httpx.AsyncClient(base_url=self.url, auth=(self.key, ""), timeout=20.0) as client:
            while self.waiting:
                first = self.waiting.pop()
                body = {"batch": [message(number) for number in range(first, first + BATCH)]}
                while not await self._is_accepted(client, body):
                    self.refused += 1
                    await asyncio.sleep(0.2)
                self.accepted += BATCH

    async def _is_accepted(self, client: httpx.AsyncClient, body: Mapping[str, object]) -> bool:
        try:
            answer = await client.post("/v1/batch", json=body)
        except httpx.TransportError:
            return False
        assert answer.status_code in {200, 429, 500, 502, 503, 504}, answer.text
        return answer.status_code == httpx.codes.OK


async def kill_at_random(settings: Settings, load: Load, seed: int) -> list[str]:
    """Kill -9 one part after the other while there is load; the supervisor starts each again."""
    chance = random.Random(seed)
    killed: list[str] = []
    next_ones: list[str] = []
    while load.waiting:
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
        next_ones = next_ones or chance.sample(VICTIMS, len(VICTIMS))
        state = read_state(settings.home)
        assert state is not None
        victim = next_ones.pop()
        mark = state.parts[victim].mark
        if mark is not None and mark.is_alive():
            os.kill(mark.pid, signal.SIGKILL)
            killed.append(victim)
    return killed


async def count(database: Database, query: str) -> int:
    async with database.transaction() as session:
        return int(await session.scalar(text(query)) or 0)


UNDER_WAY = """
SELECT (SELECT count(*) FROM tracking_batches WHERE processed_at IS NULL)
     + (SELECT count(*) FROM rescore_queue) + (SELECT count(*) FROM outbox WHERE consumed_at IS NULL)
     + (SELECT count(*) FROM customers WHERE health_status IS NULL)
"""
DECIDED = """
SELECT external_id, count(decisions.id) AS decided FROM customers
LEFT JOIN decisions ON decisions.customer_id = customers.id
    AND action = 'heads_up' AND subject LIKE '%limit_proximity%'
GROUP BY external_id
"""


async def settled(database: Database) -> None:
    """Wait until nothing is under way, twice in a row."""
    deadline, quiet = asyncio.get_running_loop().time() + SETTLE_SECONDS, 0
    while quiet < 4:
        assert asyncio.get_running_loop().time() < deadline, "it did not settle"
        try:
            quiet = 0 if await count(database, UNDER_WAY) else quiet + 1
        except Exception:  # noqa: BLE001 - Postgres may be starting again
            quiet = 0
        await asyncio.sleep(0.5)


@pytest.mark.parametrize("seed", [11])
async def test_whatever_is_killed_each_accepted_event_counts_once_and_each_break_is_decided_once(
    stack: Settings, seed: int, record_property: Callable[[str, object], None]
) -> None:
    database = Database(stack.database_url or "", pool_size=2)
    try:
        load = Load(await prepare(database), stack.local_url)
        await settled(database)
        killer = asyncio.create_task(kill_at_random(stack, load, seed))
        await asyncio.gather(*(load.send() for _ in range(SENDERS)))
        killed = await killer
        await settled(database)
        assert load.accepted == EVENTS
        assert set(killed) == set(VICTIMS), killed
        assert await count(database, "SELECT count(*) FROM tracked_events") == EVENTS
        assert await count(database, "SELECT count(DISTINCT message_id) FROM tracked_events") == EVENTS
        past = CUSTOMERS * (HISTORY_DAYS - 1)
        assert await count(database, "SELECT count(*) FROM usage_events") == EVENTS + past
        assert await count(database, "SELECT sum(events) FROM usage_daily") == EVENTS + past
        async with database.transaction() as session:
            decided = {row.external_id: row.decided for row in await session.execute(text(DECIDED))}
        assert decided == {name_of(number): int(number < BREAKERS) for number in range(CUSTOMERS)}
        record_property("killed", killed)
        record_property("refused_batches", load.refused)
    finally:
        await database.close()
