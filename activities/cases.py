"""Cases: gather the evidence, decide, and write it down in one transaction; then carry one order out."""

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import TypeAdapter
from temporalio import activity

from activities.contracts_cases import (
    AdvanceCaseInput,
    AdvanceCaseResult,
    CaseContract,
    CaseMailContract,
    CaseOrder,
)
from activities.posting import Posting
from activities.wakes import sit_out, wake_at
from domain.case_vocabulary import CaseKind, CaseState
from domain.ports import Clock
from domain.time import BusinessInstant, WallInstant
from models.case_steps import CaseVisit, give_up_visit
from models.case_watch import hear_of_letters
from models.cases import CaseProgress, StoredCase, kind_of, load_case, read_case, write_case
from models.database import Database, Session
from models.posts import Post
from models.wakes import record_wake

RESULT: TypeAdapter[AdvanceCaseResult] = TypeAdapter(AdvanceCaseResult)


class Motion(Protocol):
    """How one kind of case is handled."""

    async def look(self, case: StoredCase) -> Any:
        """Gather evidence outside any transaction; TransientProviderError: ask again."""
        ...

    async def decide(
        self,
        session: Session,
        case: StoredCase,
        seen: Any,
        now: BusinessInstant,
        wall: WallInstant,
    ) -> CaseProgress:
        """Decide what comes next, with the customer locked; what is written is in this transaction."""
        ...

    async def perform(self, order: CaseOrder) -> str:
        """Carry out a deed exactly once, and return what became of it; safe to repeat at any point."""
        ...

    def post(self, order: CaseOrder) -> Post:
        """Return the letter of an order."""
        ...


Motions = Mapping[CaseKind, Motion]


class CaseActivities(CaseContract):
    """Advances cases and does their deeds, each kind by its motion."""

    def __init__(self, database: Database, clock: Clock, motions: Motions) -> None:
        """Take the motions by the kind of case that they handle."""
        self._database, self._clock, self._motions = database, clock, motions

    @activity.defn(name="advance_case")
    async def advance_case(self, request: AdvanceCaseInput) -> AdvanceCaseResult:
        """Advance one case; a retried attempt returns what the first one stored."""
        async with self._database.transaction() as session:
            before = await read_case(session, request.case_id)
        known = _known(before, request)
        if known is not None:
            return known
        motion = self._motions[before.kind]
        seen = await motion.look(before)
        now, wall = self._clock.now(), self._clock.wall_now()
        async with self._database.transaction() as session:
            case = await load_case(session, request.case_id)
            known = _known(case, request)
            if known is not None:
                return known
            await hear_of_letters(session, case.id, now)
            if request.given_up is not None:
                lost = request.given_up
                await give_up_visit(session, CaseVisit(lost.case_id, lost.step, lost.occurrence), now)
            await record_wake(session, case.kind.value, request.woken_for, self._clock)
            progress = await motion.decide(session, case, seen, now, wall)
            result = self._result(case, progress)
            kept = RESULT.dump_python(result, mode="json")
            await write_case(session, case, progress, request.seq, kept, now, wall)
        await sit_out(self._clock, result.wake)
        return result

    @activity.defn(name="perform_case_step")
    async def perform_case_step(self, order: CaseOrder) -> str:
        """Do what was ordered, unless it is done or nobody wants it any more."""
        async with self._database.transaction() as session:
            kind = await kind_of(session, order.case_id)
        return await self._motions[kind].perform(order)

    def _result(self, case: StoredCase, progress: CaseProgress) -> AdvanceCaseResult:
        if progress.ending is not None:
            return AdvanceCaseResult(outcome=progress.ending.outcome)
        if progress.step is not None:
            step = progress.step
            return AdvanceCaseResult(order=CaseOrder(case.id, step.kind, step.step, step.occurrence))
        return AdvanceCaseResult(wake=wake_at(self._clock, progress.wake_at))


class CaseMailActivities(CaseMailContract):
    """Sends the letters of cases, as those of runs are sent."""

    def __init__(self, database: Database, posting: Posting, motions: Motions) -> None:
        """Take how letters are handed over, and who writes them."""
        self._database, self._posting, self._motions = database, posting, motions

    @activity.defn(name="send_case_letter")
    async def send_case_letter(self, order: CaseOrder) -> str:
        """Send one letter, or say why not; safe to repeat at any point."""
        async with self._database.transaction() as session:
            kind = await kind_of(session, order.case_id)
        done = await self._posting.deliver(self._motions[kind].post(order))
        return f"{done.state} {done.reason}".strip()


def _known(case: StoredCase, request: AdvanceCaseInput) -> AdvanceCaseResult | None:
    """Return what an earlier attempt stored, or that the case is over; None where there is to be decided."""
    if case.state is CaseState.ENDED:
        return AdvanceCaseResult(outcome=case.outcome)
    if case.advance_seq == request.seq and case.last_result is not None:
        return RESULT.validate_python(case.last_result)
    return None
