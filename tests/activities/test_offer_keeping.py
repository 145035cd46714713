"""What becomes of a code that a run has made: used, over, taken back, or found after all."""

import datetime as dt

import pytest
from sqlalchemy import update

from domain.case_vocabulary import OfferState
from domain.errors import PermanentProviderError
from domain.time import WallInstant
from domain.vocabulary import EffectState, Outcome
from models.database import Database
from models.tables.connections import ConnectionRow
from tests.support.discounts import DiscountDesk
from tests.support.run_offers import (
    TERMS,
    BreakingDesk,
    KilledError,
    agree,
    end,
    look,
    make,
    offer,
    raising,
    write,
)
from tests.support.steps import Standing, stand_at

pytestmark = pytest.mark.integration


@pytest.fixture
async def standing(database: Database) -> Standing:
    return await agree(database)


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
