"""A crowd tells of one customer while its workflow continues as new: nothing is lost, nor counts twice."""

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select, text
from temporalio.client import WorkflowExecutionStatus

from domain.vocabulary import NoticeKind, RiskTier
from models.clock import open_clock, wall_now
from models.database import Database
from models.facts import store_facts
from models.listening import announcements
from models.outbox import CHANNEL, Notice, put_notices
from models.tables.ledger import OutboxRow, TouchpointRow
from models.tables.playbooks import LifecycleRow
from tests.support.devserver import DevServer
from tests.support.facts import touchpoint
from tests.support.scenario import Scenario
from tests.support.simulators import until_true
from tests.workflows.kills import MONDAY_AT_TEN, Site
from tests.workflows.sites import running_site
from workers.relay import Relay
from workflows.lifecycle import CustomerLifecycleWorkflow

pytestmark = pytest.mark.devserver


@dataclass(frozen=True)
class Crowd:
    """How many write at once, and how many facts they tell at least."""

    writers: int
    facts: int


SHORT, LONG = Crowd(10, 500), Crowd(50, 10_000)
CONTINUED = 3
"""Continuations that have to happen while the crowd writes."""
REPEATED = 10
"""Each so many-th fact is told twice at the same time, as by a client that lost patience."""
PATIENCE = 120.0
HEARD_LOG = (
    "CREATE TABLE heard (notice bigint NOT NULL)",
    """
CREATE FUNCTION log_heard() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN INSERT INTO heard VALUES (NEW.id); RETURN NULL; END'
""",
    """
CREATE TRIGGER log_heard AFTER UPDATE OF consumed_at ON outbox
FOR EACH ROW EXECUTE FUNCTION log_heard()
""",
)
"""Keeps each committed hearing of a notice: the outbox itself forgets that it was heard before."""


@dataclass
class Telling:
    """Facts with numbers, handed out to writers who commit them one by one."""

    database: Database
    customer_id: uuid.UUID
    numbers: Iterator[int] = field(default_factory=itertools.count)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    told: list[int] = field(default_factory=list)
    repeats: int = 0

    async def write(self, at_least: int) -> None:
        """Commit fact after fact until all are told and the workflow has continued often enough."""
        while (number := next(self.numbers)) < at_least or not self.enough.is_set():
            times = 2 if number % REPEATED == 0 else 1
            stored = await asyncio.gather(*(self._tell(number) for _ in range(times)))
            assert sum(stored) == 1, f"fact {number} was stored {sum(stored)} times"
            self.repeats += times - 1
            self.told.append(number)

    async def _tell(self, number: int) -> bool:
        """Store one contact, which tells of itself, and say beside it that the customer has changed."""
        fact = touchpoint(f"call-{number}", known_at=MONDAY_AT_TEN, occurred_at=MONDAY_AT_TEN)
        changed = Notice(self.customer_id, NoticeKind.CUSTOMER_CHANGED, {"number": number}, MONDAY_AT_TEN)
        async with self.database.transaction() as session:
            result = await store_facts(session, "crm", [fact], received_at=wall_now())
            if result.stored:
                await put_notices(session, [changed], wall_now())
        return result.stored == 1


@dataclass
class Life:
    """The customer's workflow, over all its executions."""

    site: Site
    customer_id: uuid.UUID

    @property
    def workflow_id(self) -> str:
        return f"customer/{self.customer_id}"

    async def statuses(self) -> list[WorkflowExecutionStatus | None]:
        """How each execution stands."""
        query = f"WorkflowId = '{self.workflow_id}'"
        return [one.status async for one in self.site.client.list_workflows(query)]

    async def has_continued(self) -> bool:
        continued = (await self.statuses()).count(WorkflowExecutionStatus.CONTINUED_AS_NEW)
        return continued >= CONTINUED

    async def seq(self) -> int:
        """The number of its last decision, as the workflow knows it."""
        handle = self.site.client.get_workflow_handle(self.workflow_id)
        return (await handle.query(CustomerLifecycleWorkflow.standing)).seq

    async def asked(self) -> list[int]:
        """The number of each decision that its histories asked for."""
        found = []
        async for run in self.site.client.list_workflows(f"WorkflowId = '{self.workflow_id}'"):
            handle = self.site.client.get_workflow_handle(run.id, run_id=run.run_id)
            async for event in handle.fetch_history_events():
                if event.HasField("activity_task_scheduled_event_attributes"):
                    (given,) = event.activity_task_scheduled_event_attributes.input.payloads
                    found.append(int(json.loads(given.data)["seq"]))
        return sorted(found)


