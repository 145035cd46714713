"""The step `offer` after a yes: one code at the billing provider, whatever breaks."""

import datetime as dt

import pytest
from sqlalchemy import update
from temporalio.exceptions import ApplicationError

from activities.deeds import MOST_ATTEMPTS
from activities.delays import QUICK_RETRIES
from domain.case_vocabulary import OfferState
from domain.errors import TransientProviderError
from domain.run_state import OfferOrder
from domain.time import after
from domain.vocabulary import EffectState, StepState, TaskState
from models.database import Database
from models.effect_answers import answer_effect
from models.hands import Hand
from models.installation import stop_effects
from models.run_offers import write_offer
from models.stored_offers import usable_offer_of
from models.tables.runs import OfferRow
from models.tables.system import InstallationRow
from models.views.offers import load_offer_totals
from tests.support.discounts import DiscountDesk
from tests.support.facts import invoice
from tests.support.run_offers import (
    NO_ANSWER,
    NOTHING,
    TERMS,
    BreakingDesk,
    KilledError,
    agree,
    look,
    make,
    offer,
    raising,
    write,
)
from tests.support.steps import MONDAY, STEP, Standing, stand_at

pytestmark = pytest.mark.integration


@pytest.fixture
async def standing(database: Database) -> Standing:
    return await agree(database)


async def in_doubt(standing: Standing) -> BreakingDesk:
    """Make it at a provider that never answers, until a person is asked."""
    desk = BreakingDesk()
    desk.after = NO_ANSWER
    for _ in range(1, MOST_ATTEMPTS):
        with pytest.raises(ApplicationError, match="nobody knows yet"):
            await make(standing, desk)
        standing.clock.pass_by(dt.timedelta(seconds=16))
    assert await make(standing, desk) == "waiting uncertain"
    return desk


async def test_the_code_is_made_once_and_kept_with_its_cost(standing: Standing) -> None:
    desk = DiscountDesk()
    assert [await make(standing, desk), await make(standing, desk)] == ["done granted", "done granted"]
    (order,) = desk.orders.values()
    assert (order.percent, order.months, order.customer_key) == (15, 3, "acme")
    found = await offer(standing)
    assert (found.state, found.code, found.provider_key, found.source_id) == (
        OfferState.GRANTED, "BACK-1", "promo_1", "crm",
    )  # fmt: skip
    assert (found.cost_minor, found.currency) == (180_000, "USD")
    assert found.margin == pytest.approx(0.6 / 0.85)
    assert found.expires_at == after(MONDAY, dt.timedelta(days=21))
    (effect,) = await standing.effects()
    assert (effect.kind, effect.state, effect.provider_message_id) == (
        "discount", EffectState.CONFIRMED, "promo_1",
    )  # fmt: skip
    assert effect.key == f"{standing.run_id}/{STEP}/1/acme"
    async with standing.database.transaction() as session:
        totals = await load_offer_totals(session)
        assert totals.ever.granted.minor == {"USD": 180_000}
        usable = await usable_offer_of(session, standing.run_id, standing.clock.now())
    assert usable is not None
    assert usable.code == "BACK-1"


@pytest.mark.parametrize("side", ["before", "after"])
async def test_killed_on_either_side_of_the_provider_there_is_one_code(standing: Standing, side: str) -> None:
    desk = BreakingDesk()
    setattr(desk, side, raising(KilledError()))
    with pytest.raises(KilledError):
        await make(standing, desk)
    with pytest.raises(ApplicationError, match="another attempt"):
        await make(standing, desk)
    standing.clock.pass_by(dt.timedelta(seconds=16))
    setattr(desk, side, NOTHING)
    assert await make(standing, desk) == "done granted"
    assert [(await offer(standing)).code, len(desk.orders)] == ["BACK-1", 1]


@pytest.mark.parametrize("side", ["before", "after"])
async def test_what_the_provider_has_forgotten_is_looked_up_before_it_is_repeated(
    standing: Standing, side: str
) -> None:
    desk = BreakingDesk()
    setattr(desk, side, raising(KilledError()))
    with pytest.raises(KilledError):
        await make(standing, desk)
    standing.clock.wall = standing.clock.wall + dt.timedelta(days=2)
    asked: list[str] = []
    desk.before, desk.after = lambda: asked.append("again"), NOTHING
    assert await make(standing, desk) == "done granted"
    assert (asked, len(desk.orders)) == ([] if side == "after" else ["again"], 1)
    assert (await offer(standing)).code == "BACK-1"


async def test_what_the_provider_refuses_has_failed_with_its_words_and_no_code(standing: Standing) -> None:
    desk = DiscountDesk(refuses=True)
    assert await make(standing, desk) == "failed provider_refused"
    assert (await offer(standing)).code is None
    (effect,) = await standing.effects()
    assert effect.state is EffectState.FAILED
    assert "coupons are switched off" in " ".join(await standing.sentences())


