"""Unpaid invoices from the refused charge to the end, on the time-skipping server with real Postgres."""

import datetime as dt

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata

from domain.billing import Collection, Decline, FinalAction, InvoiceStatus
from domain.case_vocabulary import AttemptResult, CaseOutcome, CaseState, PaidBy
from domain.dunning_policy import DunningPolicy
from domain.errors import UncertainDeliveryError
from domain.time import BusinessInstant
from domain.vocabulary import TaskState
from models.database import Database
from tests.support.billing import OTHER
from tests.support.debtors import Debtor
from tests.support.loop import Loop, running_loop
from tests.support.scenario import Scenario
from tests.workflows.conftest import begin

pytestmark = pytest.mark.cadence


@pytest.fixture
async def debtor(loop: Loop, scene: Scenario) -> Debtor:
    return await Debtor(loop, scene).begin()


async def test_a_card_that_refuses_twice_is_charged_a_third_time_and_the_money_counts_as_recovered(
    loop: Loop, debtor: Debtor
) -> None:
    loop.billing.refusals["card_1"] = ["insufficient_funds", "insufficient_funds"]
    await debtor.owe()
    await loop.live(10)
    case, money = await debtor.case(), await debtor.dunning()
    assert (case.state, case.outcome) == (CaseState.ENDED, CaseOutcome.RECOVERED)
    assert (money.recovered_minor, money.recovered_by) == (120_50, PaidBy.EVERSTAY)
    assert [one.result.succeeded for one in loop.billing.charges] == [False, False, True]
    assert len({one.delivery_id for one in loop.billing.charges}) == 3
    ours = [one.result for one in await debtor.attempts() if one.by is PaidBy.EVERSTAY]
    assert ours == [AttemptResult.DECLINED, AttemptResult.DECLINED, AttemptResult.SUCCEEDED]


async def test_a_hard_refusal_asks_for_another_card_at_once_and_charges_the_new_one(
    loop: Loop, debtor: Debtor
) -> None:
    await debtor.owe(decline=Decline("expired_card"))
    await loop.live(3)
    assert debtor.letters()[0] == "Please give us another card for invoice R-117"
    assert "https://till.example/pay/in_1" in loop.sender.accepted[0].text
    assert loop.billing.charges == []
    loop.billing.change("in_1", method=OTHER)
    await loop.live(2)
    assert [one.card for one in loop.billing.charges] == ["card_2"]
    assert (await debtor.case()).outcome is CaseOutcome.RECOVERED


async def test_when_the_customer_pays_on_the_third_day_nothing_leaves_any_more(
    loop: Loop, debtor: Debtor
) -> None:
    loop.billing.always["card_1"] = "insufficient_funds"
    await debtor.owe()
    await loop.live(3)
    loop.billing.pay("in_1")
    await debtor.tell()
    charges, letters = len(loop.billing.charges), len(debtor.letters())
    case, money = await debtor.case(), await debtor.dunning()
    assert (case.outcome, money.recovered_by) == (CaseOutcome.RECOVERED, PaidBy.CUSTOMER)
    await loop.live(20)
    assert (len(loop.billing.charges), len(debtor.letters())) == (charges, letters)


async def test_when_nothing_is_left_to_try_the_final_notice_goes_out_and_then_the_final_action(
    loop: Loop, scene: Scenario
) -> None:
    policy = DunningPolicy(final_action=FinalAction.CANCEL)
    debtor = await Debtor(loop, scene).begin(policy=policy)
    loop.billing.always["card_1"] = "insufficient_funds"
    await debtor.owe()
    await loop.live(25)
    assert loop.billing.ended == [("sub_1", FinalAction.CANCEL)]
    assert (await debtor.case()).outcome is CaseOutcome.EXHAUSTED
    assert len(loop.billing.charges) == policy.retries.attempts
    assert debtor.letters()[-1] == "Last notice about invoice R-117"
    assert "your subscription ends on" in loop.sender.accepted[-1].text


async def test_a_dispute_holds_the_case_and_its_end_lets_it_go_on(loop: Loop, debtor: Debtor) -> None:
    loop.billing.always["card_1"] = "insufficient_funds"
    await debtor.owe(is_disputed=True)
    await loop.live(10)
    case = await debtor.case()
    assert case.state is CaseState.HELD
    assert "disputed" in (case.held_reason or "")
    assert (loop.billing.charges, debtor.letters()) == ([], [])
    loop.billing.change("in_1", is_disputed=False)
    await loop.live(5)
    assert (await debtor.case()).state is CaseState.OPEN
    assert loop.billing.charges
    assert debtor.letters()


async def test_a_part_that_is_paid_begins_the_schedule_anew_and_letters_name_the_rest(
    loop: Loop, debtor: Debtor
) -> None:
    loop.billing.always["card_1"] = "insufficient_funds"
    await debtor.owe()
    await loop.live(10)
    loop.billing.pay("in_1", 100_00)
    await debtor.tell()
    await loop.live(1)
    money = await debtor.dunning()
    assert (money.remaining_minor, money.recovered_minor) == (20_50, 100_00)
    assert loop.clock.now() - money.anchored_at <= dt.timedelta(days=2)
    await loop.live(5)
    assert "$20.50" in loop.sender.accepted[-1].text
    assert (await debtor.case()).state is CaseState.OPEN


