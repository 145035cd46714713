"""Win-backs in the database: opened once per departure, ended with the return, and learned from."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import insert, select

from domain.case_vocabulary import CaseOutcome, CaseState, OfferState
from domain.director import decide
from domain.do_not_disturb import Word
from domain.labels import Cause
from domain.learning_rows import outcome_of
from domain.offer_policy import OfferPolicy
from domain.offers import Offer, choose_offer
from domain.time import BusinessInstant, WallInstant, after
from domain.trained_model import ModelTarget
from domain.trial_labels import Measure, TrialLabel
from domain.vocabulary import DecisionKind, Segment
from domain.win_back_policy import KEY, WinBackPolicy
from models.case_steps import CaseVisit
from models.cases import read_case
from models.database import Database
from models.director_inputs import load_director_inputs
from models.hands import Hand
from models.impact import say_word, take_word_back
from models.offer_facts import load_offer_facts
from models.offers import offer_figures, offers_of, propose
from models.payers import find_payer
from models.playbooks import PlaybookShelf
from models.relations import load_relations
from models.rulings import write_ruling
from models.stored_offers import move_offer
from models.tables.cases import CaseRow, WinBackRow
from models.tables.connections import ConnectionRow
from models.tables.customers import CustomerRow
from models.tables.runs import OfferRow
from models.tables.trials import TrialOutcomeRow
from models.tables.workflows import WorkflowOrderRow
from models.trial_outcomes import label_recoveries, label_stays
from models.trial_rows import load_trial_rows
from models.win_back_letters import win_back_letter
from models.win_back_policy import save_win_back_policy
from models.win_back_state import load_win_back
from tests.support.facts import cancellation, customer, subscription
from tests.support.scenario import Scenario

pytestmark = pytest.mark.integration
NOW = BusinessInstant(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC))
LEFT = BusinessInstant(NOW + dt.timedelta(days=1))
BEGUN = BusinessInstant(NOW - dt.timedelta(days=450))
DAY = dt.timedelta(days=1)


async def departed(database: Database, left: BusinessInstant = LEFT, share: float = 0.0) -> Scenario:
    """A customer of 48,000 a year whose payment failed for good; its director has looked."""
    scene = await Scenario(database, NOW).begin()
    async with database.transaction() as session:
        await save_win_back_policy(session, WinBackPolicy(holdout_share=share), None, NOW)
    await leave(scene, left)
    return scene


async def leave(scene: Scenario, left: BusinessInstant) -> None:
    """Let their subscription of more than a year end unpaid."""
    told = {"known_at": BEGUN, "started_at": BEGUN, "mrr_minor": 400_000}
    await scene.hear(subscription("sub_1", **told), now=left)
    ended = subscription("sub_1", **told, status="canceled", ended_at=left, ended_known_at=left)
    gone = cancellation("gone", known_at=left, occurred_at=left, involuntary=True)
    await scene.hear(ended, gone, now=left)
    await rule(scene, left)


async def rule(scene: Scenario, now: BusinessInstant) -> None:
    """Let the director look, as its activity does."""
    async with scene.database.transaction() as session:
        inputs = await load_director_inputs(session, scene.customer_id, PlaybookShelf(), now)
        memory = inputs.lifecycle.memory
        ruling = decide(inputs.state, inputs.notices, inputs.policy, memory, now)
        await write_ruling(session, scene.customer_id, ruling, now, WallInstant(now))


async def come_back(scene: Scenario, at: BusinessInstant, key: str = "sub_2") -> None:
    await scene.hear(subscription(key, known_at=at, started_at=at, mrr_minor=300_000), now=at)


async def test_a_departure_opens_one_case_with_what_was_lost_and_its_workflow(database: Database) -> None:
    scene = await departed(database)
    (case,), (won,) = await scene.rows(CaseRow), await scene.rows(WinBackRow)
    assert case.workflow_id == f"win-back/{scene.customer_id}/1"
    assert (won.number, won.cause, won.cancelled_at) == (1, Cause.INVOLUNTARY, LEFT)
    assert (won.lost_arr_minor, won.currency, won.is_held_out) == (4_800_000, "USD", False)
    assert [one.case_id for one in await scene.rows(WorkflowOrderRow) if one.case_id] == [case.id]
    await rule(scene, after(LEFT, DAY))
    assert len(await scene.rows(CaseRow)) == 1


async def test_the_next_departure_is_a_case_of_its_own(database: Database) -> None:
    scene = await departed(database)
    await come_back(scene, after(LEFT, 40 * DAY))
    begun, end = after(LEFT, 40 * DAY), after(LEFT, 100 * DAY)
    told = {"known_at": begun, "started_at": begun, "mrr_minor": 300_000}
    ended = subscription("sub_2", **told, status="canceled", ended_at=end, ended_known_at=end)
    gone = cancellation("gone/again", known_at=end, occurred_at=end, involuntary=True)
    await scene.hear(ended, gone, now=end)
    await rule(scene, end)
    rows = sorted(await scene.rows(WinBackRow), key=lambda row: row.number)
    assert [row.number for row in rows] == [1, 2]
    assert rows[0].returned_at == after(LEFT, 40 * DAY)


async def test_what_happened_before_the_source_was_connected_opens_nothing(database: Database) -> None:
    scene = await departed(database, left=after(NOW, -3 * DAY))
    assert await scene.rows(CaseRow) == []


async def test_the_transaction_that_stores_the_return_ends_the_case(database: Database) -> None:
    scene = await departed(database)
    await come_back(scene, after(LEFT, 9 * DAY))
    (case,), (won,) = await scene.rows(CaseRow), await scene.rows(WinBackRow)
    assert (case.state, case.outcome) == (CaseState.ENDED, CaseOutcome.REACTIVATED)
    assert (won.returned_at, won.returned_arr_minor) == (after(LEFT, 9 * DAY), 3_600_000)
    assert won.is_attributed is False
    (said,) = [one for one in await scene.decisions() if one.action == "end_case"]
    assert said.reason == "reactivated"


async def test_a_won_back_customer_is_in_the_training_rows_and_on_trial_with_its_arm(
    database: Database,
) -> None:
    scene = await departed(database, share=0.01)
    (case,) = await scene.rows(CaseRow)
    await come_back(scene, after(LEFT, 30 * DAY))
    later = after(LEFT, 125 * DAY)
    async with database.transaction() as session:
        assert await label_recoveries(session, later) == 0
        assert await label_stays(session, later) == 1
    async with database.transaction() as session:
        (label,) = (await session.scalars(select(TrialOutcomeRow))).all()
        (row,) = await load_trial_rows(session)
        relation = (await load_relations(session))[scene.customer_id]
    assert (label.measure, label.label, label.is_good) == (Measure.STAYED, TrialLabel.REACTIVATED, True)
    assert (row.playbook, row.arm, row.arr_minor, row.has_left) == (KEY, "treated", 4_800_000, True)
    assert row.good == {Measure.STAYED: True}
    assert 0.9 < row.propensity < 1
    assert case.id is not None
    gone = outcome_of(relation, ModelTarget.INVOLUNTARY, after(LEFT, -20 * DAY), later)
    assert gone.event_days == 20
    assert not relation.is_live_at(after(LEFT, 10 * DAY))
    assert relation.is_live_at(after(LEFT, 31 * DAY)), "who is back is a row of later dates again"


async def test_offers_are_summed_with_what_they_leave_of_the_margin(database: Database) -> None:
    scene = await departed(database)
    offer = await an_offer(scene)
    assert isinstance(offer, Offer)
    assert offer.evidence["value"] == "$48,000 a year before they left"
    async with database.transaction() as session:
        (stored,) = await offers_of(session, (await only_case(scene)))
        assert (stored.state, stored.percent) == (OfferState.PROPOSED, 10)
        await move_offer(session, stored.id, OfferState.REDEEMED, after(LEFT, DAY))
        await move_offer(session, stored.id, OfferState.EXPIRED, after(LEFT, 2 * DAY))
    async with database.transaction() as session:
        (figures,) = await offer_figures(session)
    assert (figures.state, figures.offers, figures.cost_minor) == (OfferState.REDEEMED, 1, 120_000)
    assert figures.least_margin == pytest.approx((0.75 - 0.1) / 0.9)


async def an_offer(scene: Scenario) -> object:
    """Have an offer chosen and written, as a look at the case does."""
    case_id = await only_case(scene)
    async with scene.database.transaction() as session:
        case, row = await read_case(session, case_id), await load_win_back(session, case_id)
        offer = choose_offer(await load_offer_facts(session, case, row, 0), OfferPolicy(), LEFT)
        if isinstance(offer, Offer):
            await propose(session, scene.customer_id, CaseVisit(case_id, "grant"), offer, None, LEFT)
    return offer


async def only_case(scene: Scenario) -> uuid.UUID:
    (case,) = await scene.rows(CaseRow)
    found: uuid.UUID = case.id
    return found


async def test_another_customer_of_the_same_domain_that_used_an_offer_bars_this_one(
    database: Database,
) -> None:
    scene = await departed(database)
    await scene.change(domain="acme.example")
    await scene.hear(customer("acme-two", known_at=NOW, domain="acme.example"), now=NOW)
    async with database.transaction() as session:
        twin = await session.scalar(select(CustomerRow.id).where(CustomerRow.external_id == "acme-two"))
        await session.execute(
            insert(OfferRow).values(
                id=uuid.uuid4(), customer_id=twin, effect_key="elsewhere", kind="discount", title="10 % off",
                state=OfferState.REDEEMED, proposed_at=NOW, redeemed_at=NOW,
            )
        )  # fmt: skip
    refused = await an_offer(scene)
    assert getattr(refused, "reason", None) == "shared"


async def test_a_payer_is_found_at_the_billing_connection_with_what_they_had(database: Database) -> None:
    scene = await departed(database)
    async with database.transaction() as session:
        assert await find_payer(session, scene.customer_id) is None
        await session.execute(
            insert(ConnectionRow).values(
                source_id="crm", provider="stripe", options={}, secrets=b"", created_at=WallInstant(NOW)
            )
        )
        payer = await find_payer(session, scene.customer_id)
    assert payer is not None
    assert (payer.customer_key, payer.subscription_key, payer.invoices) == ("acme", "sub_1", ())


async def test_a_letter_leads_to_a_page_where_a_provider_could_make_the_next_one(database: Database) -> None:
    await departed(database)
    async with database.transaction() as session:
        case = await read_case(session, (await session.scalars(select(CaseRow.id))).one())
        visit = CaseVisit(case.id, "letter-1")
        assert not (await win_back_letter(session, case, visit, LEFT)).has_page
        connection = {"source_id": "crm", "provider": "stripe", "options": {}, "secrets": b""}
        await session.execute(insert(ConnectionRow).values(**connection, created_at=WallInstant(NOW)))
        assert (await win_back_letter(session, case, visit, LEFT)).has_page


@pytest.mark.parametrize("is_lifted", [False, True])
async def test_where_win_back_does_harm_nobody_is_won_back_until_a_person_lifts_it(
    database: Database, *, is_lifted: bool
) -> None:
    hand = Hand("Mia", None, NOW, WallInstant(NOW))
    async with database.transaction() as session:
        for segment in Segment:
            word = Word(playbook=KEY, segment=segment, contact=False, reason="They leave for good")
            await say_word(session, word, hand)
            if is_lifted:
                await take_word_back(session, KEY, segment, hand)
    scene = await departed(database)
    said = [one for one in await scene.decisions() if one.action == "open_case"]
    assert len(await scene.rows(CaseRow)) == int(is_lifted)
    refused = [one.reason for one in said if one.kind is DecisionKind.REFUSAL]
    assert refused == ([] if is_lifted else ["do_not_disturb"])


async def test_a_departure_that_is_not_answered_says_why(database: Database) -> None:
    scene = await Scenario(database, NOW).begin()
    async with database.transaction() as session:
        await save_win_back_policy(session, WinBackPolicy(least_arr=100_000), None, NOW)
    await leave(scene, LEFT)
    (said,) = [one for one in await scene.decisions() if one.action == "open_case"]
    assert (said.kind, said.reason) == (DecisionKind.REFUSAL, "revenue")
    assert "$48,000" in said.sentence