async def test_what_stays_in_doubt_is_put_to_a_person_whose_word_brings_the_code(standing: Standing) -> None:
    desk = await in_doubt(standing)
    (question,) = await standing.scene.tasks()
    assert (question.kind, question.intervention_id) == ("review", standing.run_id)
    (effect,) = await standing.effects()
    hand = Hand("Omar", None, standing.clock.now(), standing.clock.wall_now())
    async with standing.database.transaction() as session:
        await answer_effect(session, effect.key, hand, happened=True)
    assert (await standing.row()).state is StepState.DONE
    assert await look(standing, desk) == []
    assert ((await offer(standing)).state, (await offer(standing)).code) == (OfferState.GRANTED, "BACK-1")


async def test_what_is_in_doubt_and_found_at_the_provider_lets_its_run_go_on(standing: Standing) -> None:
    desk = await in_doubt(standing)
    assert await look(standing, desk) == []
    step, (question,), (effect,) = (
        await standing.row(),
        await standing.scene.tasks(),
        await standing.effects(),
    )
    assert (step.state, step.reason, effect.state) == (StepState.DONE, "granted", EffectState.CONFIRMED)
    assert (question.state, (await offer(standing)).code) == (TaskState.CANCELLED, "BACK-1")


async def test_without_a_provider_it_is_granted_without_a_code_and_says_so(
    database: Database,
) -> None:
    standing = await agree(database, connected=False)
    assert await make(standing, DiscountDesk()) == "done granted"
    found = await offer(standing)
    assert (found.state, found.code, await standing.effects()) == (OfferState.GRANTED, None, [])
    assert "without a code: no billing provider that is connected knows" in (await standing.sentences())[-1]


async def test_a_provider_that_does_not_answer_is_asked_again_and_then_put_off(standing: Standing) -> None:
    desk = BreakingDesk()
    await standing.scene.hear(invoice("in_1", known_at=MONDAY), now=MONDAY)

    async def away(key: str) -> None:
        raise TransientProviderError(provider="desk", reason=f"429 for {key}")

    kept, desk.invoice = desk.invoice, away  # type: ignore[method-assign]  # it fails whatever it is asked
    for attempt in range(1, QUICK_RETRIES):
        with pytest.raises(ApplicationError, match="cannot answer now"):
            await make(standing, desk, attempt)
    assert await make(standing, desk, QUICK_RETRIES) == "deferred provider_unavailable"
    desk.invoice = kept  # type: ignore[method-assign]  # it is back
    assert await make(standing, desk) == "done granted"


async def test_who_pays_a_year_at_once_gets_the_months_as_an_amount(database: Database) -> None:
    standing, desk = await agree(database, billing_months=12), DiscountDesk()
    assert await make(standing, desk) == "done granted"
    (order,) = desk.orders.values()
    assert (order.percent, order.months, order.amount_minor, order.currency) == (None, None, 180_000, "USD")
    assert "12 months at once" in (await offer(standing)).evidence["amount"]


async def test_of_what_has_no_size_nobody_says_what_it_costs(database: Database) -> None:
    standing = await stand_at(database, {"offer": {"kind": "upgrade", "title": "More", "body": "Ask."}})
    async with database.transaction() as session:
        order = OfferOrder(STEP, 1, "upgrade", "More", "proposed")
        await write_offer(session, standing.scene.customer_id, standing.run_id, order, MONDAY)
    found = await offer(standing)
    assert (found.state, found.cost_minor, found.margin) == (OfferState.PROPOSED, None, None)


async def test_what_was_never_proposed_is_not_withdrawn_either(database: Database) -> None:
    standing = await stand_at(database, {"offer": TERMS})
    await write(standing, "withdrawn")
    assert await standing.scene.rows(OfferRow) == []


async def test_it_is_not_made_after_its_day(standing: Standing) -> None:
    desk = DiscountDesk()
    standing.clock.pass_by(dt.timedelta(days=22))
    assert await make(standing, desk) == "skipped offer_is_over"
    assert desk.orders == {}


async def test_it_is_never_made_beside_another_one(standing: Standing) -> None:
    await write(standing, "proposed", occurrence=2)
    desk = DiscountDesk()
    assert await make(standing, desk) == "skipped open_offer"
    assert desk.orders == {}


async def test_it_waits_while_a_person_has_stopped_every_effect(standing: Standing) -> None:
    desk = DiscountDesk()
    async with standing.database.transaction() as session:
        await stop_effects(session, standing.clock.now())
    assert await make(standing, desk) == "deferred effects_stopped"
    async with standing.database.transaction() as session:
        await session.execute(update(InstallationRow).values(effects_stopped_at=None))
    assert await make(standing, desk) == "done granted"
