"""Progress of runs: load, advance, write, in one transaction."""

import uuid

from pydantic import TypeAdapter
from temporalio import activity

from activities.contracts import (
    AdvanceInput,
    AdvanceResult,
    InterventionContract,
    PerformInput,
    SendEmailInput,
)
from activities.wakes import sit_out, wake_at
from domain.interpreter import advance
from domain.ports import Clock
from domain.run_state import Progress
from domain.vocabulary import InterventionState
from models.confirmations import hear_confirmations
from models.customer_state import lock_customer
from models.database import Database
from models.playbooks import PlaybookShelf
from models.progress import write_progress
from models.runs import customer_of, load_run, outcome_of
from models.send_ledger import give_up
from models.step_visits import Visit
from models.wakes import record_wake

RESULT: TypeAdapter[AdvanceResult] = TypeAdapter(AdvanceResult)


class InterventionActivities(InterventionContract):
    """Carries out `advance` on the system of record."""

    def __init__(self, database: Database, clock: Clock, shelf: PlaybookShelf) -> None:
        """Take the database, the clock, and the parsed playbooks of this process."""
        self._database = database
        self._clock = clock
        self._shelf = shelf

    @activity.defn(name="advance")
    async def advance(self, request: AdvanceInput) -> AdvanceResult:
        """Advance one run; a retried attempt returns what the first one stored."""
        return await self.look(request)

    async def look(self, request: AdvanceInput, *, sent: bool = False) -> AdvanceResult:
        """Advance one run. `sent` says that the message which this number ordered has been seen to."""
        now, wall = self._clock.now(), self._clock.wall_now()
        async with self._database.transaction() as session:
            await lock_customer(session, await customer_of(session, request.intervention_id))
            await hear_confirmations(session, request.intervention_id, now)
            if request.given_up is not None:
                given_up = request.given_up
                visit = Visit(request.intervention_id, given_up.step_id, given_up.occurrence)
                await give_up(session, visit, now)
            run = await load_run(session, request.intervention_id, self._shelf, now)
            if run.advance_seq == request.seq and run.last_result is not None:
                stored = RESULT.validate_python(run.last_result)
                if stored.send is None or not sent:
                    return stored
            if run.view.state is InterventionState.ENDED:
                return AdvanceResult(outcome=await outcome_of(session, request.intervention_id))
            await record_wake(session, "intervention", request.woken_for, self._clock)
            progress = advance(run.view, run.playbook, run.texts, now)
            result = self._result(request.intervention_id, progress)
            kept = RESULT.dump_python(result, mode="json")
            await write_progress(session, run, progress, request.seq, kept, now, wall)
        await sit_out(self._clock, result.wake)
        return result

    def _result(self, intervention_id: uuid.UUID, progress: Progress) -> AdvanceResult:
        if progress.ending is not None:
            return AdvanceResult(outcome=progress.ending.outcome)
        if progress.send is not None:
            order = progress.send
            return AdvanceResult(send=SendEmailInput(intervention_id, order.step_id, order.occurrence))
        if progress.perform is not None:
            wanted = progress.perform
            step = PerformInput(intervention_id, wanted.step_id, wanted.occurrence, wanted.kind)
            return AdvanceResult(perform=step)
        return AdvanceResult(wake=wake_at(self._clock, progress.wake_at, then=progress.expects))
