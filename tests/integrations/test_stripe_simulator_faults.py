"""What goes wrong on the way to a payment provider: lost answers, repeats, locks, and its webhooks."""

import asyncio
import json
from typing import Any

import pytest
import stripe

from integrations.simulators.stripe.account import WEBHOOK_SECRET
from tests.support.simulators import Receiver, running_receiver, until, until_true
from tests.support.stripe_simulator import LIBRARY_WARNS, StripeOffice, open_office

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings(LIBRARY_WARNS)]
START = "2026-03-01T09:00:00+00:00"


async def test_the_same_key_is_one_request(office: StripeOffice) -> None:
    made, pay = await office.unpaid("insufficient_funds", "ok"), office.v1.invoices.pay_async
    paid = await pay(made["invoice"], {"expand": ["payments"]}, {"idempotency_key": "one"})
    again = await pay(made["invoice"], {"expand": ["payments"]}, {"idempotency_key": "one"})
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.to_dict() == paid.to_dict()
    assert again.last_response.headers["Original-Request"] == paid.last_response.request_id
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        await pay(made["invoice"], {}, {"idempotency_key": "one"})
    await office.control("POST", "/idempotency/forget")
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        await pay(made["invoice"], {"expand": ["payments"]}, {"idempotency_key": "one"})
    assert len(await office.charges()) == 3


async def test_a_refusal_is_remembered_as_well_and_what_was_not_executed_is_not(office: StripeOffice) -> None:
    made, key = await office.unpaid("insufficient_funds"), {"idempotency_key": "one"}
    for replayed in (None, "true"):
        with pytest.raises(stripe.CardError) as caught:
            await office.v1.invoices.pay_async(made["invoice"], {}, key)
        assert (caught.value.headers or {}).get("Idempotent-Replayed") == replayed
    assert len(await office.charges()) == 3
    with pytest.raises(stripe.InvalidRequestError):
        await office.v1.customers.create_async({"colour": "green"}, {"idempotency_key": "two"})
    created = await office.v1.customers.create_async({"name": "Globex"}, {"idempotency_key": "two"})
    assert created.name == "Globex"


async def test_a_key_that_is_in_flight_is_a_conflict(office: StripeOffice) -> None:
    made, key = await office.unpaid("insufficient_funds", "ok"), {"idempotency_key": "one"}
    await office.fail("slow", path="/v1/invoices", method="POST", seconds=2.0)
    first = asyncio.create_task(office.v1.invoices.pay_async(made["invoice"], {}, key))

    async def is_charged() -> bool:
        return len(await office.charges()) == 3

    await until_true(is_charged)
    with pytest.raises(stripe.StripeError) as caught:
        await office.v1.invoices.pay_async(made["invoice"], {}, key)
    assert caught.value.http_status == 409
    assert '"idempotency_key_in_use"' in str(caught.value.http_body)
    assert (await first).status == "paid"


@pytest.mark.parametrize(("fault", "charges"), [("drop", 3), ("hang", 3), ("reset", 2), ("timeout", 2)])
async def test_an_answer_is_lost_after_or_before_the_charge(
    office: StripeOffice, fault: str, charges: int
) -> None:
    made, key = await office.unpaid("insufficient_funds", "ok"), {"idempotency_key": "one"}
    await office.fail(fault, method="POST", customer=made["customer"], seconds=0.2)
    with pytest.raises(stripe.APIConnectionError):
        await office.v1.invoices.pay_async(made["invoice"], {}, key)
    assert len(await office.charges()) == charges
    paid = await office.v1.invoices.pay_async(made["invoice"], {}, key)
    assert (paid.status, len(await office.charges())) == ("paid", 3)


async def test_limits_locks_and_errors_change_nothing(office: StripeOffice) -> None:
    made = await office.unpaid("insufficient_funds", "ok")
    other = await office.company("Initech")
    for fault, status in (("rate_limit", 429), ("lock_timeout", 429), ("server_error", 500)):
        await office.fail(fault, path="/v1/", customer=made["customer"], seconds=7)
        assert await office.v1.customers.retrieve_async(other["customer"])
        with pytest.raises(stripe.StripeError) as caught:
            await office.v1.invoices.pay_async(made["invoice"])
        assert caught.value.http_status == status
        assert (caught.value.headers or {}).get("Retry-After") == ("7" if fault == "rate_limit" else None)
    assert len([each for each in await office.charges() if each["customer"] == made["customer"]]) == 2


async def test_time_issues_invoices_and_the_provider_retries_them(office: StripeOffice) -> None:
    await office.set_clock(START)
    await office.control("PATCH", "/switches", {"smart_retries": True, "after_retries": "canceled"})
    made = await office.company(card={"results": ["insufficient_funds"]})
    await office.advance(days=31)
    [invoice, _] = (await office.v1.invoices.list_async({"customer": made["customer"]})).data
    assert (invoice.status, invoice.automatically_finalizes_at) == ("draft", invoice.created + 3600)
    await office.advance(days=1)
    invoice = await office.v1.invoices.retrieve_async(invoice.id)
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert invoice.status_transitions.finalized_at == invoice.created + 3600
    assert invoice.next_payment_attempt - invoice.status_transitions.finalized_at == 3 * 86400
    await office.advance(days=20)
    invoice = await office.v1.invoices.retrieve_async(invoice.id)
    subscription = await office.v1.subscriptions.retrieve_async(made["subscription"])
    assert (invoice.status, invoice.attempt_count, invoice.next_payment_attempt) == ("open", 4, None)
    assert (subscription.status, subscription.cancellation_details.reason) == ("canceled", "payment_failed")


