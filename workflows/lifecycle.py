"""One customer, for years. Thin: it hears rings, asks for decisions, starts and rings runs, and waits."""

import uuid

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError

from workflows import policies
from workflows.intervention import InterventionWorkflow, workflow_id
from workflows.search import CUSTOMER_ID, MOTION, PHASE, RISK_TIER
from workflows.waiting import Waiter

with workflow.unsafe.imports_passed_through():
    from activities.contracts import (
        DecideInput,
        DecideResult,
        InterventionRunState,
        LifecycleContract,
        LifecycleState,
        RunToStart,
    )
    from domain.time import BusinessInstant, WallInstant


@workflow.defn(name="CustomerLifecycleWorkflow")
class CustomerLifecycleWorkflow:
    """Decide, carry out, wait until due or rung; continue as new before the history grows old."""

    @workflow.init
    def __init__(self, state: LifecycleState) -> None:
        """Take the state that was carried over."""
        self._state = state
        self._rung = False
        self._waiter = Waiter()

    @workflow.signal
    def ring(self) -> None:
        """Say that the customer's outbox has news. It carries no facts: any number of rings is one."""
        self._rung = True

    @workflow.query
    def standing(self) -> LifecycleState:
        """Return the phase and tier last decided on, for people who look at the workflow."""
        return self._state

    @workflow.run
    async def run(self, _state: LifecycleState) -> None:
        """Live as long as the customer is ours to look after."""
        self._state.began_wall = WallInstant(workflow.now())
        woken_for: BusinessInstant | None = None
        while True:
            if not self._state.is_settled:
                await self._settle(woken_for)
            self._state.is_settled = False
            wake = self._state.wake
            rung = await self._waiter.wait_until(
                wake.wall if wake else None, self._was_rung, lazily=wake is not None and wake.lazily
            )
            woken_for = None if rung or wake is None else wake.due

    async def _settle(self, woken_for: BusinessInstant | None) -> None:
        """Decide and carry it out; leave the history behind when it is time to."""
        self._rung = False
        result = await self._decide(woken_for)
        await self._carry_out(result)
        self._state.wake = result.wake
        if result.begins_term or self._is_old():
            await workflow.wait_condition(workflow.all_handlers_finished)
            self._state.is_settled = not self._rung
            workflow.continue_as_new(self._state)

    def _was_rung(self) -> bool:
        return self._rung

    def _is_old(self) -> bool:
        """Tell whether this run's history should be left behind."""
        info = workflow.info()
        old = workflow.now() - info.start_time >= policies.CONTINUE_AS_NEW_AFTER
        return info.is_continue_as_new_suggested() or old

    async def _decide(self, woken_for: BusinessInstant | None) -> DecideResult:
        self._state.seq += 1
        result = await workflow.execute_activity_method(
            LifecycleContract.decide,
            DecideInput(self._state.customer_id, self._state.seq, woken_for),
            task_queue=policies.DECISIONS_QUEUE,
            start_to_close_timeout=policies.DECISION.start_to_close,
            retry_policy=policies.DECISION.retry,
        )
        self._show(result)
        return result

    def _show(self, result: DecideResult) -> None:
        """Publish phase and tier as search attributes, only when they change: each upsert costs an action."""
        if (result.phase, result.risk_tier) == (self._state.phase, self._state.risk_tier):
            return
        self._state.phase, self._state.risk_tier = result.phase, result.risk_tier
        workflow.upsert_search_attributes(
            [PHASE.value_set(result.phase), RISK_TIER.value_set(result.risk_tier)]
        )

    async def _carry_out(self, result: DecideResult) -> None:
        for start in result.starts:
            await self._start(start)
        for intervention_id in result.rings:
            await self._ring(intervention_id)

    async def _start(self, start: RunToStart) -> None:
        """Start a run that outlives this one; a repeated start finds it running, or over."""
        try:
            await workflow.start_child_workflow(
                InterventionWorkflow.run,
                InterventionRunState(start.intervention_id, opens_with=start.opens_with, wake=start.wake),
                id=workflow_id(start.intervention_id),
                task_queue=policies.LIFECYCLE_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                search_attributes=self._attributes(start),
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("the run was started before")

    def _attributes(self, start: RunToStart) -> TypedSearchAttributes:
        return TypedSearchAttributes(
            [
                SearchAttributePair(CUSTOMER_ID, str(self._state.customer_id)),
                SearchAttributePair(MOTION, start.motion),
            ]
        )

    async def _ring(self, intervention_id: uuid.UUID) -> None:
        """Ring a run; one that has just ended needs no ring."""
        handle = workflow.get_external_workflow_handle_for(
            InterventionWorkflow.run, workflow_id(intervention_id)
        )
        try:
            await handle.signal(InterventionWorkflow.ring)
        except FailureError:
            workflow.logger.info("the run had ended before the ring")
