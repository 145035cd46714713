"""Kill a worker at one point of a send, let another finish, and write down what came of it."""

import datetime as dt
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import httpx
from sqlalchemy import select, update
from temporalio.client import Client

from domain.facts import Fact
from domain.time import BusinessInstant
from domain.timeline import Segment
from domain.vocabulary import EffectState, NoticeKind, Purpose, StepState, TaskState
from integrations.simulators.account import SIMULATOR_API_KEY
from models.clock import append_segment, open_clock, start_clock, wall_now
from models.database import Database
from models.facts import store_facts
from models.installation import load_installation, release
from models.lifecycles import RING_LEASE
from models.outbox import Notice, put_notices
from models.sources import Source, connect_source
from models.tables.customers import ContactRow, CustomerRow
from models.tables.ledger import EffectRow, OutboxRow
from models.tables.playbooks import InterventionRow, InterventionStepRow
from models.tables.work import TaskRow
from tests.support.facts import contact, customer
from tests.support.forked import ForkedProcess, forked
from tests.support.runs import one_letter, open_run, start_run
from tests.support.scenario import Scenario
from tests.support.simulators import until_true
from tests.support.worker_at import work_until
from workers.relay import Relay

MONDAY_AT_TEN = BusinessInstant(dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC))
A_MOMENT = dt.timedelta(seconds=2)
PATIENCE = 100.0
"""Seconds until a killed attempt was given up by the server, its lease has ended, and the next is through."""


@dataclass(frozen=True)
class Found:
    """What one letter's tables and the provider's mailbox say in the end."""

    effect: EffectState
    attempts: int
    step: StepState
    reason: str | None
    position: str
    delivery_id: str
    mailbox: tuple[str, ...]
    """Delivery ids of what the provider took for this customer."""
    open_questions: int
    a_day_later: str = ""
    """Where the run stood after a day of waiting for word."""


@dataclass
class Site:
    """One installation: its database, its namespace, its provider."""

    database: Database
    client: Client
    address: str
    simulator: str
    has_look_up: bool = True

    def worker(self, point: str = "none") -> AbstractContextManager[ForkedProcess]:
        """Run the workers of this installation in a process that stops at `point`."""
        key = {} if self.has_look_up else {"sendgrid_api_key": SIMULATOR_API_KEY}
        settings = {
            "database_url": self.database.url,
            "temporal_address": self.address,
            "temporal_namespace": self.client.namespace,
            "sendgrid_host": self.simulator,
            "secret_key": "a secret of the tests, long enough",
            **key,
        }
        return forked(work_until, point, settings)

    async def begin(self) -> None:
        """Give the installation a clock and a source, and release it."""
        wall = wall_now()
        async with self.database.transaction() as session:
            await start_clock(session, wall, at=MONDAY_AT_TEN)
            await load_installation(session)
            await release(session, MONDAY_AT_TEN, wall)
            source = Source("crm", "CRM", "test", ("customers",), MONDAY_AT_TEN)
            await connect_source(session, source)

    async def add_customer(self, key: str) -> uuid.UUID:
        """Add a customer with one person who agrees to everything."""
        known = BusinessInstant(MONDAY_AT_TEN - dt.timedelta(days=400))
        person = contact(
            key,
            customer=key,
            known_at=known,
            since=known,
            email=f"{key}@{uuid.uuid4().hex}.example",
            roles=("champion",),
            consents=tuple(Purpose),
        )
        async with self.database.transaction() as session:
            facts: list[Fact] = [customer(key, known_at=known, time_zone="UTC"), person]
            await store_facts(session, "crm", facts, received_at=wall_now())
            mine = CustomerRow.name == key.title()
            await session.execute(update(CustomerRow).where(mine).values(holdout=False))
            found: uuid.UUID = (await session.execute(select(CustomerRow.id).where(mine))).scalar_one()
            return found

    async def jump(self, span: dt.timedelta) -> None:
        """Set the business clock forward, and ring every customer."""
        clock, wall = await open_clock(self.database), wall_now()
        at = BusinessInstant(clock.now() + span)
        async with self.database.transaction() as session:
            await append_segment(session, Segment(wall, at, 1.0), "set")
            customers = (await session.scalars(select(CustomerRow.id))).all()
            notices = [Notice(one, NoticeKind.CLOCK_CHANGED, {}, at) for one in customers]
            await put_notices(session, notices, wall)

    async def ring(self, lease: dt.timedelta = RING_LEASE) -> int:
        """Ring whoever has news, as the relay does."""
        clock = await open_clock(self.database)
        return await Relay(self.database, clock, self.client, lease).ring_all()


