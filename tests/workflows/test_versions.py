"""Old workers beside new ones, on a real server: sequences stay with the version that started them."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest
from temporalio import workflow
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.common import VersioningBehavior
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from settings import load_settings
from tests.support.devserver import DevServer
from workers.main import deployment_of
from workers.registry import workflows_of

pytestmark = [pytest.mark.devserver, pytest.mark.timeout(120)]
PATIENCE = 30.0


@workflow.defn(name="Sequence", versioning_behavior=VersioningBehavior.PINNED)
class OldSequence:
    """Answers with its build."""

    def __init__(self) -> None:
        self.done = False

    @workflow.signal
    def ring(self) -> None:
        self.done = True

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.done)
        return "old"


@workflow.defn(name="Sequence", versioning_behavior=VersioningBehavior.PINNED)
class NewSequence(OldSequence):
    """Answers with another one."""

    @workflow.signal
    def ring(self) -> None:
        self.done = True

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.done)
        return "new"


@asynccontextmanager
async def worker(client: Client, queue: str, build: str, sequence: type) -> AsyncIterator[None]:
    settings = load_settings(worker_deployment="everstay", worker_build=build)
    versions = deployment_of(settings)
    running = Worker(
        client,
        task_queue=queue,
        workflows=[sequence],
        workflow_runner=UnsandboxedWorkflowRunner(),
        deployment_config=versions,
    )
    async with running:
        yield


async def make_current(client: Client, build: str) -> None:
    """Say that new work goes to a build; its worker may not have been seen yet."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name="everstay",
        build_id=build,
        ignore_missing_task_queues=True,
    )
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
        except RPCError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.2)
        else:
            return


async def _both(first: Awaitable[str], second: Awaitable[str]) -> tuple[str, str]:
    return await first, await second


async def test_a_sequence_ends_with_the_version_that_started_it(temporal_server: DevServer) -> None:
    client = await temporal_server.client()
    queue = f"versions-{uuid.uuid4()}"
    async with worker(client, queue, "1", OldSequence):
        await make_current(client, "1")
        first = await client.start_workflow("Sequence", id=f"{queue}/1", task_queue=queue, result_type=str)
        async with worker(client, queue, "2", NewSequence):
            await make_current(client, "2")
            second = await client.start_workflow(
                "Sequence", id=f"{queue}/2", task_queue=queue, result_type=str
            )
            await asyncio.gather(first.signal("ring"), second.signal("ring"))
            both = _both(first.result(), second.result())
            assert await asyncio.wait_for(both, PATIENCE) == ("old", "new")


def test_sequences_are_pinned_where_workers_have_versions_and_nowhere_else() -> None:
    def behaviours(*, versioned: bool) -> dict[str | None, VersioningBehavior | None]:
        found = [
            workflow._Definition.must_from_class(one)
            for one in workflows_of("lifecycle", versioned=versioned)
        ]
        return {one.name: one.versioning_behavior for one in found}

    plain, versioned = behaviours(versioned=False), behaviours(versioned=True)
    assert set(plain.values()) == {VersioningBehavior.UNSPECIFIED}
    assert {name for name, one in versioned.items() if one is VersioningBehavior.PINNED} == {
        "InterventionWorkflow",
        "DunningWorkflow",
        "WinBackWorkflow",
    }
    assert plain.keys() == versioned.keys()


def test_without_the_setting_workers_have_no_version() -> None:
    assert deployment_of(load_settings()) is None
