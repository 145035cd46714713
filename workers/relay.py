"""The relay: rings the workflow of every customer that has unheard notices. At most one ring is under way."""

import asyncio
import uuid
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError

from activities.contracts import LifecycleState
from domain.ports import Clock
from models.clock import open_clock
from models.database import Database
from models.lifecycles import RING_LEASE, claim_rings, tiers_of_new, unring
from models.listening import announcements
from models.outbox import CHANNEL
from models.silences import tell_of_silences
from settings import Settings
from workers.beside import loops, supervised
from workers.calendar import keep_calendar
from workers.clock_refresh import keep_fresh
from workers.embedded.connection import connect_temporal
from workers.pull_keeper import keep_pulls
from workers.upload_keeper import keep_uploads
from workers.workflow_keeper import keep_workflows
from workflows import policies
from workflows.lifecycle import CustomerLifecycleWorkflow
from workflows.search import CUSTOMER_ID, PHASE, RISK_TIER

BATCH = 100
AT_ONCE = 20
POLL_SECONDS = 1.0
BACK_OFF_SECONDS = 2.0
log = structlog.get_logger("relay")


async def run_relay(settings: Settings) -> None:
    """Ring until cancelled; Temporal being away only makes the rings wait in the outbox."""
    database = Database(settings.database_url or "", pool_size=settings.database_pool_size)
    clock = await open_clock(database)
    beside = [asyncio.create_task(keep_fresh(clock, database))]
    beside += [asyncio.create_task(loop) for loop in loops(settings, database, clock)]
    try:
        client = await connect_temporal(settings)
        beside.append(asyncio.create_task(keep_calendar(client, database.url)))
        beside.append(asyncio.create_task(supervised("pulls", lambda: keep_pulls(client, database))))
        beside.append(asyncio.create_task(keep_uploads(client, database, clock)))
        orders = supervised("workflows", lambda: keep_workflows(client, database, clock))
        beside.append(asyncio.create_task(orders))
        relay = Relay(database, clock, client)
        async for _ in announcements(database.url, CHANNEL, at_least_every=POLL_SECONDS):
            await relay.ring_all()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await database.close()


class Relay:
    """Moves rings from the outbox to Temporal."""

    def __init__(
        self, database: Database, clock: Clock, client: Client, lease: timedelta = RING_LEASE
    ) -> None:
        """Take both ends; `client` starts and signals workflows. After `lease` an unanswered ring is lost."""
        self._database = database
        self._clock = clock
        self._client = client
        self._lease = lease
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def ring_all(self) -> int:
        """Ring everyone who has news and no ring under way; return how many were rung."""
        await self._hear_silences()
        rung = 0
        while (claimed := await self._claim())[0]:
            customers, tiers = claimed
            rings = (self._ring(one, tiers.get(one, "")) for one in customers)
            failed = [one for one in await asyncio.gather(*rings) if one is not None]
            rung += len(customers) - len(failed)
            if failed:
                async with self._database.transaction() as session:
                    await unring(session, failed)
                await asyncio.sleep(BACK_OFF_SECONDS)
                break
        return rung

    async def _hear_silences(self) -> None:
        """Put what nobody says into the outbox: that nobody has spoken for too long."""
        async with self._database.transaction() as session:
            await tell_of_silences(session, self._clock.now(), self._clock.wall_now())

    async def _claim(self) -> tuple[list[uuid.UUID], dict[uuid.UUID, str]]:
        """Return whom to ring, and the tiers of those whose workflows begin now."""
        wall, now = self._clock.wall_now(), self._clock.now()
        async with self._database.transaction() as session:
            customers = await claim_rings(session, wall, now, BATCH, self._lease)
            return customers, await tiers_of_new(session, customers)

    async def _ring(self, customer_id: uuid.UUID, tier: str) -> uuid.UUID | None:
        """Signal the customer's workflow, starting it if need be; return the customer if it failed."""
        async with self._slots:
            try:
                await self._client.start_workflow(
                    CustomerLifecycleWorkflow.run,
                    LifecycleState(customer_id, phase=tier, risk_tier=tier),
                    id=f"customer/{customer_id}",
                    task_queue=policies.LIFECYCLE_QUEUE,
                    task_timeout=policies.WORKFLOW_TASK,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    search_attributes=_attributes(customer_id, tier),
                    start_signal="ring",
                )
            except RPCError as error:
                log.warning("could not ring", customer_id=str(customer_id), reason=error.message)
                return customer_id
        return None


def _attributes(customer_id: uuid.UUID, tier: str) -> TypedSearchAttributes:
    """Return what the workflow is listed by from its beginning: what is known then costs no upsert."""
    pairs = [SearchAttributePair(CUSTOMER_ID, str(customer_id))]
    if tier:
        pairs += [SearchAttributePair(PHASE, tier), SearchAttributePair(RISK_TIER, tier)]
    return TypedSearchAttributes(pairs)
