"""The adapter against a simulated account that keeps books: what it does is done, once, and can be seen."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.billing import DiscountOrder, FinalAction, InvoiceStatus, Retries
from domain.errors import PermanentProviderError, UncertainDeliveryError
from domain.facts import CancellationFact, SubscriptionFact
from domain.timeline import AS_TOLD
from integrations.billing import open_billing
from integrations.simulators.providers import Simulated
from integrations.simulators.server import SimulatorOptions
from integrations.simulators.stripe.account import STRIPE_KEY, SimulatedStripe
from integrations.stripe_billing import StripeBilling
from integrations.stripe_facts import facts_of
from integrations.stripe_http import StripeAccount
from models.clock import wall_now
from tests.support.simulators import running_simulators

pytestmark = pytest.mark.integration
AUTHORIZED = {"Authorization": f"Bearer {STRIPE_KEY}"}


@dataclass
class Simulator:
    """The account's own API and the one that turns it."""

    url: str
    http: httpx.AsyncClient

    async def turn(self, path: str, **told: Any) -> Any:
        answer = await self.http.post(f"/_control/stripe/{path}", json=told)
        assert answer.is_success, answer.text
        return answer.json()

    async def company(self, *results: str, **told: Any) -> dict[str, str]:
        """Return the ids of a company whose next invoice was charged with the first of these results."""
        made: dict[str, str] = await self.turn("companies", name="Acme", card={"results": results}, **told)
        if results:
            made["invoice"] = (await self.turn(f"subscriptions/{made['subscription']}/next-invoice"))["id"]
        return made

    async def v1(self, method: str, path: str, **told: Any) -> Any:
        headers = {"Authorization": f"Bearer {STRIPE_KEY}"}
        answer = await self.http.request(method, f"/stripe/v1/{path}", data=told or None, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    async def charges(self, invoice: str) -> list[str]:
        held = (await self.http.get("/_control/stripe/charges")).json()
        return [charge["status"] for charge in held if charge["invoice"] == invoice]


@pytest.fixture
async def stripe(tmp_path: Path) -> AsyncIterator[Simulator]:
    options = SimulatorOptions(tmp_path, 0, simulations={"stripe": Simulated(SimulatedStripe([]))})
    async with (
        running_simulators(options) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=30.0) as http,
    ):
        yield Simulator(url, http)


@pytest.fixture
async def billing(stripe: Simulator) -> AsyncIterator[StripeBilling]:
    opened = StripeBilling(StripeAccount(STRIPE_KEY, f"{stripe.url}/stripe"), AS_TOLD, Retries.EVERSTAY)
    yield opened
    await opened.close()


async def test_an_unpaid_invoice_is_collected_once_under_one_delivery_id(
    stripe: Simulator, billing: StripeBilling
) -> None:
    made = await stripe.company("insufficient_funds", "insufficient_funds", "ok")
    before = await billing.invoice(made["invoice"])
    assert before is not None
    assert (before.status, before.remaining_minor) == (InvoiceStatus.OPEN, 10_000)
    assert before.decline is not None
    assert (before.decline.code, before.decline.network_code) == ("insufficient_funds", "51")
    assert before.method is not None
    assert (before.method.brand, before.method.last4, before.method.expires) == ("visa", "4242", (2030, 8))
    assert (before.subscription_key, before.subscription_status) == (made["subscription"], "past_due")
    for _ in range(2):
        declined = await billing.collect(made["invoice"], "d1")
        assert declined.decline is not None
        assert (declined.succeeded, declined.decline.advice) == (False, "try_again_later")
    for _ in range(2):
        assert (await billing.collect(made["invoice"], "d2")).succeeded
    after = await billing.invoice(made["invoice"])
    assert after is not None
    assert (after.status, after.remaining_minor, after.attempts) == (InvoiceStatus.PAID, 0, 3)
    assert await stripe.charges(made["invoice"]) == ["failed", "failed", "succeeded"]
    found = await billing.find_collection(made["invoice"], before.issued_at)
    assert found is not None
    assert (found.succeeded, found.amount_minor) == (True, 10_000)


async def test_a_new_delivery_id_on_a_paid_invoice_charges_nothing_and_is_a_success(
    stripe: Simulator, billing: StripeBilling
) -> None:
    made = await stripe.company()
    assert (await billing.collect(made["invoice"], "d1")).succeeded
    assert await stripe.charges(made["invoice"]) == ["succeeded"]


