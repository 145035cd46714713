"""Lost customers on the time-skipping server: months of letters and offers in seconds, with real Postgres."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import update

from domain.case_vocabulary import CaseOutcome, CaseState, OfferState
from domain.links import LinkMaker
from domain.offer_policy import OfferPolicy
from domain.time import WallInstant
from domain.trials import Arm
from domain.vocabulary import TaskOutcome, TaskState, TouchTier
from domain.win_back_policy import WinBackPolicy
from models.database import Database
from models.opt_outs import OWN_PAGE, record_consent
from models.tables.customers import ContactRow
from models.tables.system import InstallationRow
from models.tables.trials import AssignmentRow
from tests.support.discounts import DiscountDesk, Lost, begin_lost
from tests.support.loop import running_loop

pytestmark = pytest.mark.cadence
EVERYBODY = WinBackPolicy(holdout_share=0)


@asynccontextmanager
async def lost(
    database: Database,
    policy: WinBackPolicy = EVERYBODY,
    bill_months: int | None = None,
    **customer: object,
) -> AsyncIterator[Lost]:
    desk = DiscountDesk()
    async with running_loop(database, motions=desk.motions) as loop:
        yield await begin_lost(loop, desk, policy, bill_months, **customer)


async def test_five_letters_go_out_on_their_days_the_later_ones_with_offers_and_then_the_case_is_lost(
    database: Database,
) -> None:
    async with lost(database) as gone:
        await gone.leave()
        await gone.live(90)
        left = (await gone.win_back()).cancelled_at
        sent = sorted(one.occurred_at for one in await gone.scene.touchpoints() if one.case_id)
        assert [(at.date() - left.date()).days for at in sent] == [1, 7, 21, 45, 77]
        assert [order.percent for order in gone.desk.orders.values()] == [10, 20]
        (question,) = [one for one in await gone.scene.tasks() if one.kind == "offer"]
        assert (question.title[:13], question.state) == ("Agree to 25 %", TaskState.CANCELLED)
        texts = [message.text for message in gone.loop.sender.accepted]
        codes = [re.findall(r"BACK-[0-9]", text)[:1] for text in texts]
        assert codes == [[], [], ["BACK-1"], ["BACK-2"], []]
        links = [re.findall(r"http://everstay.example(/billing/\S+)", text) for text in texts]
        read = [LinkMaker("", "a secret of the tests").billing_of(link.split("/")[-1]) for [link] in links]
        (ann,) = await gone.scene.rows(ContactRow)
        wanted = [((await gone.case()).id, ann.id, at.date()) for at in sent]
        assert [(one.case_id, one.contact_id, one.written_on) for one in read if one] == wanted
        assert (await gone.case()).state is CaseState.OPEN
        await gone.live(90)
        case = await gone.case()
        assert (case.state, case.outcome) == (CaseState.ENDED, CaseOutcome.LOST)
        assert {one.state for one in await gone.offers()} == {OfferState.EXPIRED}
        assert len(gone.loop.sender.accepted) == 5


async def test_who_paid_a_year_at_once_is_offered_the_same_money_off_one_bill(database: Database) -> None:
    async with lost(database, bill_months=12) as gone:
        await gone.leave()
        await gone.live(22)
        (order,), (offer,) = gone.desk.orders.values(), await gone.offers()
        assert (offer.percent, offer.months, offer.cost_minor) == (10, 3, 120_000)
        assert (order.percent, order.months) == (None, None)
        assert (order.amount_minor, order.currency) == (120_000, "USD")
        assert offer.evidence["amount"] == "taken off one invoice, since they pay 12 months at once"


async def test_an_offer_used_on_day_22_brings_them_back_and_is_ours(database: Database) -> None:
    async with lost(database) as gone:
        await gone.leave()
        await gone.live(22)
        gone.desk.use()
        await gone.come_back()
        await gone.live(1)
        case, won = await gone.case(), await gone.win_back()
        assert (case.state, case.outcome) == (CaseState.ENDED, CaseOutcome.REACTIVATED)
        assert (won.is_attributed, won.returned_arr_minor) == (True, 4_800_000)
        (offer,) = await gone.offers()
        assert (offer.state, offer.code) == (OfferState.REDEEMED, "BACK-1")
        assert gone.desk.withdrawn == []
        handle = gone.loop.client.get_workflow_handle(case.workflow_id)
        assert await handle.result() == CaseOutcome.REACTIVATED
        await gone.live(60)
        assert len([one for one in await gone.scene.touchpoints() if one.case_id]) == 3


async def test_who_comes_back_without_the_offer_has_it_taken_back_and_counts_as_touched(
    database: Database,
) -> None:
    async with lost(database) as gone:
        await gone.leave()
        await gone.live(23)
        await gone.come_back()
        await gone.live(1)
        assert gone.desk.withdrawn == ["promo_1"]
        assert [one.state for one in await gone.offers()] == [OfferState.WITHDRAWN]
        assert (await gone.case()).outcome is CaseOutcome.REACTIVATED
        assert (await gone.win_back()).is_attributed is True


async def test_nothing_leaves_for_who_is_back_on_the_day_before_the_letter(database: Database) -> None:
    async with lost(database) as gone:
        await gone.leave()
        await gone.live(6)
        before = len(gone.loop.sender.accepted)
        assert before == 1
        await gone.come_back()
        case = await gone.case()
        assert (case.state, case.outcome) == (CaseState.ENDED, CaseOutcome.REACTIVATED)
        await gone.live(30)
        assert len([one for one in await gone.scene.touchpoints() if one.case_id]) == before


async def test_whom_chance_leaves_alone_has_a_case_that_sends_nothing_and_ends_the_same_way(
    database: Database,
) -> None:
    async with lost(database, holdout=True) as gone:
        await gone.scene.change(holdout=True)
        await _hold_out(gone)
        await gone.leave()
        won = await gone.win_back()
        assert won.is_held_out
        (drawn,) = await gone.scene.rows(AssignmentRow)
        assert drawn.arm == Arm.GLOBAL_HOLDOUT
        await gone.live(90)
        assert gone.loop.sender.accepted == []
        await gone.come_back()
        assert (await gone.case()).outcome is CaseOutcome.REACTIVATED
        assert (await gone.win_back()).is_attributed is False


async def _hold_out(gone: Lost) -> None:
    """Put everybody into the holdout of everything, as an installation does."""

    async with gone.loop.database.transaction() as session:
        await session.execute(update(InstallationRow).values(holdout_share=0.999999))


async def test_who_asked_not_to_be_contacted_hears_nothing_and_is_still_known_to_be_lost(
    database: Database,
) -> None:
    async with lost(database, do_not_contact=True) as gone:
        await gone.leave()
        assert (await gone.case()).stage == "silent"
        await gone.live(170)
        assert gone.loop.sender.accepted == []
        assert (await gone.case()).outcome is CaseOutcome.LOST
        assert await gone.scene.rows(AssignmentRow) == []


async def test_an_opt_out_after_a_letter_silences_the_rest_of_the_case(database: Database) -> None:
    async with lost(database) as gone:
        await gone.leave()
        await gone.live(3)
        assert len(gone.loop.sender.accepted) == 1
        await _say_no(gone)
        await gone.live(60)
        assert len(gone.loop.sender.accepted) == 1
        assert (await gone.case()).stage == "silent"


async def _say_no(gone: Lost) -> None:
    from domain.vocabulary import Purpose

    now = gone.loop.clock.now()
    (ann,) = await gone.scene.rows(ContactRow)
    async with gone.loop.database.transaction() as session:
        choices = [(Purpose.LIFECYCLE, False), (Purpose.MARKETING, False)]
        await record_consent(session, ann.id, choices, OWN_PAGE, now, now, WallInstant(now))
    await gone.loop.ring()


async def test_an_offer_above_the_limit_waits_for_a_person_who_says_yes(database: Database) -> None:
    policy = WinBackPolicy(holdout_share=0, offers=OfferPolicy(approve_above_percent=5))
    async with lost(database, policy) as gone:
        await gone.leave()
        await gone.live(17)
        (offer,) = await gone.offers()
        assert (offer.state, offer.decided_at) == (OfferState.PROPOSED, None)
        (task,) = [one for one in await gone.scene.tasks() if one.kind == "offer"]
        assert (task.assignee_id, task.case_id) == (gone.scene.manager_id, offer.case_id)
        assert gone.desk.orders == {}
        await gone.scene.finish("Agree to", TaskOutcome.APPROVED, gone.loop.clock.now())
        await gone.loop.ring()
        await gone.live(5)
        (offer,) = await gone.offers()
        assert (offer.state, offer.decided_by_id) == (OfferState.GRANTED, gone.scene.csm_id)
        assert "BACK-1" in gone.loop.sender.accepted[-1].text


@pytest.mark.parametrize("answer", [TaskOutcome.REJECTED, None])
async def test_without_a_yes_the_letter_goes_out_without_an_offer(
    database: Database, answer: TaskOutcome | None
) -> None:
    policy = WinBackPolicy(holdout_share=0, offers=OfferPolicy(approve_above_percent=5))
    async with lost(database, policy) as gone:
        await gone.leave()
        await gone.live(17)
        if answer is not None:
            await gone.scene.finish("Agree to", answer, gone.loop.clock.now())
            await gone.loop.ring()
        await gone.live(6)
        (offer, *_) = await gone.offers()
        assert offer.state is (OfferState.REFUSED if answer else OfferState.EXPIRED)
        assert {one.state for one in await gone.scene.tasks()} == {
            TaskState.DONE if answer else TaskState.CANCELLED
        }
        assert len(gone.loop.sender.accepted) == 3
        assert gone.desk.orders == {}
        assert "BACK" not in gone.loop.sender.accepted[-1].text


async def test_where_the_provider_makes_no_discounts_the_letters_go_out_without(database: Database) -> None:
    async with lost(database) as gone:
        gone.desk.refuses = True
        await gone.leave()
        await gone.live(50)
        assert len(gone.loop.sender.accepted) == 4
        assert {one.state for one in await gone.offers()} == {OfferState.WITHDRAWN}


async def test_a_strategic_customer_gets_a_person_and_no_letter(database: Database) -> None:
    async with lost(database, tier=TouchTier.STRATEGIC) as gone:
        await gone.leave()
        (task,) = [one for one in await gone.scene.tasks() if one.kind == "call"]
        assert task.assignee_id == gone.scene.csm_id
        await gone.live(3)
        await gone.scene.finish("Talk to", TaskOutcome.REACHED, gone.loop.clock.now())
        await gone.live(10)
        assert gone.loop.sender.accepted == []
        await gone.come_back()
        assert (await gone.win_back()).is_attributed is True


async def test_who_decided_to_leave_is_left_alone_unless_the_policy_says_otherwise(
    database: Database,
) -> None:
    async with lost(database) as gone:
        await gone.leave(involuntary=False, reason="too_expensive")
        from models.tables.cases import CaseRow

        assert await gone.scene.rows(CaseRow) == []
        (refusal,) = [one for one in await gone.scene.decisions() if one.action == "open_case"]
        assert refusal.reason == "cause"
        await gone.scene.changed(gone.loop.clock.now())
        await gone.loop.ring()
        await gone.loop.decided(gone.scene.customer_id)
        said = [one for one in await gone.scene.decisions() if one.action == "open_case"]
        assert len(said) == 1
