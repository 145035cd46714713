"""What Stripe's events tell of invoices, disputes and subscriptions, in both shapes and on both clocks."""

import datetime as dt
from typing import Any

import pytest

from domain.facts import CancellationFact, InvoiceFact, SubscriptionFact
from domain.pulling import epoch
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline
from domain.webhook_messages import Asked, Part, ReadingContext
from integrations.provider_http import ProviderHttp
from integrations.stripe_client import StripeReader, stripe_account
from integrations.webhook_readers import read_delivery
from tests.support.stripe_answers import Reply, ScriptedStripe, listed, missing, served
from tests.support.stripe_objects import AT, DAY, FORBIDDEN, ISSUED, invoice, paid, subscription
from tests.support.webhooks import json_body

RECEIVED = WallInstant(AT + 2 * DAY)
PLAIN = Timeline((Segment(WallInstant(AT - DAY), BusinessInstant(AT - DAY), 1.0),))
COMPRESSED = Timeline((Segment(WallInstant(AT), BusinessInstant(AT + 365 * DAY), 24.0),))
NEW = {"parent": {"subscription_details": {"subscription": "sub_1"}}}
OLD = {"parent": None, "payments": None, "subscription": "sub_1", "payment_intent": "pi_1", "charge": "ch_1"}


def heard(topic: str, held: Any, timeline: Timeline = PLAIN, **options: Any) -> list[Part]:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": topic,
        "created": ISSUED + 60,
        "data": {"object": held},
    }
    return read_delivery("stripe", json_body(event), ReadingContext(RECEIVED, timeline, options))


@pytest.mark.parametrize("shape", [NEW, OLD], ids=["new", "old"])
@pytest.mark.parametrize(
    ("topic", "held", "status", "failed"),
    [
        ("invoice.payment_failed", invoice(attempt_count=2), "open", 2),
        ("invoice.updated", invoice(attempt_count=0), "open", 0),
        ("invoice.payment_succeeded", paid(), "paid", 0),
        ("invoice.paid", paid(), "paid", 0),
        ("invoice.voided", invoice(status="void"), "void", 1),
        ("invoice.marked_uncollectible", invoice(status="uncollectible"), "uncollectible", 1),
    ],
)
def test_what_becomes_of_an_invoice_is_told_in_both_shapes(
    topic: str, held: dict[str, Any], status: str, failed: int, shape: dict[str, Any]
) -> None:
    (part,) = heard(topic, held | shape)
    (fact,) = part.facts
    assert isinstance(fact, InvoiceFact)
    assert (fact.key, fact.status, fact.failed_attempts) == ("in_1", status, failed)
    assert (part.stream, part.object_id, fact.known_at) == ("invoices", "in_1", AT + dt.timedelta(minutes=1))


@pytest.mark.parametrize("topic", ["charge.dispute.created", "charge.dispute.closed"])
def test_a_dispute_asks_for_the_invoice_of_its_payment(topic: str) -> None:
    (part,) = heard(topic, {"id": "dp_1", "object": "dispute", "charge": "ch_1", "payment_intent": "pi_1"})
    assert part.asks == (Asked("payment_intents", "pi_1"),)
    assert heard(topic, {"id": "dp_1", "object": "dispute", "charge": "ch_1", "payment_intent": None}) == []


def test_a_subscription_that_is_paused_or_deleted_is_told() -> None:
    price = {"id": "price_1", "currency": "eur", "unit_amount": 900, "recurring": {"interval": "month"}}
    items = {"data": [{"id": "si_1", "price": price, "quantity": 2}]}
    known = {"customer": "cus_1", "items": items}
    (part,) = heard("customer.subscription.paused", subscription(status="paused", **known))
    (term,) = part.facts
    assert isinstance(term, SubscriptionFact)
    assert (term.status, term.ended_at) == ("unpaid", None)
    why = {"reason": "payment_failed", "feedback": None}
    ended = {"status": "canceled", "ended_at": ISSUED, "cancellation_details": why}
    (part,) = heard("customer.subscription.deleted", subscription(**known, **ended))
    term, left = part.facts
    assert isinstance(term, SubscriptionFact)
    assert isinstance(left, CancellationFact)
    assert (term.ended_at, left.involuntary) == (AT, True)


def test_on_the_walls_clock_instants_are_mapped_and_on_the_business_clock_taken_as_they_are() -> None:
    (mapped,) = heard("invoice.updated", invoice(), COMPRESSED)
    (fact,) = mapped.facts
    assert isinstance(fact, InvoiceFact)
    assert (fact.issued_at, fact.known_at) == (AT + 365 * DAY, AT + 365 * DAY + dt.timedelta(minutes=24))
    (as_told,) = heard("invoice.updated", invoice(), COMPRESSED, clock="business")
    (fact,) = as_told.facts
    assert isinstance(fact, InvoiceFact)
    assert (fact.issued_at, fact.known_at) == (AT, AT + dt.timedelta(minutes=1))


def test_on_the_business_clock_too_nothing_is_known_before_we_heard_of_it() -> None:
    late = 1000 * DAY
    event_of_later = {"created": ISSUED + late.total_seconds(), "data": {"object": invoice()}}
    context = ReadingContext(RECEIVED, COMPRESSED, {"clock": "business"})
    (part,) = read_delivery("stripe", json_body(event_of_later), context)
    assert part.facts[0].known_at == COMPRESSED.happened_at(RECEIVED)


PAYMENTS = "GET /v1/invoice_payments"


@pytest.mark.integration
@pytest.mark.parametrize(
    "replies",
    [
        {PAYMENTS: listed({"id": "inpay_1", "invoice": "in_1"})},
        {
            PAYMENTS: missing("/v1/invoice_payments"),
            "GET /v1/payment_intents/pi_1": Reply({"invoice": "in_1"}),
        },
    ],
    ids=["new", "old"],
)
async def test_the_invoice_of_a_disputed_payment_is_read_anew(replies: dict[str, Reply]) -> None:
    scripted = ScriptedStripe({request: [reply] for request, reply in replies.items()})
    scripted.on("GET /v1/invoices/in_1", Reply(invoice()))
    dispute = {"id": "dp_1", "object": "dispute", "payment_intent": "pi_1"}
    event = {"id": "evt_2", "created": ISSUED + 60, "data": {"object": dispute}}
    scripted.on("GET /v1/events", listed(event))
    async with served(scripted) as url:
        http = ProviderHttp(stripe_account({"base_url": url}, {"token": "rk_test_1"}), tries=1)
        reader = StripeReader(http)
        (asked,) = await reader.one("payment_intents", "pi_1")
        page = await reader.page("events", {"event": "evt_1"}, WallInstant(AT))
        await http.close()
    assert (asked.kind, asked.id) == ("invoice", "in_1")
    (told,) = page.told
    assert (told.kind, told.id, told.changed_at) == ("invoice", "in_1", epoch(ISSUED + 60))


@pytest.mark.integration
async def test_a_key_that_may_not_read_payments_goes_on_without_disputes() -> None:
    scripted = ScriptedStripe({PAYMENTS: [FORBIDDEN], "GET /v1/payment_intents/pi_1": [FORBIDDEN]})
    async with served(scripted) as url:
        http = ProviderHttp(stripe_account({"base_url": url}, {"token": "rk_test_1"}), tries=1)
        assert await StripeReader(http).one("payment_intents", "pi_1") == []
        await http.close()