async def test_a_lost_answer_is_in_doubt_and_its_repeat_is_the_same_charge(
    stripe: Simulator, billing: StripeBilling
) -> None:
    made = await stripe.company("insufficient_funds", "ok")
    fault = {"fault": "drop", "method": "POST", "path": f"/v1/invoices/{made['invoice']}/pay"}
    answer = await stripe.http.post("/_control/stripe/faults", json=[fault])
    assert answer.is_success, answer.text
    with pytest.raises(UncertainDeliveryError):
        await billing.collect(made["invoice"], "d1")
    found = await billing.find_collection(made["invoice"], AS_TOLD.segments[0].business_start)
    assert found is not None
    assert found.succeeded
    assert (await billing.collect(made["invoice"], "d1")).succeeded
    assert await stripe.charges(made["invoice"]) == ["failed", "succeeded"]


@pytest.mark.parametrize(
    ("result", "expected"), [("authentication_required", (True, False)), ("pending", (False, True))]
)
async def test_a_charge_that_asks_the_customer_or_is_under_way_says_so(
    stripe: Simulator, billing: StripeBilling, result: str, expected: tuple[bool, bool]
) -> None:
    made = await stripe.company("insufficient_funds", result)
    attempt = await billing.collect(made["invoice"], "d1")
    assert (attempt.needs_customer, attempt.pending) == expected
    now = await billing.invoice(made["invoice"])
    assert now is not None
    assert now.pending is expected[1]


async def test_parts_rests_and_disputes_are_seen(stripe: Simulator, billing: StripeBilling) -> None:
    made = await stripe.company("insufficient_funds", "ok")
    await stripe.turn("pay", invoice=made["invoice"], amount=4_000)
    part = await billing.invoice(made["invoice"])
    assert part is not None
    assert (part.paid_minor, part.remaining_minor) == (4_000, 6_000)
    await billing.end_subscription(made["subscription"], FinalAction.PAUSE, "d1", "unpaid")
    resting = await billing.invoice(made["invoice"])
    assert resting is not None
    assert resting.is_paused
    assert (await billing.collect(made["invoice"], "d2")).succeeded
    dispute = await stripe.turn("disputes", invoice=made["invoice"])
    disputed = await billing.invoice(made["invoice"])
    assert disputed is not None
    assert disputed.is_disputed
    await stripe.turn(f"disputes/{dispute['id']}/close", status="won")
    closed = await billing.invoice(made["invoice"])
    assert closed is not None
    assert not closed.is_disputed


async def test_an_end_and_a_write_off_may_be_repeated(stripe: Simulator, billing: StripeBilling) -> None:
    made = await stripe.company("insufficient_funds")
    for delivery_id in ("d1", "d1", "d2"):
        await billing.write_off(made["invoice"], delivery_id)
        await billing.end_subscription(made["subscription"], FinalAction.CANCEL, delivery_id, "unpaid")
    left = await billing.invoice(made["invoice"])
    assert left is not None
    assert (left.status, left.subscription_status) == (InvoiceStatus.UNCOLLECTIBLE, "canceled")
    await stripe.turn("idempotency/forget")
    await billing.write_off(made["invoice"], "d1")


async def test_what_we_end_for_want_of_payment_is_told_as_such_and_not_as_the_customers_wish(
    stripe: Simulator, billing: StripeBilling
) -> None:
    ours, theirs = await stripe.company(), await stripe.company()
    await billing.end_subscription(
        ours["subscription"], FinalAction.CANCEL, "d1", "The invoice was not paid."
    )
    for made, expected in ((ours, [(True, "Everstay: The invoice was not paid.")]), (theirs, [])):
        page = f"/stripe/v1/subscriptions/{made['subscription']}"
        if made is theirs:
            await stripe.http.delete(page, headers=AUTHORIZED)
        held = (await stripe.http.get(page, headers=AUTHORIZED)).json()
        assert (held["status"], held["cancellation_details"]["reason"]) == (
            "canceled",
            "cancellation_requested",
        )
        facts = facts_of("subscription", held, AS_TOLD.happened_at(wall_now()), AS_TOLD)
        said = [
            (one.involuntary, one.comment, one.occurred_at)
            for one in facts
            if isinstance(one, CancellationFact)
        ]
        [term] = [one for one in facts if isinstance(one, SubscriptionFact)]
        assert said == [(*one, term.ended_at) for one in expected]


