import datetime as dt
from dataclasses import dataclass, field, replace

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.contracts import SendEmailResult
from activities.posting import Posting
from domain.time import BusinessInstant
from domain.vocabulary import ContactRole, EffectState, Purpose, StepState
from integrations.fake_email import FakeEmailSender
from integrations.faults import Fault, FaultPlan, FaultRule
from models.case_letters import CaseLetter, CasePost
from models.case_steps import CaseVisit
from models.cases import StoredCase
from models.contact_spending import spent_lately
from models.database import Database, Session
from tests.support.cases import OpenCase, letterhead, open_one

pytestmark = pytest.mark.integration
NIGHT = BusinessInstant(dt.datetime(2026, 3, 4, 23, tzinfo=dt.UTC))
REMINDER = CaseLetter("stay-in-touch", Purpose.TRANSACTIONAL, (ContactRole.BILLING, ContactRole.CHAMPION))


@dataclass
class Desk:
    """A case, its letter, and who sends it."""

    case: OpenCase
    sender: FakeEmailSender
    letter: CaseLetter = REMINDER
    asked: list[str] = field(default_factory=list)

    async def send(self) -> SendEmailResult:
        posting = Posting(self.case.database, self.case.clock, self.sender, letterhead())
        post = CasePost(self.case.visit, self._write)
        result: SendEmailResult = await ActivityEnvironment().run(posting.deliver, post)
        return result

    async def _write(
        self, _session: Session, _case: StoredCase, visit: CaseVisit, _now: BusinessInstant
    ) -> CaseLetter:
        self.asked.append(visit.step)
        return self.letter


async def desk(database: Database, now: BusinessInstant | None = None, *faults: Fault) -> Desk:
    case = await (open_one(database) if now is None else open_one(database, now=now))
    plan = FaultPlan()
    for fault in faults:
        plan.put(FaultRule("", fault, 1))
    return Desk(case, FakeEmailSender(faults=plan))


async def test_a_letter_of_a_case_goes_to_the_first_role_that_is_there_and_counts_for_its_topic(
    database: Database,
) -> None:
    at = await desk(database)
    at.letter = replace(REMINDER, purpose=Purpose.LIFECYCLE)
    assert (await at.send()).state == "sent"
    assert (await at.send()).state == "sent"
    (message,) = at.sender.accepted
    assert message.to.email == "ann@acme.example"
    assert message.categories == ("dunning", "lifecycle")
    record = await at.case.record()
    assert (record.state, record.finished_at) == (StepState.DONE, at.case.clock.now())
    async with database.transaction() as session:
        (spent,) = await spent_lately(session, at.case.scene.customer_id, at.case.clock.now())
    assert spent.topic == "dunning"


async def test_a_transactional_letter_goes_out_at_night_and_an_optional_one_waits_for_open_hours(
    database: Database,
) -> None:
    at = await desk(database, NIGHT)
    at.letter = replace(REMINDER, purpose=Purpose.MARKETING)
    assert await at.send() == SendEmailResult("deferred", "quiet_hours")
    record = await at.case.record()
    assert record.state is StepState.DEFERRED
    assert record.due_at is not None
    assert dt.timedelta(hours=10) <= record.due_at - NIGHT < dt.timedelta(hours=18)
    at.letter = REMINDER
    assert (await at.send()).state == "sent"


async def test_a_letter_that_is_not_wanted_any_more_is_left_out_with_its_reason(database: Database) -> None:
    at = await desk(database)
    at.letter = replace(REMINDER, still_wanted=False)
    assert await at.send() == SendEmailResult("refused", "no_longer_wanted")
    assert (await at.case.record()).state is StepState.SKIPPED
    assert at.sender.accepted == []


async def test_a_case_that_ends_between_claim_and_send_takes_its_letter_back(database: Database) -> None:
    at = await desk(database, None, Fault.UNAVAILABLE)
    with pytest.raises(ApplicationError):
        await at.send()
    await at.case.end()
    assert await at.send() == SendEmailResult("failed")
    assert at.sender.accepted == []
    (effect,) = await at.case.effects()
    assert effect.state is EffectState.FAILED


async def test_what_the_provider_took_before_its_answer_was_lost_is_found_and_not_sent_again(
    database: Database,
) -> None:
    at = await desk(database, None, Fault.ACCEPT_THEN_DROP)
    with pytest.raises(ApplicationError, match="nobody knows yet"):
        await at.send()
    await at.case.lose_the_lease()
    assert (await at.send()).state == "sent"
    assert len(at.sender.accepted) == 1
    assert (await at.case.record()).state is StepState.DONE


async def test_a_doubt_about_an_optional_letter_is_put_to_a_person_and_waited_for_a_day(
    database: Database,
) -> None:
    at = await desk(database, None, Fault.ACCEPT_THEN_DROP)
    at.sender.has_look_up = False
    at.letter = replace(REMINDER, purpose=Purpose.LIFECYCLE)
    assert await at.send() == SendEmailResult("uncertain", "parked")
    (task,) = await at.case.tasks()
    assert task.case_id == at.case.case_id
    record = await at.case.record()
    assert record.due_at == at.case.clock.now() + dt.timedelta(days=1)
    assert (await at.send()).state == "uncertain"
    assert len(at.sender.accepted) == 1
