"""A worker process: polls the queues that it was given until it is told to stop."""

import asyncio
import contextlib
import gc
from collections.abc import Sequence
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.ping import ping
from domain.errors import InvalidInputError
from models.clock import open_clock
from models.database import Database
from settings import Settings
from workers.clock_refresh import keep_fresh
from workers.embedded.connection import connect_temporal
from workers.registry import Parts, activities_of, build_parts, workflows_of

QUEUES = ("lifecycle", "decisions", "email", "billing", "scoring", "bulk")
PASSED_THROUGH = ("domain", "activities", "workflows", "pydantic", "pydantic_core", "annotated_types")
"""Our own packages are free of side effects at import: passing them through costs a tenth of the memory."""
COLLECT_AFTER = 50_000
"""New objects between two garbage collections."""
GRACE = timedelta(seconds=5)
SLOTS = 16
STICKY_WHEN_EMBEDDED = timedelta(seconds=1)
STICKY = timedelta(seconds=10)


async def run_worker(settings: Settings, queues: Sequence[str]) -> None:
    """Poll task queues until cancelled; running activities get a few seconds to end."""
    unknown = [queue for queue in queues if queue not in QUEUES]
    if unknown or not queues:
        raise InvalidInputError(field="--queue", reason=f"queues are {', '.join(QUEUES)}")
    database = Database(settings.database_url or "", pool_size=settings.database_pool_size)
    clock = await open_clock(database)
    fresh = asyncio.create_task(keep_fresh(clock, database))
    try:
        client = await connect_temporal(settings)
        parts = build_parts(settings, database, clock)
        async with contextlib.AsyncExitStack() as running:
            for queue in queues:
                await running.enter_async_context(build_worker(client, queue, parts, settings))
            _spare_the_collector()
            await asyncio.Event().wait()
    finally:
        fresh.cancel()
        await asyncio.gather(fresh, return_exceptions=True)
        await database.close()


def _spare_the_collector() -> None:
    """Leave what lives as long as the process out of garbage collections, and collect less often.

    Scoring makes thousands of small objects per batch and no cycles: looking through all of them after every
    700 new ones was a tenth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def build_worker(client: Client, queue: str, parts: Parts, settings: Settings) -> Worker:
    """Return the worker of one queue."""
    sticky = STICKY_WHEN_EMBEDDED if settings.profile == "embedded" else STICKY
    return Worker(
        client,
        task_queue=queue,
        workflows=workflows_of(queue, versioned=settings.worker_deployment is not None),
        activities=[ping, *activities_of(queue, parts)],
        workflow_runner=sandbox(),
        graceful_shutdown_timeout=GRACE,
        max_concurrent_activities=SLOTS,
        disable_eager_activity_execution=True,
        sticky_queue_schedule_to_start_timeout=sticky,
        deployment_config=deployment_of(settings),
    )


def deployment_of(settings: Settings) -> WorkerDeploymentConfig | None:
    """Return which version of a worker deployment this is, None where one set of workers is enough.

    Entities move on to the current version with their next workflow task; sequences are pinned to the
    version that started them (`workflows/pinned.py`).
    """
    if settings.worker_deployment is None or settings.worker_build is None:
        return None
    return WorkerDeploymentConfig(
        WorkerDeploymentVersion(settings.worker_deployment, settings.worker_build),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )


def sandbox() -> SandboxedWorkflowRunner:
    """Return the sandbox that workflows run in, with our own packages passed through."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    )