async def test_a_manual_charge_does_not_disturb_the_schedule(office: StripeOffice) -> None:
    await office.set_clock(START)
    await office.control("PATCH", "/switches", {"smart_retries": True})
    made = await office.unpaid("insufficient_funds")
    planned = (await office.v1.invoices.retrieve_async(made["invoice"])).next_payment_attempt
    with pytest.raises(stripe.CardError):
        await office.v1.invoices.pay_async(made["invoice"])
    invoice = await office.v1.invoices.retrieve_async(made["invoice"])
    assert (invoice.attempt_count, invoice.next_payment_attempt) == (1, planned)


async def test_a_transfer_that_is_late_makes_the_subscription_past_due(office: StripeOffice) -> None:
    await office.set_clock(START)
    made = await office.company(collection_method="send_invoice", days_until_due=14, card=None)
    await office.advance(days=13)
    assert (await office.v1.subscriptions.retrieve_async(made["subscription"])).status == "active"
    await office.advance(days=2)
    assert (await office.v1.subscriptions.retrieve_async(made["subscription"])).status == "past_due"
    await office.control("POST", "/pay", {"invoice": made["invoice"]})
    assert (await office.v1.subscriptions.retrieve_async(made["subscription"])).status == "active"


async def test_offers_expire_and_a_pause_issues_nothing(office: StripeOffice) -> None:
    shown = await office.set_clock(START)
    assert shown["at"] == START
    made = await office.company()
    await office.v1.subscriptions.update_async(
        made["subscription"], {"pause_collection": {"behavior": "keep_as_draft"}}
    )
    coupon = await office.v1.coupons.create_async({"amount_off": 500, "currency": "eur", "duration": "once"})
    now = (await office.v1.customers.retrieve_async(made["customer"])).created
    code = await office.v1.promotion_codes.create_async(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "expires_at": now + 86400}
    )
    await office.advance(days=40)
    assert not (await office.v1.promotion_codes.retrieve_async(code.id)).active
    [draft, _] = (await office.v1.invoices.list_async({"customer": made["customer"]})).data
    assert (draft.status, draft.auto_advance) == ("draft", False)
    assert len(await office.charges()) == 1


async def test_events_are_signed_and_come_again_until_they_are_taken(office: StripeOffice) -> None:
    receiver = Receiver(status=500)
    async with running_receiver(receiver) as url:
        await office.control("PUT", "/webhook", {"url": url, "enabled_events": ["invoice.payment_failed"]})
        made = await office.unpaid("insufficient_funds")
        await until(lambda: len(receiver.requests) >= 1)
        receiver.status = 204
        await until(lambda: len(receiver.requests) >= 2)
    headers, body = receiver.requests[-1]
    event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], WEBHOOK_SECRET)
    assert (event.type, event.data.object["id"]) == ("invoice.payment_failed", made["invoice"])
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, headers["Stripe-Signature"], "whsec_another")
    [delivery] = await office.control("GET", "/deliveries")
    assert delivery["answers"][:1] == ["500"]
    assert delivery["kind"] == "invoice.payment_failed"


async def test_events_come_twice_and_out_of_order_in_the_older_shape(office: StripeOffice) -> None:
    receiver = Receiver()
    switches: dict[str, Any] = {
        "webhook_held": True,
        "webhook_duplicates": True,
        "webhook_out_of_order": True,
    }
    await office.control("PATCH", "/switches", {**switches, "api_version": "2025-02-24.acacia"})
    async with running_receiver(receiver) as url:
        wanted = ["invoice.*", "customer.subscription.*", "charge.*"]
        await office.control("PUT", "/webhook", {"url": url, "enabled_events": wanted})
        made = await office.unpaid("insufficient_funds")
        waiting = (await office.control("GET", "/"))["webhooks_waiting"]
        await office.control("PATCH", "/switches", {"webhook_held": False})
        await until(lambda: len(receiver.requests) >= 2 * waiting)
    events = [json.loads(body) for _, body in receiver.requests]
    ids = [event["id"] for event in events]
    assert ids[::2] == ids[1::2]
    told = [each["event"] for each in await office.control("GET", "/deliveries")]
    assert ids[::2] == told[::-1]
    assert {event["api_version"] for event in events} == {"2025-02-24.acacia"}
    shapes = {event["type"]: event["data"]["object"] for event in events}
    failed = shapes["invoice.payment_failed"]
    assert (failed["subscription"], failed["paid"]) == (made["subscription"], False)
    assert failed["charge"] == shapes["charge.failed"]["id"]
    assert "parent" not in failed
    assert failed["lines"]["data"][0]["price"]["id"] == made["price"]
    assert shapes["charge.failed"]["invoice"] == made["invoice"]
    subscription = shapes["customer.subscription.updated"]
    assert subscription["current_period_end"] > subscription["current_period_start"]
    assert "current_period_end" not in subscription["items"]["data"][0]


async def test_a_caller_on_an_older_version_gets_the_older_shape(office: StripeOffice) -> None:
    made = await office.unpaid("insufficient_funds")
    async with open_office(office.url, "2025-02-24.acacia") as older:
        invoice = (await older.v1.invoices.retrieve_async(made["invoice"])).to_dict()
    assert invoice["subscription"] == made["subscription"]
    assert invoice["payment_intent"].startswith("pi_")
