"""Customers of a running stack whose signals come and go, in compressed time."""

import asyncio
import datetime as dt
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from domain.facts import ContactFact, CustomerFact, Fact
from domain.time import BusinessInstant, after
from domain.vocabulary import (
    ContactRole,
    NoticeKind,
    Purpose,
    RiskTier,
    Role,
    Severity,
    SignalKind,
    TouchTier,
)
from models.bench_reaction import customer_ids
from models.bench_year import keep_only, open_signals, resolve_signal, settle_customers, tell
from models.ciphers import Cipher
from models.clock import StoredClock, change_rate, open_clock, start_clock, wall_now
from models.database import Database
from models.endpoints import EndpointOrder, save_endpoint
from models.facts import store_facts
from models.installation import release
from models.playbooks import publish
from models.sources import Source, connect_source
from models.users import add_user
from settings import Settings
from tests.e2e.kills.playbooks import ENDPOINT, KINDS, short_playbooks
from workers.embedded.connection import connect_temporal
from workflows.calendar import CALENDAR_ID

DAY, DAY_SECONDS = dt.timedelta(days=1), 86_400.0
CRM = "crm"
PACE_SECONDS = 1.0
"""Between one change of signals and the next, as long as the test goes on."""
CUSTOMERS_PER_OWNER = 8
"""So few that the tasks nobody does never use up an owner's capacity."""


@dataclass
class Portfolio:
    """Handles on the stack, and what is open there by our doing."""

    database: Database
    clock: StoredClock
    client: Client
    customers: list[uuid.UUID] = field(default_factory=list)
    open: set[tuple[uuid.UUID, SignalKind]] = field(default_factory=set)

    async def live(self, chance: random.Random, per_second: int) -> None:
        """Open and resolve signals at random for ever, at first one of each customer."""
        fresh = list(self.customers)
        while True:
            picked, fresh = fresh[: 3 * per_second], fresh[3 * per_second :]
            for one in picked or chance.sample(self.customers, per_second):
                await self._change(one, chance.choice(KINDS))
            await asyncio.sleep(PACE_SECONDS)

    async def _change(self, customer: uuid.UUID, kind: SignalKind) -> None:
        """Let a signal open, or end if it is open."""
        now, wall, is_open = self.clock.now(), wall_now(), (customer, kind) in self.open
        async with self.database.transaction() as session:
            if is_open:
                await resolve_signal(session, customer, kind, now, wall)
            else:
                await open_signals(session, [customer], kind, Severity.MEDIUM, now, wall)
        self.open ^= {(customer, kind)}

    async def calm(self) -> None:
        """Resolve what is open, so that nothing opens any more."""
        for customer, kind in sorted(self.open, key=str):
            await self._change(customer, kind)

    async def stop_time(self) -> None:
        """Let business time stand still, and have every workflow look once more."""
        async with self.database.transaction() as session:
            await change_rate(session, wall_now(), 0.0, "ended")
            now = self.clock.now()
            await tell(session, self.customers, NoticeKind.CUSTOMER_CHANGED, now, wall_now())


async def open_portfolio(settings: Settings, customers: int, day_seconds: float, desk: str) -> Portfolio:
    """Set the clock to a Monday, leave the short playbooks to the director, and let customers come."""
    database = Database(settings.database_url or "", pool_size=4)
    client = await connect_temporal(settings)
    await _keep_nights_away(client)
    clock = await open_clock(database)
    at = _next_monday(clock.now())
    await _prepare(database, settings, at, DAY_SECONDS / day_seconds, desk)
    await clock.refresh(database)
    found = Portfolio(database, clock, client)
    found.customers = await _add_customers(database, at, customers)
    return found


async def _keep_nights_away(client: Client) -> None:
    """Put a workflow that nobody works on in the calendar's place: scoring would take back what we tell."""
    conflict = WorkflowIDConflictPolicy.TERMINATE_EXISTING
    await client.start_workflow("NoNights", id=CALENDAR_ID, task_queue="nobody", id_conflict_policy=conflict)


def _next_monday(now: BusinessInstant) -> BusinessInstant:
    at_nine = now.replace(hour=9, minute=0, second=0, microsecond=0)
    return after(BusinessInstant(at_nine), (7 - at_nine.weekday()) * DAY)


async def _prepare(
    database: Database, settings: Settings, at: BusinessInstant, rate: float, desk: str
) -> None:
    playbooks = short_playbooks()
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=at, rate=rate)
        for document in playbooks:
            await publish(session, document, at)
        await keep_only(session, [document.key for document in playbooks], at)
        await release(session, at, wall_now())
        await connect_source(session, Source(CRM, "CRM", "test", ("customers", "contacts"), at))
        order, cipher = EndpointOrder(ENDPOINT, desk), Cipher(settings.signing_key)
        await save_endpoint(session, order, cipher, wall_now(), allow_private=True)


async def _add_customers(database: Database, at: BusinessInstant, number: int) -> list[uuid.UUID]:
    """Add customers from before their source was connected: nobody asks that they be scored.

    Their ids are in the order of their names, by which faults are given out.
    """
    names = [f"customer-{place:03}" for place in range(number)]
    owners = await _add_team(database, 1 + number // CUSTOMERS_PER_OWNER)
    known = after(at, -400 * DAY)
    facts: list[Fact] = [
        fact
        for place, name in enumerate(names)
        for fact in _people(name, owners[place // CUSTOMERS_PER_OWNER], known)
    ]
    async with database.transaction() as session:
        result = await store_facts(session, CRM, facts, received_at=wall_now())
        assert result.stored == len(facts)
        ids = await customer_ids(session, names)
        found = [ids[name] for name in names]
        await settle_customers(session, found, TouchTier.TECH_TOUCH, RiskTier.LOW, at)
        await tell(session, found, NoticeKind.CUSTOMER_CHANGED, at, wall_now())
    return found


async def _add_team(database: Database, owners: int) -> Sequence[str]:
    mails = [f"owner-{place}@everstay.example" for place in range(owners)]
    async with database.transaction() as session:
        boss = await add_user(session, "boss@everstay.example", "Mia Manager", Role.MANAGER, wall_now())
        for mail in mails:
            await add_user(session, mail, "Carl Careful", Role.CSM, wall_now(), manager_id=boss.id)
    return mails


def _people(name: str, owner: str, known: BusinessInstant) -> list[Fact]:
    customer = CustomerFact(
        key=name,
        known_at=known,
        name=name.title(),
        time_zone="UTC",
        status="active",
        started_at=known,
        arr_minor=4_800_000,
        currency="EUR",
        csm_email=owner,
    )
    champion = ContactFact(
        key=f"{name}/champion",
        known_at=known,
        customer=name,
        name="Ann Able",
        email=f"ann@{name}.example",
        roles=(ContactRole.CHAMPION,),
        since=known,
        consents=tuple(Purpose),
    )
    return [customer, champion]
