"""A discounted subscription of a simulated account: pull and webhook say the same of it, until it ends."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.contracts_pulls import PullStreamInput
from domain.billing import DiscountOrder, Retries
from domain.facts import SubscriptionFact
from domain.pulling import Told, epoch
from domain.time import BusinessInstant, WallInstant
from domain.timeline import AS_TOLD
from domain.webhook_messages import Asked, Part, ReadingContext
from integrations.provider_http import ProviderHttp
from integrations.simulators.stripe.account import STRIPE_KEY
from integrations.stripe_billing import StripeBilling
from integrations.stripe_client import StripeReader, stripe_account
from integrations.stripe_http import StripeAccount
from integrations.stripe_shapes import DISCOUNTED
from integrations.webhook_readers import read_delivery
from models.asked_objects import ASKED, ask_for
from models.database import Database
from tests.support.pulls import activities_of, connect, pull, rows
from tests.support.stripe_answers import Reply, ScriptedStripe, listed, served
from tests.support.stripe_objects import FORBIDDEN
from tests.support.stripe_simulator import LIBRARY_WARNS, StripeOffice
from tests.support.webhooks import json_body

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings(LIBRARY_WARNS)]
BEGINS = "2027-01-01T00:00:00Z"
OLDER = "2024-06-20"


@dataclass
class Eyes:
    """Both ways in which a subscription becomes known."""

    office: StripeOffice
    reader: StripeReader

    async def now(self) -> WallInstant:
        shown = await self.office.control("GET", "/")
        return WallInstant(dt.datetime.fromisoformat(shown["clock"]["at"]))

    async def pulled(self) -> SubscriptionFact:
        page = await self.reader.page("subscriptions", {}, await self.now())
        return await self._told(page.told)

    async def asked(self, key: str) -> SubscriptionFact:
        return await self._told(await self.reader.one("subscriptions", key))

    async def _told(self, told: Any) -> SubscriptionFact:
        (one,) = told
        assert isinstance(one, Told)
        facts, _hints = self.reader.facts_of(one, BusinessInstant(await self.now()), AS_TOLD)
        (fact,) = facts
        assert isinstance(fact, SubscriptionFact)
        return fact

    async def heard(self, kind: str, *, can_ask: bool = True) -> Part:
        """Return what the newest event of a kind says, as a webhook tells it."""
        query, key = {"type": kind, "limit": "1"}, {"authorization": f"Bearer {STRIPE_KEY}"}
        answer = await self.office.http.get("/stripe/v1/events", params=query, headers=key)
        (event,) = answer.json()["data"]
        context = ReadingContext(await self.now(), AS_TOLD, can_ask=can_ask)
        (part,) = read_delivery("stripe", json_body(event), context)
        return part


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[StripeReader]:
    http = ProviderHttp(stripe_account({"base_url": url}, {"token": STRIPE_KEY}), tries=1)
    yield StripeReader(http)
    await http.close()


@pytest.fixture
async def eyes(office: StripeOffice) -> AsyncIterator[Eyes]:
    await office.control("POST", "/reset")
    await office.set_clock(BEGINS)
    async with reading(f"{office.url}/stripe") as reader:
        yield Eyes(office, reader)


async def redeem(office: StripeOffice, made: dict[str, str], order: dict[str, Any]) -> None:
    """Make a code as an offer does, and let the customer use it."""
    billing = StripeBilling(StripeAccount(STRIPE_KEY, f"{office.url}/stripe"), AS_TOLD, Retries.EVERSTAY)
    receipt = await billing.grant(DiscountOrder("d1", made["customer"], "Stay", **order))
    await billing.close()
    discounts = {"discounts": [{"promotion_code": receipt.key}]}
    await office.v1.subscriptions.update_async(made["subscription"], discounts)


@pytest.mark.parametrize("version", [None, OLDER], ids=["new", "old"])
@pytest.mark.parametrize(
    ("order", "mrr", "share"),
    [
        ({"percent": 15.0, "months": 3}, 8_500, 0.15),
        ({"amount_minor": 2_500, "currency": "USD", "months": 3}, 7_500, 0.25),
    ],
)
async def test_a_code_that_is_used_lowers_the_revenue_until_its_months_are_over(
    eyes: Eyes, version: str | None, order: dict[str, Any], mrr: int, share: float
) -> None:
    if version:
        await eyes.office.control("PATCH", "/switches", {"api_version": version})
    made = await eyes.office.company(amount=10_000, currency="usd")
    listed_term = await eyes.pulled()
    assert (listed_term.mrr_minor, listed_term.discount) == (10_000, None)
    await redeem(eyes.office, made, order)
    reduced = await eyes.pulled()
    assert (reduced.mrr_minor, reduced.discount) == (mrr, share)
    names_it = (Asked(DISCOUNTED, made["subscription"]),)
    assert (await eyes.heard("customer.discount.created")).asks == names_it
    updated = await eyes.heard("customer.subscription.updated")
    keys = [one.key for one in updated.facts if isinstance(one, SubscriptionFact)]
    assert (updated.asks, keys) == (((), [reduced.key]) if version else (names_it, []))
    assert (await eyes.asked(made["subscription"])).key == reduced.key
    await eyes.office.advance(days=60)
    assert (await eyes.pulled()).key == reduced.key
    await eyes.office.advance(days=31)
    assert (await eyes.heard("customer.discount.deleted")).asks == names_it
    again = await eyes.pulled()
    assert (again.key, again.mrr_minor) == (listed_term.key, 10_000)


async def test_a_discount_on_one_bill_is_no_lower_revenue(eyes: Eyes) -> None:
    made = await eyes.office.company(amount=10_000, currency="usd")
    before = await eyes.pulled()
    await redeem(eyes.office, made, {"percent": 50.0})
    assert (await eyes.pulled()).key == before.key


async def test_where_nothing_is_pulled_the_event_counts_with_the_price_that_it_has(eyes: Eyes) -> None:
    made = await eyes.office.company(amount=10_000, currency="usd")
    await redeem(eyes.office, made, {"percent": 15.0, "months": 3})
    part = await eyes.heard("customer.subscription.updated", can_ask=False)
    assert [one.mrr_minor for one in part.facts if isinstance(one, SubscriptionFact)] == [10_000]
    assert part.asks == ()


async def test_the_end_of_a_discount_is_among_the_changes_that_are_pulled(eyes: Eyes) -> None:
    made = await eyes.office.company(amount=10_000, currency="usd")
    await redeem(eyes.office, made, {"percent": 15.0, "months": 1})
    anchor = (await eyes.reader.page("events", {}, await eyes.now())).cursor
    await eyes.office.advance(days=32)
    page = await eyes.reader.page("events", anchor, await eyes.now())
    (told,) = [one for one in page.told if one.kind == "subscription"]
    assert told.id == made["subscription"]
    assert told.body["discounts"] == []


OPEN_TERMS = "SELECT mrr_minor, discount FROM subscriptions WHERE ended_at IS NULL"


async def test_a_subscription_from_before_the_connection_brings_less_from_when_its_discount_was_heard_of(
    database: Database, office: StripeOffice
) -> None:
    await office.control("POST", "/reset")
    await office.set_clock((dt.datetime.now(dt.UTC) - dt.timedelta(days=20)).isoformat())
    made = await office.company(amount=10_000, currency="usd")
    await office.advance(days=20)
    await connect(database, "stripe", office.url, customers=True)
    await pull(database, "stripe")
    assert await rows(database, OPEN_TERMS) == [(10_000, None)]
    await redeem(office, made, {"percent": 15.0, "months": 3})
    async with database.transaction() as session:
        await ask_for(session, "stripe", DISCOUNTED, made["subscription"])
    activities, environment = await activities_of(database), ActivityEnvironment()
    asked = await environment.run(activities.pull_stream, PullStreamInput("stripe", ASKED))
    assert asked.stored == 1
    reduced = [(8_500, 0.15)]
    assert await rows(database, OPEN_TERMS) == reduced
    assert await rows(database, "SELECT arr_minor FROM customers") == [(102_000,)]
    assert await rows(database, "SELECT count(*) FROM subscriptions WHERE started_at < ended_at") == [(1,)]
    await pull(database, "stripe")
    assert await rows(database, OPEN_TERMS) == reduced, "the pull says the same"


def subscribed(**more: Any) -> dict[str, Any]:
    price = {"id": "price_1", "unit_amount": 10_000, "currency": "usd", "recurring": {"interval": "month"}}
    item = {"id": "si_1", "object": "subscription_item", "price": price, "quantity": 1, "discounts": ["di_1"]}
    return {
        "id": "sub_1",
        "object": "subscription",
        "created": 1_700_000_000,
        "customer": "cus_1",
        "currency": "usd",
        "status": "active",
        "items": {"object": "list", "data": [item]},
        **more,
    }


ITEMS, ONE = "GET /v1/subscription_items", "GET /v1/subscriptions/sub_1"


async def read_one(scripted: ScriptedStripe) -> SubscriptionFact:
    async with served(scripted) as url, reading(url) as reader:
        (told,) = await reader.one("subscriptions", "sub_1")
        (fact,) = reader.facts_of(told, BusinessInstant(epoch(1_700_000_001)), AS_TOLD)[0]
    assert isinstance(fact, SubscriptionFact)
    return fact


async def test_discounts_of_single_items_are_read_by_themselves() -> None:
    coupon = {"id": "co_1", "percent_off": 20, "duration": "forever"}
    discount = {"id": "di_1", "object": "discount", "end": None, "source": {"coupon": coupon}}
    scripted = ScriptedStripe()
    scripted.on(ONE, Reply(subscribed(discounts=[])))
    scripted.on(ITEMS, listed({"id": "si_1", "discounts": [discount]}))
    assert (await read_one(scripted)).mrr_minor == 8_000
    (asked,) = scripted.told(ITEMS)
    assert asked.form["subscription"] == "sub_1"
    assert asked.form["expand[]"] == "data.discounts.source.coupon"


async def test_a_key_that_may_not_read_coupons_still_reads_subscriptions() -> None:
    scripted = ScriptedStripe()
    scripted.on(ONE, FORBIDDEN, Reply(subscribed(discounts=["di_2"])))
    scripted.on(ITEMS, FORBIDDEN)
    assert (await read_one(scripted)).mrr_minor == 10_000
    assert [one.form.get("expand[]") for one in scripted.told(ONE)] == ["discounts.source.coupon", None]
