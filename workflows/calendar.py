"""The business clock's nights: one workflow that lives for ever and starts what is due."""

import datetime as dt

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError

from workflows import policies
from workflows.scoring import PortfolioScoringWorkflow, workflow_id
from workflows.waiting import Waiter

with workflow.unsafe.imports_passed_through():
    from activities.contracts_scoring import (
        CalendarContract,
        CalendarState,
        NextNightInput,
        NextNightResult,
        PlanShardsInput,
    )
    from domain.time import BusinessInstant

CALENDAR_ID = "calendar"


@workflow.defn(name="CalendarWorkflow")
class CalendarWorkflow:
    """Ask the clock, score the newest night that is due, wait for the next; skipped days stay so."""

    @workflow.init
    def __init__(self, state: CalendarState) -> None:
        """Take the state that was carried over."""
        self._state = state
        self._rung = False
        self._waiter = Waiter()

    @workflow.signal
    def ring(self) -> None:
        """Say that the clock has changed: ask it again."""
        self._rung = True

    @workflow.query
    def standing(self) -> CalendarState:
        """Return the last date that was handed to scoring."""
        return self._state

    @workflow.run
    async def run(self, _state: CalendarState) -> None:
        """Live for ever, in runs of a season."""
        woken_for: BusinessInstant | None = None
        while True:
            self._rung = False
            night = await self._ask(woken_for)
            woken_for = None
            if night.due_date is not None:
                await self._score(night.due_date)
            elif not await self._waiter.wait_until(night.wake.wall, self._was_rung):
                woken_for = night.wake.due
            if self._is_old():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(CalendarState(self._state.scored))

    def _was_rung(self) -> bool:
        return self._rung

    def _is_old(self) -> bool:
        """Tell whether this run's history should be left behind."""
        old = self._state.nights >= policies.NIGHTS_PER_RUN
        return old or workflow.info().is_continue_as_new_suggested()

    async def _ask(self, woken_for: BusinessInstant | None) -> NextNightResult:
        return await workflow.execute_activity_method(
            CalendarContract.next_night,
            NextNightInput(self._state.scored, woken_for),
            task_queue=policies.DECISIONS_QUEUE,
            start_to_close_timeout=policies.DECISION.start_to_close,
            retry_policy=policies.DECISION.retry,
        )

    async def _score(self, business_date: dt.date) -> None:
        """Score one date and wait for its end: a night that takes longer than a day delays the next."""
        self._state.scored = business_date
        self._state.nights += 1
        try:
            await workflow.execute_child_workflow(
                PortfolioScoringWorkflow.run,
                PlanShardsInput(business_date),
                id=workflow_id(business_date),
                task_queue=policies.SCORING_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                task_timeout=policies.WORKFLOW_TASK,
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("the night was scored before", extra={"date": business_date.isoformat()})
        except FailureError:
            workflow.logger.exception("the night's scoring failed", extra={"date": business_date.isoformat()})
