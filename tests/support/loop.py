"""The whole decision loop in one process: real Postgres, real workflows, a time-skipping or a dev server.

Time is the server's: the clock port is set from it before every activity, so that months pass in seconds.
"""

import asyncio
import datetime as dt
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    Worker,
)

from activities.cases import CaseActivities, CaseMailActivities, Motions
from activities.dunning import DunningMotion
from activities.intervention import InterventionActivities
from activities.letters import Letterhead
from activities.lifecycle import LifecycleActivities
from activities.messaging import MessagingActivities
from activities.posting import Posting
from domain.case_vocabulary import CaseKind
from domain.links import LinkMaker
from domain.ports import EmailAddress, EmailSender
from domain.time import BusinessInstant, WallInstant
from integrations.fake_email import FakeEmailSender
from integrations.invitations import CalendarInvitations
from integrations.jinja_renderer import JinjaMessageRenderer
from models.database import Database
from models.installation import load_installation, release
from models.playbooks import PlaybookShelf, load_library
from models.pressing import is_pressing
from models.tables.ledger import OutboxRow
from tests.support.billing import MemoryBilling
from tests.support.binaries import time_skipping_server
from tests.support.simulators import until_true
from workers.main import sandbox
from workers.relay import Relay
from workers.workflow_keeper import carry_out_orders
from workflows.cases import DunningWorkflow, WinBackWorkflow
from workflows.intervention import InterventionWorkflow
from workflows.lifecycle import CustomerLifecycleWorkflow

LIBRARY = Path(__file__).resolve().parents[2] / "playbooks"


GOODBYE_SECONDS = 30.0
"""Far longer than a worker needs to stop."""
MONDAY = BusinessInstant(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC))
"""Where business time begins unless a test says otherwise: an hour before the offices of UTC open."""


class ServerClock:
    """The clock port on the test server's time; business time runs beside it, from an instant of its own."""

    def __init__(self, begins: BusinessInstant = MONDAY) -> None:
        self.at = dt.datetime.now(dt.UTC)
        self._begins = begins
        self._ahead: dt.timedelta | None = None

    def tell(self, server_time: dt.datetime) -> None:
        """Take over the server's time; the first one told is when business time begins."""
        self.at = server_time
        if self._ahead is None:
            self._ahead = self._begins - BusinessInstant(server_time)

    def wall_now(self) -> WallInstant:
        return WallInstant(self.at)

    def now(self) -> BusinessInstant:
        return BusinessInstant(self.at + (self._ahead or dt.timedelta()))

    def wall_at(self, due: BusinessInstant) -> WallInstant:
        return WallInstant(max(due - (self._ahead or dt.timedelta()), self.at))

    def business_at(self, wall: WallInstant) -> BusinessInstant:
        return BusinessInstant(wall + (self._ahead or dt.timedelta()))


class _ReadTime(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, loop: "Loop") -> None:
        super().__init__(following)
        self._loop = loop

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        await self._loop.look_at_the_clock()
        try:
            return await super().execute_activity(input)
        except ApplicationError:
            raise
        except Exception as error:
            self._loop.errors.append(error)
            raise ApplicationError(str(error), non_retryable=True) from error


class ClockInterceptor(Interceptor):
    """Tells the clock the server's time before each activity."""

    def __init__(self, loop: "Loop") -> None:
        self._loop = loop

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _ReadTime(next, self._loop)


@dataclass
class Loop:
    """Handles on everything that a test of the loop touches."""

    env: WorkflowEnvironment
    client: Client
    database: Database
    sender: FakeEmailSender
    clock: ServerClock = field(default_factory=ServerClock)
    errors: list[Exception] = field(default_factory=list)
    """What went wrong in activities; any of it fails the test at its end."""

    def __post_init__(self) -> None:
        self.billing = MemoryBilling(self.clock.now)

    async def look_at_the_clock(self) -> BusinessInstant:
        """Read the server's time into the clock."""
        self.clock.tell(await self.env.get_current_time())
        return self.clock.now()

    async def pass_time(self, span: dt.timedelta) -> None:
        """Let time pass on the server, with everything that falls due in it."""
        await self.env.sleep(span)
        await self.look_at_the_clock()

    async def live(self, days: float, *, step: dt.timedelta = dt.timedelta(hours=12)) -> None:
        """Let days pass as in the running system: what happens on the way is rung at the next half day."""
        until = self.clock.now() + dt.timedelta(days=days)
        while (left := until - self.clock.now()) > dt.timedelta():
            await self.pass_time(min(step, left))
            await self.ring()
            await self.carry_out()

    async def decided(self, customer_id: uuid.UUID) -> None:
        """Wait until the customer's workflow has heard every notice that it is rung for."""

        async def is_heard() -> bool:
            async with self.database.transaction() as session:
                waiting = select(OutboxRow.id).where(
                    OutboxRow.customer_id == customer_id, OutboxRow.consumed_at.is_(None), is_pressing()
                )
                return (await session.scalar(waiting.limit(1))) is None

        await until_true(is_heard)

    async def ring(self) -> int:
        """Deliver every notice and every order that waits, as the relay does."""
        await self.look_at_the_clock()
        rung = await self.relay.ring_all()
        await carry_out_orders(self.client, self.database, self.clock)
        return rung

    async def carry_out(self) -> int:
        """Carry out what is ordered of workflows, as the relay does."""
        return await carry_out_orders(self.client, self.database, self.clock)

    @property
    def relay(self) -> Relay:
        return Relay(self.database, self.clock, self.client)


