"""What went wrong in workflows, read from their histories: the truth of the server, not of a log."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecution

AT_ONCE = 16
PAGE = 1000
HARMLESS = {WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND}
"""A ring arrived while the workflow was ending or continuing as new: the server asks again, by design."""
ACTIVITY = (EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED, EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
WORKFLOW = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
)


@dataclass(frozen=True)
class Failures:
    """Counts over all histories."""

    workflow_tasks: int
    activities: int
    workflows: int
    examples: tuple[str, ...]


async def find_failures(client: Client) -> Failures:
    """Read the history of every run in the namespace and count what failed for good."""
    gate = asyncio.Semaphore(AT_ONCE)
    runs = [run async for run in client.list_workflows(page_size=PAGE)]
    found = await asyncio.gather(*(_read(client, run, gate) for run in runs))
    counts: Counter[str] = Counter()
    examples: list[str] = []
    for run, kinds in zip(runs, found, strict=True):
        counts.update(kinds)
        examples += [f"{run.id}: {kind} failed" for kind in sorted(set(kinds))]
    return Failures(counts["workflow task"], counts["activity"], counts["workflow"], tuple(examples[:5]))


async def _read(client: Client, run: WorkflowExecution, gate: asyncio.Semaphore) -> list[str]:
    async with gate:
        handle = client.get_workflow_handle(run.id, run_id=run.run_id)
        events = [event async for event in handle.fetch_history_events(page_size=PAGE)]
    return list(_failed(events))


def _failed(events: Iterable[HistoryEvent]) -> Iterable[str]:
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            if event.workflow_task_failed_event_attributes.cause not in HARMLESS:
                yield "workflow task"
        elif event.event_type in ACTIVITY:
            yield "activity"
        elif event.event_type in WORKFLOW:
            yield "workflow"
