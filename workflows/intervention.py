"""One run of one playbook version for one customer. It decides when; the interpreter decides what."""

import uuid

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import policies
from workflows.waiting import Waiter

with workflow.unsafe.imports_passed_through():
    from activities.contracts import (
        AdvanceInput,
        AdvanceResult,
        InterventionContract,
        InterventionRunState,
        MessagingContract,
        PerformInput,
        SendEmailInput,
        StepContract,
    )
    from domain.time import BusinessInstant
    from domain.vocabulary import Outcome


@workflow.defn(name="InterventionWorkflow")
class InterventionWorkflow:
    """Advance, send what is asked for, wait until due or rung, and again, until there is an outcome."""

    @workflow.init
    def __init__(self, state: InterventionRunState) -> None:
        """Take the state that was carried over."""
        self._state = state
        self._rung = False
        self._waiter = Waiter()

    @workflow.signal
    def ring(self) -> None:
        """Something changed: look again."""
        self._rung = True

    @workflow.query
    def progress(self) -> InterventionRunState:
        """Return where the run stands, for people who look at it."""
        return self._state

    @workflow.run
    async def run(self, _state: InterventionRunState) -> Outcome:
        """Live until the run has an outcome, and return it."""
        woken_for: BusinessInstant | None = None
        given_up: SendEmailInput | None = None
        while True:
            self._rung = False
            result = await self._advance(woken_for, given_up)
            woken_for, given_up = None, None
            if result.outcome is not None:
                return result.outcome
            if result.send is not None:
                given_up = None if await self._send(result.send) else result.send
                continue
            if result.perform is not None:
                given_up = await self._perform(result.perform)
                continue
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._state)
            rung = await self._waiter.wait_until(result.wake.wall if result.wake else None, self._was_rung)
            if not rung and result.wake is not None:
                woken_for = result.wake.due

    def _was_rung(self) -> bool:
        return self._rung

    async def _advance(
        self, woken_for: BusinessInstant | None, given_up: SendEmailInput | None
    ) -> AdvanceResult:
        self._state.seq += 1
        return await workflow.execute_activity_method(
            InterventionContract.advance,
            AdvanceInput(self._state.intervention_id, self._state.seq, woken_for, given_up),
            task_queue=policies.DECISIONS_QUEUE,
            start_to_close_timeout=policies.DECISION.start_to_close,
            retry_policy=policies.DECISION.retry,
        )

    async def _send(self, send: SendEmailInput) -> bool:
        """Let the sending activity do its work, and record it; False when every attempt has failed."""
        self._state.sent.append(f"{send.step_id}/{send.occurrence}")
        try:
            await workflow.execute_activity_method(
                MessagingContract.send_email,
                send,
                task_queue=policies.EMAIL_QUEUE,
                start_to_close_timeout=policies.SEND.start_to_close,
                retry_policy=policies.SEND.retry,
            )
        except ActivityError:
            workflow.logger.exception("a message was given up", extra={"step": send.step_id})
            return False
        return True

    async def _perform(self, step: PerformInput) -> SendEmailInput | None:
        """Have a step done elsewhere; return its visit when every attempt has failed."""
        try:
            await workflow.execute_activity_method(
                StepContract.perform_step,
                step,
                task_queue=policies.BULK_QUEUE,
                start_to_close_timeout=policies.PERFORM.start_to_close,
                retry_policy=policies.PERFORM.retry,
            )
        except ActivityError:
            workflow.logger.exception("a step was given up", extra={"step": step.step_id})
            return SendEmailInput(step.intervention_id, step.step_id, step.occurrence)
        return None


def workflow_id(intervention_id: uuid.UUID) -> str:
    """Return the id of a run's workflow."""
    return f"intervention/{intervention_id}"
