"""Sees to it that every connection that is read has its workflow, and rings it when there is news."""

import asyncio

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from activities.contracts_pulls import PullState
from integrations.providers import READ
from models.connections import CHANNEL, PulledSource, pulled_sources
from models.database import Database
from models.listening import announcements
from workflows import policies
from workflows.pulls import PullWorkflow, workflow_id

LOOK_SECONDS = 60.0
AGAIN_SECONDS = 3600.0
"""How long a workflow that somebody ended stays away."""
BACK_OFF_SECONDS = 2.0
BREATH_SECONDS = 1.0
"""A storm of webhooks that ask for objects is answered once per breath."""
log = structlog.get_logger("pulls")


async def keep_pulls(client: Client, database: Database) -> None:
    """Start the workflows of connections, and ring those that changed or are asked for, until cancelled."""
    known: dict[str, PulledSource] = {}
    loop = asyncio.get_running_loop()
    again = loop.time() + AGAIN_SECONDS
    async for _ in announcements(database.url, CHANNEL, at_least_every=LOOK_SECONDS):
        if loop.time() > again:
            known, again = {}, loop.time() + AGAIN_SECONDS
        async with database.transaction() as session:
            found = {one.source_id: one for one in await pulled_sources(session, sorted(READ))}
        for source_id, one in found.items():
            has_news = one.asked_at is not None or one != known.get(source_id)
            if has_news:
                while not await start_pull(client, source_id, "ring"):  # noqa: ASYNC110 - Temporal has no event
                    await asyncio.sleep(BACK_OFF_SECONDS)
        known = found
        await asyncio.sleep(BREATH_SECONDS)


async def start_pull(client: Client, source_id: str, signal: str) -> bool:
    """Signal a connection's workflow, starting it if need be; return whether Temporal took it."""
    try:
        await client.start_workflow(
            PullWorkflow.run,
            PullState(source_id),
            id=workflow_id(source_id),
            task_queue=policies.LIFECYCLE_QUEUE,
            task_timeout=policies.WORKFLOW_TASK,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=signal,
        )
    except RPCError as error:
        log.warning("could not ring a pull", source=source_id, reason=error.message)
        return False
    return True