async def test_where_the_provider_retries_we_write_and_never_charge(loop: Loop, scene: Scenario) -> None:
    debtor = await Debtor(loop, scene).begin(retries="provider")
    in_two_days = BusinessInstant(loop.clock.now() + dt.timedelta(days=2))
    await debtor.owe(next_attempt_at=in_two_days)
    await loop.live(1.5)
    loop.billing.change("in_1", attempts=2)
    loop.billing.pay("in_1")
    await loop.live(2)
    case, money = await debtor.case(), await debtor.dunning()
    assert (case.outcome, money.recovered_by) == (CaseOutcome.RECOVERED, PaidBy.PROVIDER)
    assert loop.billing.charges == []
    assert debtor.letters() == ["A payment did not go through: invoice R-117"]


async def test_two_collectors_hold_the_case_and_ask_a_person_once(loop: Loop, debtor: Debtor) -> None:
    later = BusinessInstant(loop.clock.now() + dt.timedelta(days=30))
    await debtor.owe(next_attempt_at=later)
    await loop.live(4)
    assert (await debtor.case()).state is CaseState.HELD
    assert loop.billing.charges == []
    assert [task.title for task in await debtor.tasks()] == ["Decide who tries failed charges again"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_charge_whose_sender_dies_before_or_after_it_is_taken_is_made_once(
    loop: Loop, debtor: Debtor, when: str
) -> None:
    def die() -> None:
        raise UncertainDeliveryError(provider="till", reason="the line went dead")

    setattr(loop.billing, when, die)
    await debtor.owe()
    await loop.live(5)
    assert len(loop.billing.charges) == 1
    assert (await debtor.case()).outcome is CaseOutcome.RECOVERED
    assert (await debtor.dunning()).recovered_by is PaidBy.EVERSTAY


async def test_transfers_are_reminded_before_and_after_the_due_date_and_then_a_person_calls(
    loop: Loop, debtor: Debtor
) -> None:
    now = loop.clock.now()
    due = BusinessInstant(now + dt.timedelta(days=5))
    await debtor.owe(collection=Collection.TRANSFER, due_at=due, attempts=0, decline=None, method=None)
    assert await debtor.cases() == 0
    await loop.live(17)
    assert loop.billing.charges == []
    said = [" was due " in subject for subject in debtor.letters()]
    assert said == [False, True, True]
    assert [task.title for task in await debtor.tasks()] == ["Call about an unpaid invoice"]
    loop.billing.pay("in_1")
    await debtor.tell(failed_attempts=0)
    assert (await debtor.case()).outcome is CaseOutcome.RECOVERED
    assert [task.state for task in await debtor.tasks()] == [TaskState.CANCELLED]


async def test_an_amount_for_a_person_is_escalated_and_its_task_stays(loop: Loop, scene: Scenario) -> None:
    policy = DunningPolicy(final_action=FinalAction.CANCEL, escalate_from={"USD": 100_00})
    debtor = await Debtor(loop, scene).begin(policy=policy)
    await debtor.owe(decline=Decline("stolen_card"))
    await loop.live(25)
    assert (await debtor.case()).outcome is CaseOutcome.ESCALATED
    assert loop.billing.ended == []
    assert [(task.title, task.state) for task in await debtor.tasks()] == [
        ("Decide about an unpaid invoice", TaskState.OPEN)
    ]
    assert loop.billing.charges == []
    assert not any("another card for" in subject for subject in debtor.letters())


async def test_a_void_invoice_stops_its_case(loop: Loop, debtor: Debtor) -> None:
    await debtor.owe()
    loop.billing.change("in_1", status=InvoiceStatus.VOID)
    await debtor.tell()
    assert (await debtor.case()).outcome is CaseOutcome.STOPPED


async def test_an_installation_that_only_observes_plans_and_sends_nothing(database: Database) -> None:
    async with running_loop(database, released=False) as loop:
        debtor = await Debtor(loop, await begin(loop)).begin()
        await debtor.owe(decline=Decline("expired_card"))
        await loop.live(10)
        assert (loop.billing.charges, debtor.letters()) == ([], [])
        observed = await debtor.decisions("observed")
        assert [one.reason for one in observed] == ["payment-card-update"]
        assert (await debtor.case()).state is CaseState.OPEN


async def test_a_workflow_says_on_temporals_page_what_its_case_is_at(loop: Loop, debtor: Debtor) -> None:
    loop.billing.always["card_1"] = "insufficient_funds"
    await debtor.owe()
    await loop.live(2)
    handle = loop.client.get_workflow_handle((await debtor.case()).workflow_id)
    told = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert told.current_details.startswith("Waits until 20")
