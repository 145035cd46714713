"""Sees to it that the calendar runs, and wakes it when the clock changes."""

import asyncio

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from activities.contracts_scoring import CalendarState
from models.clock import CHANNEL
from models.listening import announcements
from workflows import policies
from workflows.calendar import CALENDAR_ID, CalendarWorkflow

LOOK_SECONDS = 3600.0
"""How long a calendar that somebody ended stays away."""
BACK_OFF_SECONDS = 2.0
log = structlog.get_logger("calendar")


async def keep_calendar(client: Client, database_url: str) -> None:
    """Start the calendar if it does not run, and ring it on every change of the clock, until cancelled."""
    async for _ in announcements(database_url, CHANNEL, at_least_every=LOOK_SECONDS):
        while not await ring_calendar(client):  # noqa: ASYNC110 - there is no event for Temporal's return
            await asyncio.sleep(BACK_OFF_SECONDS)


async def ring_calendar(client: Client) -> bool:
    """Signal the one calendar, starting it if need be; return whether Temporal took it."""
    try:
        await client.start_workflow(
            CalendarWorkflow.run,
            CalendarState(),
            id=CALENDAR_ID,
            task_queue=policies.LIFECYCLE_QUEUE,
            task_timeout=policies.WORKFLOW_TASK,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal="ring",
        )
    except RPCError as error:
        log.warning("could not ring the calendar", reason=error.message)
        return False
    return True