async def keep_ringing(site: Site) -> None:
    """Ring as the relay's process does."""
    relay = Relay(site.database, await open_clock(site.database), site.client)
    async for _ in announcements(site.database.url, CHANNEL, at_least_every=1.0):
        await relay.ring_all()


@asynccontextmanager
async def beside(job: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run a job meanwhile; what it raises is raised here."""
    task = asyncio.create_task(job)
    try:
        yield
        assert not task.done(), "it ended early"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def count(site: Site, query: str) -> int:
    async with site.database.transaction() as session:
        return int(await session.scalar(text(query)) or 0)


@pytest.fixture
async def site(postgres_url: str, migrated_template: str, temporal_server: DevServer) -> AsyncIterator[Site]:
    async with running_site(postgres_url, migrated_template, temporal_server) as running:
        await running.begin()
        with running.worker():
            yield running


async def write_all(life: Life, crowd: Crowd) -> Telling:
    """Let the crowd write, each on a connection of its own."""
    database = Database(life.site.database.url, pool_size=crowd.writers)
    telling = Telling(database, life.customer_id)
    try:
        writers = [asyncio.create_task(telling.write(crowd.facts)) for _ in range(crowd.writers)]
        await until_true(life.has_continued, PATIENCE)
        telling.enough.set()
        await asyncio.gather(*writers)
    finally:
        await database.close()
    return telling


async def written(site: Site) -> tuple[list[str], list[int]]:
    """The keys of the stored contacts, and the numbers of the changes that were told."""
    async with site.database.transaction() as session:
        keys = (await session.scalars(select(TouchpointRow.external_id))).all()
        number = OutboxRow.payload["number"].as_integer()
        numbers = select(number).where(OutboxRow.payload.has_key("number"))
        return sorted(keys), sorted((await session.scalars(numbers)).all())


@pytest.mark.parametrize(
    "crowd",
    [
        pytest.param(SHORT, marks=pytest.mark.timeout(450), id="short"),
        pytest.param(LONG, marks=pytest.mark.proof, id="long"),
    ],
)
async def test_facts_of_many_writers_are_heard_once_each_while_the_workflow_continues_as_new(
    site: Site, crowd: Crowd, record_property: Callable[[str, object], None]
) -> None:
    began = time.monotonic()
    scene = await Scenario(site.database, MONDAY_AT_TEN).begin()
    async with site.database.transaction() as session:
        for statement in HEARD_LOG:
            await session.execute(text(statement))
    life = Life(site, scene.customer_id)

    async def is_all_heard() -> bool:
        return await count(site, "SELECT count(*) FROM outbox WHERE consumed_at IS NULL") == 0

    async with beside(keep_ringing(site)):
        await scene.set_tier(RiskTier.MEDIUM)
        telling = await write_all(life, crowd)
        await until_true(is_all_heard, PATIENCE)

        async def is_in_step() -> bool:
            (row,) = await scene.rows(LifecycleRow)
            running = (await life.statuses()).count(WorkflowExecutionStatus.RUNNING)
            return running == 1 and await life.seq() == row.decide_seq == len(await life.asked())

        await until_true(is_in_step, PATIENCE)
    keys, numbers = await written(site)
    assert keys == sorted(f"call-{number}" for number in telling.told), "each fact is stored once"
    assert numbers == sorted(telling.told) == list(range(len(numbers))), "each change is told once"
    assert len(numbers) >= crowd.facts
    notices = await count(site, "SELECT count(*) FROM outbox")
    assert notices >= 2 * len(numbers)
    assert await count(site, "SELECT count(*) FROM heard") == notices
    assert await count(site, "SELECT count(DISTINCT notice) FROM heard") == notices
    asked, statuses = await life.asked(), await life.statuses()
    assert asked == list(range(1, len(asked) + 1)), "no decision was left out, and none asked for twice"
    continued = statuses.count(WorkflowExecutionStatus.CONTINUED_AS_NEW)
    assert continued == len(statuses) - 1 >= CONTINUED
    figures = {
        "writers": crowd.writers,
        "facts": len(numbers),
        "of_these_told_twice": telling.repeats,
        "notices": notices,
        "decisions": len(asked),
        "continued_as_new": continued,
        "seconds": round(time.monotonic() - began, 1),
    }
    for name, value in figures.items():
        record_property(name, value)
