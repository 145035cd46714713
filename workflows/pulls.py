"""One connection: read its streams one after another, wait, and do it again, for as long as it exists."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import policies
from workflows.waiting import Waiter

with workflow.unsafe.imports_passed_through():
    from activities.contracts_pulls import (
        FinishPullInput,
        PlanPullInput,
        PlanPullResult,
        PullContract,
        PullState,
        PullStreamInput,
    )


@workflow.defn(name="PullWorkflow")
class PullWorkflow:
    """It knows no cursor and no secret: it decides when, and which stream comes next."""

    @workflow.init
    def __init__(self, state: PullState) -> None:
        """Take the state that was carried over."""
        self._state = state
        self._rung = False
        self._waiter = Waiter()

    @workflow.signal
    def ring(self) -> None:
        """Say that the connection was changed, paused or resumed: look at it again."""
        self._rung = True

    @workflow.signal
    def pull_now(self) -> None:
        """Ask for a pass at once; one that is under way is followed by another."""
        self._state.is_asked = True

    @workflow.query
    def standing(self) -> PullState:
        """Return when the last pass ended, and how many there were in this run."""
        return self._state

    @workflow.run
    async def run(self, _state: PullState) -> None:
        """Live until the connection is removed, in runs of some passes."""
        while True:
            self._rung = False
            plan = await self._plan()
            if plan.is_gone:
                await workflow.wait_condition(workflow.all_handlers_finished)
                return
            if plan.streams:
                await self._pass(plan)
            else:
                await self._waiter.wait_until(plan.wake_at, self._has_news)
            if self._is_old():
                await workflow.wait_condition(workflow.all_handlers_finished)
                state = self._state
                workflow.continue_as_new(PullState(state.source_id, state.last_pass_at, state.is_asked))

    def _has_news(self) -> bool:
        return self._rung or self._state.is_asked

    def _is_old(self) -> bool:
        """Tell whether this run's history should be left behind."""
        old = self._state.passes >= policies.PASSES_PER_RUN
        return old or workflow.info().is_continue_as_new_suggested()

    async def _plan(self) -> PlanPullResult:
        request = PlanPullInput(self._state.source_id, self._state.last_pass_at, self._state.is_asked)
        self._state.is_asked = False
        return await workflow.execute_activity_method(
            PullContract.plan_pull,
            request,
            task_queue=policies.BULK_QUEUE,
            start_to_close_timeout=policies.DECISION.start_to_close,
            retry_policy=policies.DECISION.retry,
        )

    async def _pass(self, plan: PlanPullResult) -> None:
        """Read each stream to its end; what one of them cannot get over ends the pass."""
        problem = None
        for stream in plan.streams:
            try:
                await workflow.execute_activity_method(
                    PullContract.pull_stream,
                    PullStreamInput(self._state.source_id, stream),
                    task_queue=policies.BULK_QUEUE,
                    start_to_close_timeout=policies.PULL_STREAM.start_to_close,
                    heartbeat_timeout=policies.PULL_STREAM.heartbeat,
                    retry_policy=policies.PULL_STREAM.retry,
                )
            except ActivityError as error:
                problem = _sentence(error)
                break
        ended = await workflow.execute_activity_method(
            PullContract.finish_pull,
            FinishPullInput(self._state.source_id, problem),
            task_queue=policies.BULK_QUEUE,
            start_to_close_timeout=policies.DECISION.start_to_close,
            retry_policy=policies.DECISION.retry,
        )
        if plan.is_whole:
            self._state.last_pass_at = ended.at
        self._state.passes += 1


def _sentence(error: ActivityError) -> str:
    if isinstance(error.cause, ApplicationError):
        return error.cause.message
    return f"{error.activity_type} did not succeed: {error.cause or error}"


def workflow_id(source_id: str) -> str:
    """Return the id of a connection's workflow."""
    return f"pull/{source_id}"
