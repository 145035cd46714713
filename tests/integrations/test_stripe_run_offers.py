"""An offer of a playbook at a simulated Stripe over HTTP: one code whatever breaks, used or taken back."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert
from temporalio.exceptions import ApplicationError

from activities.offer_keeping import OfferKeeper
from activities.offers import OfferPerformer
from domain.billing import BillingProvider
from domain.case_vocabulary import OfferState
from domain.run_state import OfferOrder
from domain.time import WallInstant
from domain.timeline import AS_TOLD
from domain.vocabulary import Outcome, StepState
from integrations.billing import open_billing
from integrations.simulators.stripe.account import STRIPE_KEY
from models.database import Database
from models.endings import RunEnding, end_run
from models.installation import release
from models.playbooks import PlaybookShelf
from models.run_offers import write_offer
from models.tables.connections import ConnectionRow
from models.tables.runs import OfferRow
from tests.support.facts import subscription
from tests.support.steps import MONDAY, STEP, Standing, stand_at
from tests.support.stripe_simulator import LIBRARY_WARNS, StripeOffice

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings(LIBRARY_WARNS)]
RESTED = dt.timedelta(seconds=16)
"""Longer than a lease."""
TERMS = {"kind": "discount", "percent": 15, "months": 3, "title": "15 % off", "body": "Ask."}


@dataclass
class Shop:
    """A run whose offer a person has agreed to, for a company that Stripe bills."""

    standing: Standing
    office: StripeOffice
    made: dict[str, str]

    @asynccontextmanager
    async def open(self, _source_id: str) -> AsyncIterator[BillingProvider]:
        """Open the account, as a worker does."""
        options = {"base_url": f"{self.office.url}/stripe", "retries": "everstay"}
        async with open_billing("stripe", options, {"token": STRIPE_KEY}, AS_TOLD) as provider:
            yield provider

    async def make(self) -> str:
        standing = self.standing
        performer = OfferPerformer(standing.database, standing.clock, PlaybookShelf(), self.open)
        return (await standing.perform(performer)).state

    async def look(self) -> None:
        assert await OfferKeeper(self.standing.database, self.standing.clock, self.open).look() == []

    async def codes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.office.control("GET", "/promotion-codes")
        return found

    async def offer(self) -> OfferRow:
        (row,) = await self.standing.scene.rows(OfferRow)
        assert isinstance(row, OfferRow)
        return row


@pytest.fixture
async def shop(database: Database, office: StripeOffice) -> Shop:
    await office.control("POST", "/reset")
    await office.set_clock(MONDAY.isoformat())
    made = await office.company(amount=10_000, currency="usd")
    standing = await stand_at(database, {"offer": TERMS})
    term = subscription(made["subscription"], known_at=MONDAY, started_at=MONDAY, mrr_minor=10_000)
    await standing.scene.hear(term, now=MONDAY)
    await standing.scene.change(external_id=made["customer"])
    async with database.transaction() as session:
        wall = standing.clock.wall_now()
        await release(session, MONDAY, wall)
        row = insert(ConnectionRow).values(source_id="crm", provider="stripe", options={})
        await session.execute(row.values(secrets=b"", created_at=wall))
        for state in ("proposed", "agreed"):
            order = OfferOrder(STEP, 1, "discount", "15 % off", state, 15, 3, MONDAY)
            await write_offer(session, standing.scene.customer_id, standing.run_id, order, MONDAY)
    return Shop(standing, office, made)


async def test_a_code_is_made_for_the_customer_and_known_to_be_used(shop: Shop) -> None:
    assert await shop.make() == StepState.DONE
    (code,) = await shop.codes()
    found = await shop.offer()
    assert (found.provider_key, found.code) == (code["id"], code["code"])
    await shop.look()
    assert (await shop.offer()).state is OfferState.GRANTED
    discounts = {"discounts": [{"promotion_code": code["id"]}]}
    await shop.office.v1.subscriptions.update_async(shop.made["subscription"], discounts)
    await shop.look()
    assert (await shop.offer()).state is OfferState.REDEEMED


@pytest.mark.parametrize("path", ["/v1/coupons", "/v1/promotion_codes"])
@pytest.mark.parametrize("fault", ["drop", "reset"])
async def test_a_broken_connection_makes_no_second_code(shop: Shop, path: str, fault: str) -> None:
    await shop.office.fail(fault, path=path, method="POST")
    with pytest.raises(ApplicationError):
        await shop.make()
    shop.standing.clock.pass_by(RESTED)
    assert await shop.make() == StepState.DONE
    (code,) = await shop.codes()
    assert (await shop.offer()).code == code["code"]


async def test_what_stripe_has_forgotten_is_found_by_its_metadata(shop: Shop) -> None:
    await shop.office.fail("drop", path="/v1/promotion_codes", method="POST")
    with pytest.raises(ApplicationError):
        await shop.make()
    await shop.office.control("POST", "/idempotency/forget")
    shop.standing.clock.pass_by(RESTED)
    shop.standing.clock.wall = WallInstant(shop.standing.clock.wall + dt.timedelta(days=2))
    assert await shop.make() == StepState.DONE
    assert len(await shop.codes()) == 1


async def test_an_unused_code_is_switched_off_when_its_run_has_not_ended_well(shop: Shop) -> None:
    await shop.make()
    ending = RunEnding(shop.standing.run_id, shop.standing.scene.customer_id, Outcome.NO_CHANGE, "declined")
    async with shop.standing.database.transaction() as session:
        await end_run(session, ending, MONDAY)
    await shop.look()
    (code,) = await shop.codes()
    assert (code["active"], (await shop.offer()).state) == (False, OfferState.WITHDRAWN)
