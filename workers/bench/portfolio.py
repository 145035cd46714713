"""Customers for the benchmarks of workflows, and the relay that rings them."""

import asyncio
import contextlib
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from temporalio.client import Client

from domain.facts import ContactFact, CustomerFact, Fact
from domain.playbook import Playbook
from domain.time import BusinessInstant, after
from domain.vocabulary import ContactRole, Purpose, RiskTier, Role, TouchTier
from models.bench_reaction import customer_ids
from models.bench_year import keep_only, settle_customers
from models.clock import StoredClock, open_clock, start_clock, wall_now
from models.database import Database
from models.facts import store_facts
from models.installation import release
from models.listening import announcements
from models.outbox import CHANNEL
from models.playbooks import publish
from models.sources import Source, connect_source
from models.users import add_user
from settings import Settings
from workers.beside import supervised
from workers.clock_refresh import keep_fresh
from workers.embedded.connection import connect_temporal
from workers.relay import Relay

CRM, CSM, MANAGER = "bench-crm", "csm@everstay.example", "manager@everstay.example"
PROVIDES = ("customers", "contacts", "touchpoints")
BEFORE = dt.timedelta(days=400)
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Bench:
    """Handles on the running stack."""

    database: Database
    clock: StoredClock
    client: Client


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Bench]:
    """Connect, and relay rings until the end."""
    database = Database(settings.database_url or "", pool_size=8)
    clock, client = await open_clock(database), await connect_temporal(settings)
    bench = Bench(database, clock, client)
    beside = [
        asyncio.create_task(keep_fresh(clock, database)),
        asyncio.create_task(supervised("relay", lambda: _ring(bench))),
    ]
    try:
        yield bench
    finally:
        for task in beside:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*beside, return_exceptions=True)
        await database.close()


async def _ring(bench: Bench) -> None:
    relay = Relay(bench.database, bench.clock, bench.client)
    async for _ in announcements(bench.database.url, CHANNEL, at_least_every=POLL_SECONDS):
        await relay.ring_all()


async def prepare(
    bench: Bench, playbooks: Sequence[Playbook], kept: Sequence[str], at: BusinessInstant, rate: float
) -> None:
    """Set the clock, leave these playbooks to the director, and release them."""
    async with bench.database.transaction() as session:
        await start_clock(session, wall_now(), at=at, rate=rate)
        for document in playbooks:
            await publish(session, document, at)
        await keep_only(session, [*(document.key for document in playbooks), *kept], at)
        await release(session, at, wall_now())
        await connect_source(session, Source(CRM, "CRM", "bench", PROVIDES, after(at, -BEFORE)))
        boss = await add_user(session, MANAGER, "Mia Manager", Role.MANAGER, wall_now())
        await add_user(session, CSM, "Carl Careful", Role.CSM, wall_now(), manager_id=boss.id)
    await bench.clock.refresh(bench.database)


async def add_customers(
    bench: Bench,
    names: Sequence[str],
    *,
    tier: RiskTier = RiskTier.LOW,
    touch_tier: TouchTier = TouchTier.MANAGED,
    renews: Callable[[BusinessInstant], dt.date] | None = None,
) -> dict[str, uuid.UUID]:
    """Let customers come into being, each with a person who may be written to."""
    now = bench.clock.now()
    async with bench.database.transaction() as session:
        facts: list[Fact] = [fact for name in names for fact in _people(name, now, renews)]
        await store_facts(session, CRM, facts, received_at=wall_now())
        found = await customer_ids(session, names)
        await settle_customers(session, list(found.values()), touch_tier, tier, now)
    return found


def _people(
    name: str, now: BusinessInstant, renews: Callable[[BusinessInstant], dt.date] | None
) -> list[Fact]:
    start = after(now, -BEFORE)
    return [
        CustomerFact(
            key=name,
            known_at=now,
            name=name.title(),
            time_zone="UTC",
            status="active",
            started_at=start,
            renewal_on=renews(now) if renews else None,
            arr_minor=4_800_000,
            currency="EUR",
            csm_email=CSM,
        ),
        ContactFact(
            key=f"{name}/champion",
            known_at=now,
            customer=name,
            name="Ann Able",
            email=f"ann@{name}.example",
            roles=(ContactRole.CHAMPION, ContactRole.ADMIN, ContactRole.BILLING),
            since=start,
            consents=tuple(Purpose),
        ),
    ]
