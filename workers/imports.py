"""Starting the workflows of recorded imports, and asking whether they still work."""

import uuid

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts_imports import PlanImportInput
from domain.errors import EverstayError
from domain.time import WallInstant
from models.database import Database
from models.imports import end_run
from workflows.imports import ImportWorkflow, workflow_id
from workflows.policies import LIFECYCLE_QUEUE


class ImportFailedError(EverstayError):
    """The import ended before its time: {reason}."""


async def start_import(client: Client, import_id: uuid.UUID) -> None:
    """Start the workflow of a run, or leave the one that works on it alone."""
    await client.start_workflow(
        ImportWorkflow.run,
        PlanImportInput(import_id),
        id=workflow_id(import_id),
        task_queue=LIFECYCLE_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )


async def is_working(client: Client, import_id: uuid.UUID) -> bool:
    """Tell whether a workflow still works on a run."""
    try:
        description = await client.get_workflow_handle(workflow_id(import_id)).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return description.status is WorkflowExecutionStatus.RUNNING


async def give_up(database: Database, import_id: uuid.UUID, reason: str, wall: WallInstant) -> None:
    """Record that nobody works on a run any more."""
    async with database.transaction() as session:
        await end_run(session, import_id, "failed", wall, reason)
