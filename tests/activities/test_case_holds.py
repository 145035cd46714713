"""While a person holds a case nothing is decided, written or charged; then it goes on."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from activities.cases import CaseActivities
from activities.contracts_cases import AdvanceCaseInput, AdvanceCaseResult, CaseOrder
from activities.posting import Posting
from domain.case_vocabulary import CaseKind, CaseOutcome, CaseState
from domain.errors import ConflictError, InvalidInputError
from domain.time import BusinessInstant, WallInstant, after
from domain.vocabulary import ContactRole, Purpose, StepState
from integrations.fake_email import FakeEmailSender
from models.case_control import hold_case, look_again, resume_case, stop_case
from models.case_letters import CaseLetter, CasePost
from models.case_steps import CaseVisit
from models.cases import CaseProgress, StoredCase, at_rest, read_case
from models.database import Database, Session
from models.hands import Hand
from models.tables.ledger import DecisionRow
from models.tables.workflows import WorkflowOrderRow
from tests.support.cases import OpenCase, Till, letterhead, open_one

pytestmark = pytest.mark.integration
WHY = "they dispute the amount"
REMINDER = CaseLetter("stay-in-touch", Purpose.TRANSACTIONAL, (ContactRole.BILLING, ContactRole.CHAMPION))


@dataclass
class Patient:
    """A motion that waits a day at each look, and keeps a memory of its own that knows nothing of holds."""

    looks: int = 0
    decided: list[str] = field(default_factory=list)
    during: Any = None
    """Happens between a look and its decision."""

    async def look(self, _case: StoredCase) -> Any:
        self.looks += 1
        if self.during is not None:
            await self.during()

    async def decide(
        self, _session: Session, case: StoredCase, _seen: Any, now: BusinessInstant, _wall: WallInstant
    ) -> CaseProgress:
        self.decided.append(case.stage)
        return CaseProgress(
            {"looks": self.looks}, "waiting", "Wait", wake_at=after(now, dt.timedelta(days=1))
        )

    async def perform(self, order: CaseOrder) -> str:
        return order.step

    def post(self, order: CaseOrder) -> CasePost:
        return CasePost(CaseVisit(order.case_id, order.step), _write)


async def _write(
    _session: Session, _case: StoredCase, _visit: CaseVisit, _now: BusinessInstant
) -> CaseLetter:
    return REMINDER


def hand(case: OpenCase) -> Hand:
    return Hand("Ada Osei", None, case.clock.now(), case.clock.wall_now())


async def hold(case: OpenCase) -> None:
    async with case.database.transaction() as session:
        await hold_case(session, case.case_id, WHY, hand(case))


async def resume(case: OpenCase) -> None:
    async with case.database.transaction() as session:
        await resume_case(session, case.case_id, hand(case))


async def stored(case: OpenCase) -> StoredCase:
    async with case.database.transaction() as session:
        return await read_case(session, case.case_id)


async def advance(case: OpenCase, motion: Patient, seq: int) -> AdvanceCaseResult:
    activities = CaseActivities(case.database, case.clock, {CaseKind.DUNNING: motion})
    request = AdvanceCaseInput(case.case_id, seq)
    result: AdvanceCaseResult = await ActivityEnvironment().run(activities.advance_case, request)
    return result


async def test_a_case_that_a_person_holds_is_neither_looked_at_nor_decided(database: Database) -> None:
    case, motion = await open_one(database), Patient()
    await hold(case)
    assert await advance(case, motion, 1) == AdvanceCaseResult()
    assert (motion.looks, motion.decided) == (0, [])
    held = await stored(case)
    assert (held.state, held.held_reason) == (CaseState.HELD, f"Held by Ada Osei: {WHY}")
    assert held.hold is not None
    assert held.hold.since == case.clock.now()


async def test_a_hold_that_falls_between_look_and_decision_wins_over_both(database: Database) -> None:
    case = await open_one(database)
    motion = Patient()
    motion.during = lambda: hold(case)
    assert (await advance(case, motion, 1)).wake is None
    assert motion.decided == []
    assert (await stored(case)).state is CaseState.HELD


async def test_after_a_hold_the_case_looks_again_and_remembers_nothing_of_it(database: Database) -> None:
    case, motion = await open_one(database), Patient()
    await hold(case)
    await advance(case, motion, 1)
    await resume(case)
    result = await advance(case, motion, 2)
    assert result.wake is not None
    assert motion.decided == ["new"]
    going = await stored(case)
    assert (going.state, going.hold, going.memory) == (CaseState.OPEN, None, {"looks": 1})
    assert at_rest(going, case.clock.now()).wake_at == case.clock.now(), "no look is lost between the two"


async def test_what_was_ordered_before_a_hold_is_put_off_and_done_after_it(database: Database) -> None:
    case, till = await open_one(database), Till()
    await hold(case)
    await case.do(till)
    assert till.taken == []
    assert (await case.record()).state is StepState.DEFERRED
    await resume(case)
    await case.do(till)
    assert len(till.taken) == 1
    assert (await case.record()).state is StepState.DONE


async def test_a_letter_waits_for_the_end_of_a_hold_too(database: Database) -> None:
    case, sender = await open_one(database), FakeEmailSender()
    posting = Posting(database, case.clock, sender, letterhead())
    post = CasePost(case.visit, _write)
    await hold(case)
    await ActivityEnvironment().run(posting.deliver, post)
    assert sender.accepted == []
    assert (await case.record()).state is StepState.DEFERRED
    await resume(case)
    await ActivityEnvironment().run(posting.deliver, post)
    assert len(sender.accepted) == 1


async def test_each_act_stands_in_the_ledger_with_a_name_and_rings_the_case(database: Database) -> None:
    case = await open_one(database)
    by = hand(case)
    async with database.transaction() as session:
        await hold_case(session, case.case_id, WHY, by)
        await look_again(session, case.case_id, by)
        await resume_case(session, case.case_id, by)
        await stop_case(session, case.case_id, CaseOutcome.WRITTEN_OFF, "they are insolvent", by)
    async with database.transaction() as session:
        done = (await session.scalars(select(DecisionRow).where(DecisionRow.reason == "by_a_person"))).all()
        rings = (await session.scalars(select(WorkflowOrderRow.case_id))).all()
    assert {one.action for one in done} == {"hold_case", "ring_case", "resume_case", "stop_case"}
    assert all("Ada Osei" in one.sentence and one.case_id == case.case_id for one in done)
    assert rings.count(case.case_id) == len(done) + 1, "the opening rings once"
    ended = await stored(case)
    assert (ended.state, ended.outcome) == (CaseState.ENDED, CaseOutcome.WRITTEN_OFF)


async def test_the_impossible_is_refused_in_words(database: Database) -> None:
    case = await open_one(database)
    by = hand(case)
    with pytest.raises(ConflictError, match="it is not held"):
        await resume(case)
    with pytest.raises(InvalidInputError, match="reason"):
        async with database.transaction() as session:
            await hold_case(session, case.case_id, "  ", by)
    with pytest.raises(InvalidInputError, match="written_off, stopped"):
        async with database.transaction() as session:
            await stop_case(session, case.case_id, CaseOutcome.RECOVERED, "no", by)
    await hold(case)
    with pytest.raises(ConflictError, match="Ada Osei holds it already"):
        await hold(case)
    await case.end()
    with pytest.raises(ConflictError, match="it has ended"):
        await resume(case)
