"""The life of a pull workflow for the replay corpus, with activities that only answer."""

import datetime as dt
from collections.abc import AsyncIterator

from temporalio import activity
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.contracts_pulls import (
    FinishPullInput,
    FinishPullResult,
    PlanPullInput,
    PlanPullResult,
    PullContract,
    PullState,
    PullStreamInput,
    PullStreamResult,
)
from domain.time import WallInstant
from tests.support.binaries import time_skipping_server
from workers.main import sandbox
from workflows.pulls import PullWorkflow, workflow_id

SOURCE = "crm"
EVERY = dt.timedelta(minutes=15)
REFUSED = "the token is not accepted"


class Answers(PullContract):
    """A connection that is read every quarter of an hour, refuses once, is paused, and goes away."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        """Begin before the first pass."""
        self._env, self.is_paused, self.is_gone, self.refuses = env, False, False, False

    @activity.defn(name="plan_pull")
    async def plan_pull(self, request: PlanPullInput) -> PlanPullResult:
        """Answer as the clock says."""
        if self.is_paused or self.is_gone:
            return PlanPullResult(is_gone=self.is_gone)
        now, last = WallInstant(await self._env.get_current_time()), request.last_pass_at
        if last is None or request.is_asked or last + EVERY <= now:
            return PlanPullResult(("asked", "companies", "contacts"), is_whole=True)
        return PlanPullResult(wake_at=WallInstant(last + EVERY))

    @activity.defn(name="pull_stream")
    async def pull_stream(self, _request: PullStreamInput) -> PullStreamResult:
        """Read something, or be refused."""
        if self.refuses:
            raise ApplicationError(REFUSED, non_retryable=True)
        return PullStreamResult(7, 3)

    @activity.defn(name="finish_pull")
    async def finish_pull(self, _request: FinishPullInput) -> FinishPullResult:
        """Say when it was."""
        return FinishPullResult(WallInstant(await self._env.get_current_time()))


async def pull_history() -> AsyncIterator[WorkflowHistory]:
    """Two passes, one more on demand that is refused, a pause, a resume, and the end of the connection."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=time_skipping_server(),
        data_converter=pydantic_data_converter,
        identity="everstay",
    ) as env:
        answers, client = Answers(env), env.client
        flows = Worker(client, task_queue="lifecycle", workflows=[PullWorkflow], workflow_runner=sandbox())
        bulk = Worker(
            client,
            task_queue="bulk",
            activities=[answers.plan_pull, answers.pull_stream, answers.finish_pull],
        )
        async with flows, bulk:
            handle = await client.start_workflow(
                PullWorkflow.run, PullState(SOURCE), id=workflow_id(SOURCE), task_queue="lifecycle"
            )
            await env.sleep(EVERY * 1.5)
            answers.refuses = True
            await handle.signal(PullWorkflow.pull_now)
            await env.sleep(EVERY / 3)
            answers.refuses, answers.is_paused = False, True
            await handle.signal(PullWorkflow.ring)
            await env.sleep(EVERY * 3)
            answers.is_paused = False
            await handle.signal(PullWorkflow.ring)
            await env.sleep(EVERY / 3)
            answers.is_gone = True
            await handle.signal(PullWorkflow.ring)
            await handle.result()
            yield await handle.fetch_history()
