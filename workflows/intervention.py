"""One run of one playbook version for one customer. It decides when; the interpreter decides what."""

import uuid
from dataclasses import replace

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
        SendEmailResult,
        StepContract,
        Wake,
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
        result = await self._begin()
        while result.outcome is None:
            if result.send is not None:
                result = await self._send(result.send)
            elif result.perform is not None:
                result = await self._advance(given_up=await self._perform(result.perform))
            else:
                result = await self._wait(result.wake)
        return result.outcome

    async def _begin(self) -> AdvanceResult:
        """Take the first steps; where a message may be among them, look where messages are sent."""
        opens_with, self._state.opens_with = self._state.opens_with, None
        wake, self._state.wake = self._state.wake, None
        if wake is not None:
            return await self._wait(wake)
        return await (self._advance() if opens_with is None else self._look_and_send(opens_with))

    async def _wait(self, wake: Wake | None) -> AdvanceResult:
        """Wait until due or rung, then look again."""
        if workflow.info().is_continue_as_new_suggested():
            workflow.continue_as_new(self._state)
        rung = await self._waiter.wait_until(
            wake.wall if wake else None, self._was_rung, lazily=wake is not None and wake.lazily
        )
        if rung or wake is None:
            return await self._advance()
        if wake.then is not None:
            return await self._look_and_send(wake.then, wake.due)
        return await self._advance(wake.due)

    def _was_rung(self) -> bool:
        return self._rung

    async def _advance(
        self, woken_for: BusinessInstant | None = None, given_up: SendEmailInput | None = None
    ) -> AdvanceResult:
        """Have the interpreter look."""
        self._rung = False
        self._state.seq += 1
        return await workflow.execute_activity_method(
            InterventionContract.advance,
            AdvanceInput(self._state.intervention_id, self._state.seq, woken_for, given_up),
            task_queue=policies.DECISIONS_QUEUE,
            start_to_close_timeout=policies.DECISION.start_to_close,
            retry_policy=policies.DECISION.retry,
        )

    async def _look_and_send(self, step_id: str, woken_for: BusinessInstant | None = None) -> AdvanceResult:
        """Look, send what is then asked for, and look again, in one activity."""
        order = SendEmailInput(self._state.intervention_id, step_id, 0, looks_first=True, woken_for=woken_for)
        sent = await self._deliver(order)
        return sent.next if sent is not None and sent.next is not None else await self._advance()

    async def _send(self, order: SendEmailInput) -> AdvanceResult:
        """Let the sending activity do its work; a message that was given up is left behind."""
        self._state.sent.append(f"{order.step_id}/{order.occurrence}")
        sent = await self._deliver(order)
        if sent is None:
            return await self._advance(given_up=order)
        return sent.next if sent.next is not None else await self._advance()

    async def _deliver(self, order: SendEmailInput) -> SendEmailResult | None:
        """Have a message sent, and the run advanced behind it; None when every attempt has failed."""
        self._rung = False
        self._state.seq += 1
        try:
            return await workflow.execute_activity_method(
                MessagingContract.send_email,
                replace(order, seq=self._state.seq),
                task_queue=policies.EMAIL_QUEUE,
                start_to_close_timeout=policies.SEND.start_to_close,
                retry_policy=policies.SEND.retry,
            )
        except ActivityError:
            workflow.logger.exception("a message was given up", extra={"step": order.step_id})
            return None

    async def _perform(self, step: PerformInput) -> SendEmailInput | None:
        """Have a step done elsewhere; return its visit when every attempt has failed."""
        try:
            await workflow.execute_activity_method(
                StepContract.perform_step,
                step,
                task_queue=policies.BULK_QUEUE,
                start_to_close_timeout=policies.PERFORM.start_to_close,
                heartbeat_timeout=policies.PERFORM.heartbeat,
                retry_policy=policies.PERFORM.retry,
            )
        except ActivityError:
            workflow.logger.exception("a step was given up", extra={"step": step.step_id})
            return SendEmailInput(step.intervention_id, step.step_id, step.occurrence)
        return None


def workflow_id(intervention_id: uuid.UUID) -> str:
    """Return the id of a run's workflow."""
    return f"intervention/{intervention_id}"