@dataclass
class Letter:
    """One run with one letter."""

    site: Site
    run_id: uuid.UUID
    customer_id: uuid.UUID

    async def look(self) -> Found:
        """Read everything at once."""
        async with self.site.database.transaction() as session:
            mine = EffectRow.key.startswith(str(self.run_id))
            effect = (await session.scalars(select(EffectRow).where(mine))).one()
            run = (
                await session.scalars(select(InterventionRow).where(InterventionRow.id == self.run_id))
            ).one()
            step = (
                await session.scalars(
                    select(InterventionStepRow).where(
                        InterventionStepRow.intervention_id == self.run_id,
                        InterventionStepRow.step_id == "letter",
                    )
                )
            ).one()
            address = await session.scalar(
                select(ContactRow.email).where(ContactRow.id == uuid.UUID(effect.key.rsplit("/", 1)[1]))
            )
            tasks = (
                await session.scalars(
                    select(TaskRow).where(
                        TaskRow.intervention_id == self.run_id, TaskRow.state == TaskState.OPEN
                    )
                )
            ).all()
        return Found(
            effect.state,
            effect.attempts,
            step.state,
            step.reason,
            run.position["step"],
            effect.delivery_id,
            await self._mailbox(address or ""),
            len(tasks),
        )

    async def _mailbox(self, address: str) -> tuple[str, ...]:
        async with httpx.AsyncClient(base_url=self.site.simulator, trust_env=False) as http:
            answer = await http.get("/_mailbox", params={"to": address})
            return tuple(one["custom_args"]["delivery_id"] for one in answer.json()["messages"])

    async def is_settled(self) -> bool:
        """Whether somebody has found out what became of the letter."""
        return (await self.look()).effect is not EffectState.CLAIMED

    async def has_gone_on(self) -> bool:
        return (await self.look()).position == "rest"


async def kill_at(site: Site, point: str) -> dict[Purpose, Found]:
    """Start a letter per purpose, kill the worker at the point of all three, and let a fresh one finish."""
    await site.begin()
    letters = {purpose: await _start(site, purpose) for purpose in Purpose}
    with site.worker(point) as doomed:
        reached = await doomed.reached(times=len(letters))
        doomed.kill()
    with site.worker():
        for letter in letters.values():
            await until_true(letter.is_settled, PATIENCE)
        found = {purpose: await letter.look() for purpose, letter in letters.items()}
        assert {one.delivery_id for one in found.values()} == set(reached)
        for purpose, letter in letters.items():
            if found[purpose].step is StepState.WAITING:
                later = await _a_day_later(site, letter)
                found[purpose] = replace(found[purpose], a_day_later=later)
            else:
                await until_true(letter.has_gone_on, PATIENCE)
                found[purpose] = replace(found[purpose], position="rest")
    return found


async def _start(site: Site, purpose: Purpose) -> Letter:
    customer_id = await site.add_customer(purpose.value)
    run_id = await open_run(site.database, one_letter(purpose), customer_id, MONDAY_AT_TEN)
    await start_run(site.client, run_id)
    return Letter(site, run_id, customer_id)


async def _a_day_later(site: Site, letter: Letter) -> str:
    """Let a day pass and say where the run stands, and how often the letter was tried by then."""
    await site.jump(dt.timedelta(hours=25))
    await site.ring()
    await until_true(letter.has_gone_on, PATIENCE)
    later = await letter.look()
    return f"{later.step.value} after {later.attempts} attempt, {len(later.mailbox)} in the mailbox"


async def heard(site: Site, scene: Scenario) -> None:
    """Ring, with little patience for an answer, until every notice has been heard."""

    async def is_quiet() -> bool:
        await site.ring(lease=A_MOMENT)
        return all(row.consumed_at is not None for row in await scene.rows(OutboxRow))

    await until_true(is_quiet, PATIENCE)
