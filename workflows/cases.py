"""Cases, an unpaid invoice or a lost customer: the workflow decides when, activities decide what."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import policies
from workflows.waiting import Waiter

with workflow.unsafe.imports_passed_through():
    from activities.contracts import Wake
    from activities.contracts_cases import (
        LETTER,
        AdvanceCaseInput,
        AdvanceCaseResult,
        CaseContract,
        CaseMailContract,
        CaseOrder,
        CaseRunState,
    )
    from domain.case_vocabulary import CaseOutcome
    from domain.time import BusinessInstant


def say_order(order: CaseOrder) -> str:
    """Return an order in words for Temporal's web UI: of ours alone, nothing of the customer's."""
    return f"{order.step}, {order.occurrence}"


def say_next(result: AdvanceCaseResult) -> str:
    """Return what the case is at, for the same."""
    if result.order is not None:
        return f"Has this carried out: {say_order(result.order)}."
    if result.wake is None:
        return "Waits to be rung."
    return f"Waits until {result.wake.wall:%Y-%m-%d %H:%M} UTC on our machines' clock, or to be rung."


class CaseWorkflow:
    """Look, have done what is ordered, wait until due or rung, and again, until there is an outcome."""

    _state: CaseRunState

    def _begin(self, state: CaseRunState) -> None:
        self._state = state
        self._rung = False
        self._waiter = Waiter()

    async def _live(self) -> CaseOutcome:
        result = await self._advance()
        while result.outcome is None:
            workflow.set_current_details(say_next(result))
            if result.order is not None:
                given_up = None if await self._carry_out(result.order) else result.order
                result = await self._advance(given_up=given_up)
            else:
                result = await self._wait(result.wake)
        return result.outcome

    async def _wait(self, wake: Wake | None) -> AdvanceCaseResult:
        if workflow.info().is_continue_as_new_suggested():
            workflow.continue_as_new(self._state)
        lazily = wake is not None and wake.lazily
        rung = await self._waiter.wait_until(wake.wall if wake else None, self._was_rung, lazily=lazily)
        return await self._advance(None if rung or wake is None else wake.due)

    def _was_rung(self) -> bool:
        return self._rung

    async def _advance(
        self, woken_for: BusinessInstant | None = None, given_up: CaseOrder | None = None
    ) -> AdvanceCaseResult:
        """Have the case looked at. What was ordered goes first: the look after it knows what became of it."""
        self._rung = False
        self._state.seq += 1
        return await workflow.execute_activity_method(
            CaseContract.advance_case,
            AdvanceCaseInput(self._state.case_id, self._state.seq, woken_for, given_up),
            task_queue=policies.BILLING_QUEUE,
            start_to_close_timeout=policies.CASE_LOOK.start_to_close,
            retry_policy=policies.CASE_LOOK.retry,
            summary=f"Look {self._state.seq}",
        )

    async def _carry_out(self, order: CaseOrder) -> bool:
        """Have one order carried out; False when every attempt has failed."""
        contract, queue, policy = (
            (CaseMailContract.send_case_letter, policies.EMAIL_QUEUE, policies.SEND)
            if order.kind == LETTER
            else (CaseContract.perform_case_step, policies.BILLING_QUEUE, policies.CASE_DEED)
        )
        try:
            await workflow.execute_activity_method(
                contract,
                order,
                task_queue=queue,
                start_to_close_timeout=policy.start_to_close,
                retry_policy=policy.retry,
                summary=say_order(order),
            )
        except ActivityError:
            workflow.logger.exception("a step of a case was given up", extra={"step": order.step})
            return False
        return True


@workflow.defn(name="DunningWorkflow")
class DunningWorkflow(CaseWorkflow):
    """One invoice that is not paid, until it is, or until nothing more is tried."""

    @workflow.init
    def __init__(self, state: CaseRunState) -> None:
        """Take the state that was carried over."""
        self._begin(state)

    @workflow.signal
    def ring(self) -> None:
        """Something changed: look again."""
        self._rung = True

    @workflow.query
    def progress(self) -> CaseRunState:
        """Return where the case stands, for people who look at it."""
        return self._state

    @workflow.run
    async def run(self, _state: CaseRunState) -> CaseOutcome:
        """Live until the case has an outcome, and return it."""
        return await self._live()


@workflow.defn(name="WinBackWorkflow")
class WinBackWorkflow(CaseWorkflow):
    """One customer that has left, until they are back, or until nothing more is tried."""

    @workflow.init
    def __init__(self, state: CaseRunState) -> None:
        """Take the state that was carried over."""
        self._begin(state)

    @workflow.signal
    def ring(self) -> None:
        """Something changed: look again."""
        self._rung = True

    @workflow.query
    def progress(self) -> CaseRunState:
        """Return where the case stands, for people who look at it."""
        return self._state

    @workflow.run
    async def run(self, _state: CaseRunState) -> CaseOutcome:
        """Live until the case has an outcome, and return it."""
        return await self._live()
