"""The step `offer` after a yes: one code at the billing provider, and what becomes of it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, update
from temporalio.exceptions import ApplicationError

from activities.deeds import MOST_ATTEMPTS, QUICK_RETRIES
from activities.offer_keeping import OfferKeeper
from activities.offers import OfferPerformer
from domain.case_vocabulary import OfferState
from domain.errors import PermanentProviderError, TransientProviderError, UncertainDeliveryError
from domain.run_state import OfferOrder
from domain.time import WallInstant, after
from domain.vocabulary import EffectState, Outcome, StepState, TaskState
from models.database import Database
from models.effect_answers import answer_effect
from models.endings import RunEnding, end_run
from models.hands import Hand
from models.installation import release, stop_effects
from models.playbooks import PlaybookShelf
from models.run_offers import write_offer
from models.stored_offers import usable_offer_of
from models.tables.connections import ConnectionRow
from models.tables.runs import OfferRow
from models.tables.system import InstallationRow
from models.views.offers import load_offer_totals
from tests.support.discounts import DiscountDesk, had
from tests.support.facts import invoice
from tests.support.steps import MONDAY, STEP, Standing, stand_at

pytestmark = pytest.mark.integration
TERMS = {
    "kind": "discount",
    "percent": 15,
    "months": 3,
    "title": "15 % off",
    "body": "Ask.",
    "on_granted": "rest",
}


class KilledError(BaseException):
    """As a kill: nobody catches it."""


class BreakingDesk(DiscountDesk):
    """A desk at which something goes wrong, before or after it has made a discount."""

    before: Callable[[], None] = staticmethod(lambda: None)
    after: Callable[[], None] = staticmethod(lambda: None)

    async def grant(self, order: Any) -> Any:
        self.before()
        made = await super().grant(order)
        self.after()
        return made


def raising(error: BaseException) -> Callable[[], None]:
    def then() -> None:
        raise error

    return then


NOTHING: Callable[[], None] = lambda: None  # noqa: E731  a name for no trouble
NO_ANSWER = raising(UncertainDeliveryError(provider="desk", reason="no answer in time"))


async def write(standing: Standing, state: str, occurrence: int = 1) -> None:
    order = OfferOrder(
        STEP, occurrence, "discount", "15 % off", state, 15, 3, after(MONDAY, dt.timedelta(days=2))
    )
    async with standing.database.transaction() as session:
        customer, run = standing.scene.customer_id, standing.run_id
        await write_offer(session, customer, run, order, standing.clock.now())


async def agree(database: Database, *, connected: bool = True, **term: object) -> Standing:
    """Return a run whose offer a person has agreed to, with a customer who pays 4,000 a month."""
    standing = await stand_at(database, {"offer": TERMS})
    wall = standing.clock.wall_now()
    async with database.transaction() as session:
        await release(session, MONDAY, wall)
    if connected:
        await standing.scene.hear(had(**term), now=MONDAY)
        async with database.transaction() as session:
            row = {
                "source_id": "crm",
                "provider": "stripe",
                "options": {},
                "secrets": b"",
                "created_at": wall,
            }
            await session.execute(insert(ConnectionRow).values(row))
    await write(standing, "proposed")
    await write(standing, "agreed")
    return standing


@pytest.fixture
async def standing(database: Database) -> Standing:
    return await agree(database)


def performer(standing: Standing, desk: DiscountDesk) -> OfferPerformer:
    return OfferPerformer(standing.database, standing.clock, PlaybookShelf(), desk.open)


async def make(standing: Standing, desk: DiscountDesk, attempt: int = 1) -> str:
    done = await standing.perform(performer(standing, desk), attempt)
    return f"{done.state} {done.reason}".strip()


async def look(standing: Standing, desk: DiscountDesk) -> list[str]:
    return await OfferKeeper(standing.database, standing.clock, desk.open).look()


async def offer(standing: Standing) -> OfferRow:
    (row,) = await standing.scene.rows(OfferRow)
    assert isinstance(row, OfferRow)
    return row


async def end(standing: Standing, outcome: Outcome) -> None:
    ending = RunEnding(standing.run_id, standing.scene.customer_id, outcome, "the test says so")
    async with standing.database.transaction() as session:
        await end_run(session, ending, standing.clock.now())


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
    desk = BreakingDesk()
    desk.after = NO_ANSWER
    for _ in range(1, MOST_ATTEMPTS):
        with pytest.raises(ApplicationError, match="nobody knows yet"):
            await make(standing, desk)
        standing.clock.pass_by(dt.timedelta(seconds=16))
    assert await make(standing, desk) == "waiting uncertain"
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
    desk = BreakingDesk()
    desk.after = NO_ANSWER
    for _ in range(1, MOST_ATTEMPTS):
        with pytest.raises(ApplicationError, match="nobody knows yet"):
            await make(standing, desk)
        standing.clock.pass_by(dt.timedelta(seconds=16))
    assert await make(standing, desk) == "waiting uncertain"
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


async def test_that_it_was_used_is_asked_of_the_provider(standing: Standing) -> None:
    desk = DiscountDesk()
    await make(standing, desk)
    await look(standing, desk)
    assert (await offer(standing)).state is OfferState.GRANTED
    desk.use()
    await look(standing, desk)
    found = await offer(standing)
    assert (found.state, found.redeemed_at) == (OfferState.REDEEMED, standing.clock.now())
    await end(standing, Outcome.CHURNED)
    await look(standing, desk)
    assert desk.withdrawn == []


async def test_its_end_is_the_providers_own_on_its_day(standing: Standing) -> None:
    desk = DiscountDesk()
    await make(standing, desk)
    standing.clock.pass_by(dt.timedelta(days=21))
    await look(standing, desk)
    assert ((await offer(standing)).state, desk.withdrawn) == (OfferState.EXPIRED, [])


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_a_run_that_did_not_end_well_takes_its_code_back_once(
    standing: Standing, outcome: Outcome
) -> None:
    desk = DiscountDesk()
    await make(standing, desk)
    await end(standing, outcome)
    await look(standing, desk)
    await look(standing, desk)
    told = [one for one in await standing.sentences() if one.startswith("Took back")]
    is_kept = outcome in {Outcome.SAVED, Outcome.RENEWED, Outcome.EXPANDED, Outcome.REACTIVATED}
    assert (desk.withdrawn, len(told)) == (([], 0) if is_kept else (["promo_1"], 1))
    assert (await offer(standing)).state is (OfferState.GRANTED if is_kept else OfferState.WITHDRAWN)


@pytest.mark.parametrize("side", ["before", "after"])
async def test_what_was_in_flight_when_the_run_ended_is_found_and_taken_back(
    standing: Standing, side: str
) -> None:
    desk = BreakingDesk()
    setattr(desk, side, raising(KilledError()))
    with pytest.raises(KilledError):
        await make(standing, desk)
    await end(standing, Outcome.CHURNED)
    await look(standing, desk)
    assert (await offer(standing)).state is OfferState.PROPOSED, "its worker may still be at it"
    standing.clock.pass_by(dt.timedelta(seconds=16))
    await look(standing, desk)
    await look(standing, desk)
    assert (await offer(standing)).state is OfferState.WITHDRAWN
    assert desk.withdrawn == (["promo_1"] if side == "after" else [])
    made = next(one for one in await standing.effects() if one.kind == "discount")
    assert made.state is (EffectState.CONFIRMED if side == "after" else EffectState.FAILED)


async def test_while_nobody_can_be_asked_nothing_is_taken_for_not_made(standing: Standing) -> None:
    desk = BreakingDesk()
    desk.after = raising(KilledError())
    with pytest.raises(KilledError):
        await make(standing, desk)
    await end(standing, Outcome.CHURNED)
    standing.clock.pass_by(dt.timedelta(seconds=16))
    await pause(standing, standing.clock.wall_now())
    await look(standing, desk)
    assert (await offer(standing)).state is OfferState.PROPOSED
    await pause(standing, None)
    await look(standing, desk)
    await look(standing, desk)
    assert ((await offer(standing)).state, desk.withdrawn) == (OfferState.WITHDRAWN, ["promo_1"])


async def pause(standing: Standing, at: WallInstant | None) -> None:
    async with standing.database.transaction() as session:
        await session.execute(update(ConnectionRow).values(paused_at=at))


async def test_one_that_nobody_decided_before_its_run_ended_is_over(database: Database) -> None:
    standing = await stand_at(database, {"offer": TERMS})
    await write(standing, "proposed")
    await end(standing, Outcome.STOPPED)
    await look(standing, DiscountDesk())
    assert (await offer(standing)).state is OfferState.EXPIRED


async def test_a_provider_that_cannot_be_asked_keeps_no_other_offer_waiting(standing: Standing) -> None:
    desk = BreakingDesk()
    await make(standing, desk)

    async def find_grant(customer_key: str, delivery_id: str) -> None:
        raise PermanentProviderError(provider="desk", reason="no permission")

    desk.find_grant = find_grant  # type: ignore[method-assign]  # it fails whatever it is asked
    assert len(await look(standing, desk)) == 1
    assert (await offer(standing)).state is OfferState.GRANTED