async def test_a_discount_is_made_once_used_on_the_way_back_and_withdrawn_if_not(
    stripe: Simulator, billing: StripeBilling
) -> None:
    made = await stripe.company()
    customer = made["customer"]
    order = DiscountOrder("d1", customer, "Come back", 20.0, months=3)
    receipt = await billing.grant(order)
    assert await billing.grant(order) == receipt
    assert await billing.find_grant(customer, "d1") == receipt
    assert await billing.find_grant(customer, "d2") is None
    await billing.end_subscription(made["subscription"], FinalAction.CANCEL, "d3", "left")
    link = await billing.reactivation_link(customer, None, receipt, "https://us.example/back")
    assert link is not None
    assert link.expires_at is not None
    await billing.withdraw(receipt.key, "d4")
    await billing.withdraw(receipt.key, "d4")
    (code,) = (await stripe.http.get("/_control/stripe/promotion-codes")).json()
    assert (code["active"], code["customer"], code["max_redemptions"]) == (False, customer, 1)
    assert await billing.reactivation_link(customer, None, None, "https://us.example/back") != link
    with pytest.raises(PermanentProviderError):
        await billing.reactivation_link(customer, None, receipt, "https://us.example/back")


async def test_nobody_subscribes_twice_however_often_they_click(
    stripe: Simulator, billing: StripeBilling
) -> None:
    made = await stripe.company()
    customer, back = made["customer"], "https://us.example/back"
    receipt = await billing.grant(DiscountOrder("d1", customer, "Come back", 20.0, months=3))
    assert await billing.reactivation_link(customer, None, receipt, back) is None, "they never left"
    await billing.end_subscription(made["subscription"], FinalAction.CANCEL, "d3", "left")
    first, second = await asyncio.gather(
        billing.reactivation_link(customer, None, receipt, back),
        billing.reactivation_link(customer, None, receipt, back),
    )
    assert first is not None
    assert first == second == await billing.reactivation_link(customer, None, receipt, back)
    plain = await billing.reactivation_link(customer, None, None, back)
    assert plain is not None
    for place, is_open in ((first.url, False), (plain.url, True), (plain.url, False)):
        answer = await stripe.http.post(f"{place}/pay", data={"card": "pm_card_visa"})
        assert ("refused" not in answer.headers["location"]) is is_open, answer.headers["location"]
    assert await billing.reactivation_link(customer, None, None, back) is None, "they are back"
    newest = (await stripe.v1("GET", f"subscriptions?customer={customer}"))["data"][0]
    await billing.end_subscription(newest["id"], FinalAction.CANCEL, "d5", "left")
    again = await billing.reactivation_link(customer, None, None, back)
    assert again is not None
    assert again != plain, "a later return is another one"


async def test_the_page_for_another_card_is_the_portals(stripe: Simulator, billing: StripeBilling) -> None:
    made = await stripe.company("expired_card")
    link = await billing.update_link(made["customer"], "https://us.example/back")
    assert link.url.startswith("http")


async def test_the_check_warns_where_stripe_would_retry_too(stripe: Simulator) -> None:
    answer = await stripe.http.patch("/_control/stripe/switches", json={"smart_retries": True})
    assert answer.is_success
    await stripe.company("insufficient_funds")
    options = {"base_url": f"{stripe.url}/stripe", "retries": "everstay"}
    async with open_billing("stripe", options, {"token": STRIPE_KEY}, AS_TOLD) as billing:
        said = await billing.check()
    readable = "customers, subscriptions, payment intents, charges, disputes, coupons, promotion codes"
    assert said.startswith(f"For billing it may read invoices, {readable}")
    assert "Warning: Stripe itself would try 1 open invoices again" in said


async def test_a_card_that_was_entered_later_is_charged_though_the_subscription_has_one_of_its_own(
    stripe: Simulator, billing: StripeBilling
) -> None:
    made = await stripe.company("insufficient_funds", "stolen_card")
    own, path = made["payment_method"], f"subscriptions/{made['subscription']}"
    await stripe.v1("POST", path, default_payment_method=own)
    page = (await billing.update_link(made["customer"], "https://everstay.example/back")).url
    await stripe.turn("clock/advance", seconds=60)
    card = {"card": "pm_card_mastercard"}
    entered = await stripe.http.post(f"{page}/card", data=card, follow_redirects=True)
    assert entered.is_success, entered.text
    seen = await billing.invoice(made["invoice"])
    assert seen is not None
    assert seen.method is not None
    assert seen.method.brand == "mastercard"
    assert (await billing.collect(made["invoice"], "d1")).succeeded
    assert (await stripe.v1("GET", path))["default_payment_method"] != own
