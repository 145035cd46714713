"""Starting imports and attaching to unfinished ones, from a command line or from a test."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts_imports import PlanImportInput
from activities.import_plan import end_of_data, plan_files
from domain.errors import EverstayError
from domain.mapping import Mapping
from domain.tabular import TableReader
from domain.time import WallInstant
from models.database import Database
from models.import_clock import business_now, refuse_to_set_clock
from models.imports import RUNNING, ImportRun, create_run, end_run, find_unfinished
from models.sources import Source, connect_source
from workflows.imports import ImportWorkflow, workflow_id
from workflows.policies import LIFECYCLE_QUEUE


class ImportFailedError(EverstayError):
    """The import ended before its time: {reason}."""


@dataclass(frozen=True)
class ImportOrder:
    """What a person asks for."""

    name: str
    mapping: Mapping
    folder: Path
    set_clock: bool = False
    force: bool = False


@dataclass(frozen=True)
class Opened:
    """The run to watch, and whether it was under way already."""

    id: uuid.UUID
    is_resumed: bool


async def open_import(
    database: Database, reader: TableReader, order: ImportOrder, wall: WallInstant
) -> Opened:
    """Return the unfinished run of the same mapping and folder, or record a new one.

    Raises InvalidInputError for files that do not fit the mapping, before anything is written.
    """
    document = order.mapping.model_dump(mode="json")
    async with database.transaction() as session:
        found = await find_unfinished(session, order.mapping.source.id, order.folder, document)
        if found is not None:
            return Opened(found, is_resumed=True)
        files = plan_files(order.mapping, order.folder, reader)
        if order.set_clock:
            end_of_data(order.mapping, files, reader)
            if not order.force:
                await refuse_to_set_clock(session)
        spec = order.mapping.source
        now = await business_now(session, wall)
        source = Source(spec.id, spec.name, spec.kind, spec.provides, now, spec.rhythm_hours)
        await connect_source(session, source)
        run = ImportRun(
            uuid.uuid4(),
            spec.id,
            order.name,
            document,
            order.folder,
            {"set_clock": order.set_clock},
            RUNNING,
            {},
            None,
            wall,
            None,
        )
        await create_run(session, run)
    return Opened(run.id, is_resumed=False)


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