@asynccontextmanager
async def running_loop(
    database: Database,
    sender: EmailSender | None = None,
    *,
    begins: BusinessInstant = MONDAY,
    released: bool = True,
    motions: Callable[["Loop"], Motions] = lambda _loop: {},
) -> AsyncIterator[Loop]:
    """Run the workers of the loop on a time-skipping server, with the shipped playbooks.

    `motions` makes what handles cases, for tests of cases.
    """
    mailer = sender or FakeEmailSender()
    async with (
        AsyncExitStack() as last,
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=time_skipping_server(),
            data_converter=pydantic_data_converter,
            identity="everstay",
        ) as env,
    ):
        await register_search_attributes(env.client)
        loop = Loop(env, env.client, database, mailer, ServerClock(begins))  # type: ignore[arg-type]  # tests that count use the fake
        now = await loop.look_at_the_clock()
        async with database.transaction() as session:
            await load_installation(session)
            await load_library(session, LIBRARY, now)
            if released:
                await release(session, now, loop.clock.wall_now())
        async with AsyncExitStack() as stack:
            for worker in workers(loop, mailer, motions(loop)):
                await stack.enter_async_context(stopping_in_time(worker, last))
            yield loop
        if loop.errors:
            raise loop.errors[0]


@asynccontextmanager
async def stopping_in_time(worker: Worker, last: AsyncExitStack) -> AsyncIterator[None]:
    """Run a worker; one that waits too long for a word of the server's ends with the server, before `last`.

    A time-skipping server sometimes never answers a worker that says goodbye.
    """
    await worker.__aenter__()
    try:
        yield
    finally:
        stopping = asyncio.ensure_future(worker.__aexit__(*sys.exc_info()))
        await asyncio.wait([stopping], timeout=GOODBYE_SECONDS)
        if stopping.done():
            stopping.result()
        else:
            last.push_async_callback(asyncio.wait, [stopping])


def workers(loop: Loop, sender: EmailSender, motions: Motions) -> list[Worker]:
    """Build the workers of the loop, one for each queue."""
    shelf, database, clock = PlaybookShelf(), loop.database, loop.clock
    links = LinkMaker("http://everstay.example", "a secret of the tests")
    letterhead = Letterhead(
        JinjaMessageRenderer(LIBRARY / "templates"),
        links,
        EmailAddress("team@everstay.example"),
        CalendarInvitations(),
    )
    motions = {CaseKind.DUNNING: DunningMotion(database, clock, loop.billing.open), **motions}
    cases = CaseActivities(database, clock, motions)
    case_mail = CaseMailActivities(database, Posting(database, clock, sender, letterhead), motions)
    activities: dict[str, list[Callable[..., Any]]] = {
        "decisions": [
            LifecycleActivities(database, clock, shelf).decide,
            InterventionActivities(database, clock, shelf).advance,
        ],
        "email": [
            MessagingActivities(database, clock, shelf, sender, letterhead).send_email,
            case_mail.send_case_letter,
        ],
        "billing": [cases.advance_case, cases.perform_case_step],
    }
    interceptors = [ClockInterceptor(loop)]
    flows = Worker(
        loop.client,
        task_queue="lifecycle",
        workflows=[CustomerLifecycleWorkflow, InterventionWorkflow, DunningWorkflow, WinBackWorkflow],
        workflow_runner=sandbox(),
    )
    return [
        flows,
        *(
            Worker(loop.client, task_queue=queue, activities=found, interceptors=interceptors)
            for queue, found in activities.items()
        ),
    ]


async def register_search_attributes(client: Client) -> None:
    """Teach a test server our search attributes: an unknown one wedges a workflow."""
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    names = ("CustomerId", "Phase", "RiskTier", "Motion")
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=client.namespace, search_attributes=dict.fromkeys(names, keyword)
        )
    )


def new_id() -> uuid.UUID:
    """Return a random id for a row of a test."""
    return uuid.uuid4()
