"""Every history of a workflow id: the run of today and those that it continued."""

from collections.abc import Sequence

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client


async def histories(client: Client, workflow_id: str) -> list[Sequence[HistoryEvent]]:
    """Return the events of each run, the oldest run first."""
    found: list[Sequence[HistoryEvent]] = []
    run_id: str | None = None
    while run_id != "":
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        found.insert(0, history.events)
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return found
