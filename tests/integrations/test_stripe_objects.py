"""Every object that Stripe publishes goes through its library and our readings; some tell."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import stripe

from domain.billing import Collection, InvoiceStatus, PaymentMethod
from domain.time import BusinessInstant, WallInstant
from domain.timeline import AS_TOLD
from domain.webhook_messages import ReadingContext
from integrations.stripe_discounts import receipt_of
from integrations.stripe_evidence import (
    InvoiceReading,
    attempt_since,
    charge_decline,
    evidence_of,
    method_of,
    result_of,
)
from integrations.stripe_facts import facts_of, hints_of
from integrations.stripe_shapes import disputed_payment, payments_of, subscription_of
from integrations.stripe_times import StripeTimes
from integrations.webhook_readers import read_delivery
from tests.support.imports import shared_data

TIMES = StripeTimes(AS_TOLD)
CREATED = BusinessInstant(dt.datetime.fromtimestamp(1234567890, dt.UTC))
NOW = WallInstant(dt.datetime(2026, 7, 1, tzinfo=dt.UTC))
Body = Mapping[str, Any]


def fixtures() -> dict[str, dict[str, Any]]:
    """All of them; none where the shared data is not beside this repository, and then a test says so."""
    try:
        path = shared_data("stripe-fixtures") / "fixtures3.json"
    except pytest.skip.Exception:
        return {}
    resources: dict[str, dict[str, Any]] = json.loads(path.read_text())["resources"]
    return resources


FIXTURES = fixtures()


def test_the_fixtures_are_all_there() -> None:
    shared_data("stripe-fixtures")
    assert len(FIXTURES) == 176


MET = (
    *("invoice", "invoice_payment", "charge", "payment_intent", "payment_method", "dispute"),
    *("customer", "subscription", "coupon", "promotion_code", "discount", "event"),
    *("checkout.session", "billing_portal.session", "billing_portal.configuration"),
)
"""What the adapter is answered with."""


def constructed(body: Body) -> stripe.StripeObject:
    return stripe.StripeObject.construct_from(dict(body), "sk_test_1")


def through_the_library(body: Body) -> Body:
    return constructed(body).to_dict()


def read_invoice(body: Body) -> Any:
    read = InvoiceReading(body)
    assert payments_of(body) == []
    return evidence_of(read, TIMES.at), result_of(read, TIMES.at), attempt_since(read, CREATED, TIMES.at)


READINGS: Mapping[str, Callable[[Body], Any]] = {
    "invoice": read_invoice,
    "charge": charge_decline,
    "payment_method": method_of,
    "card": method_of,
    "bank_account": method_of,
    "source": method_of,
    "payment_intent": lambda body: result_of(InvoiceReading(FIXTURES["invoice"], intents=[body]), TIMES.at),
    "promotion_code": receipt_of,
    "dispute": disputed_payment,
}
"""Beside facts and hints, which every object is asked for."""


@pytest.mark.parametrize("name", FIXTURES)
def test_every_object_goes_through_the_library_and_our_readings(name: str) -> None:
    body = through_the_library(FIXTURES[name])
    assert constructed(body).to_dict(for_json=True) == FIXTURES[name]
    kind = str(body["object"])
    if not body.get("deleted"):
        facts_of(kind, body, CREATED, AS_TOLD)
        READINGS.get(kind, dict)(body)
    hints_of(kind, body)


@pytest.mark.parametrize("name", [name for name in MET if name in FIXTURES])
def test_what_we_are_answered_with_is_of_the_librarys_own_class_and_keeps_every_word(name: str) -> None:
    made = stripe.convert_to_stripe_object(FIXTURES[name], "sk_test_1")
    assert isinstance(made, stripe.StripeObject)
    assert type(made) is not stripe.StripeObject
    assert made.to_dict(for_json=True) == FIXTURES[name]


@pytest.mark.parametrize("name", FIXTURES)
def test_an_event_of_every_object_is_understood_or_concerns_nobody(name: str) -> None:
    event = {**FIXTURES["event"], "data": {"object": FIXTURES[name]}}
    body = json.dumps(event).encode()
    parts = read_delivery("stripe", body, ReadingContext(NOW, AS_TOLD))
    assert all(part.problem is None for part in parts)
    kinds = {"customer", "subscription", "invoice"}
    assert bool(parts) == (FIXTURES[name]["object"] in kinds)


def test_the_invoice_tells_how_it_stands() -> None:
    evidence = evidence_of(InvoiceReading(through_the_library(FIXTURES["invoice"])), TIMES.at)
    assert (evidence.key, evidence.customer_key) == ("in_1Pgc6tB7WZ01zgkWu9fdqL6I", "cus_QXg1o8vcGmoR32")
    assert (evidence.status, evidence.collection) == (InvoiceStatus.DRAFT, Collection.CHARGE)
    money = (evidence.currency, evidence.due_minor, evidence.paid_minor, evidence.remaining_minor)
    assert money == ("USD", 1000, 0, 1000)
    assert evidence.subscription_key == "subscription"
    assert evidence.issued_at == evidence.due_at == evidence.next_attempt_at == CREATED
    assert (evidence.method, evidence.decline, evidence.pending) == (None, None, False)


def test_the_payment_method_is_known_by_its_cards_fingerprint() -> None:
    found = method_of(through_the_library(FIXTURES["payment_method"]))
    assert found == PaymentMethod("AOB934RVNwzk6xtn", "visa", "4242", "US", (2030, 8))


def test_a_source_without_a_fingerprint_is_known_by_its_id() -> None:
    body = {"id": "src_1", "object": "source", "type": "ach_debit", "ach_debit": {"last4": "6789"}}
    found = method_of(through_the_library(body))
    assert found is not None
    assert found.key == "src_1"


def test_the_paused_subscription_rests() -> None:
    read = InvoiceReading(FIXTURES["invoice"], subscription=through_the_library(FIXTURES["subscription"]))
    evidence = evidence_of(read, TIMES.at)
    assert (evidence.subscription_status, evidence.is_paused) == ("active", True)


@pytest.mark.parametrize(("status", "is_open"), [("warning_needs_response", True), ("won", False)])
def test_a_dispute_counts_while_it_is_open(status: str, *, is_open: bool) -> None:
    dispute = {**through_the_library(FIXTURES["dispute"]), "status": status}
    evidence = evidence_of(InvoiceReading(FIXTURES["invoice"], disputes=[dispute]), TIMES.at)
    assert evidence.is_disputed is is_open


def test_a_successful_charge_is_an_attempt_that_succeeded() -> None:
    read = InvoiceReading(FIXTURES["invoice"], charges=[through_the_library(FIXTURES["charge"])])
    found = attempt_since(read, CREATED, TIMES.at)
    assert found is not None
    assert (found.succeeded, found.amount_minor, found.at) == (True, 100, CREATED)


def test_a_promotion_code_tells_whether_it_was_used() -> None:
    body = through_the_library(FIXTURES["promotion_code"])
    assert (receipt_of(body).code, receipt_of(body).is_redeemed) == ("FALL20", False)
    assert receipt_of({**body, "times_redeemed": 1}).is_redeemed


OLD_INVOICE = {
    "id": "in_1",
    "object": "invoice",
    "created": 1700000000,
    "customer": "cus_1",
    "currency": "eur",
    "status": "open",
    "billing": "charge_automatically",
    "amount_due": 5000,
    "amount_paid": 2000,
    "amount_remaining": 3000,
    "attempt_count": 2,
    "subscription": "sub_1",
    "payment_intent": "pi_1",
    "charge": "ch_1",
}


def test_an_invoice_of_the_shape_before_2025_is_read_as_well() -> None:
    assert payments_of(OLD_INVOICE) == [("payment_intent", "pi_1")]
    assert payments_of({**OLD_INVOICE, "payment_intent": None}) == [("charge", "ch_1")]
    assert subscription_of(OLD_INVOICE) == "sub_1"
    evidence = evidence_of(InvoiceReading(OLD_INVOICE), TIMES.at)
    assert (evidence.subscription_key, evidence.remaining_minor, evidence.attempts) == ("sub_1", 3000, 2)


def test_an_invoice_of_the_shape_since_2025_has_a_list_of_payments() -> None:
    payments = [
        {"payment": {"type": "payment_intent", "payment_intent": "pi_1"}},
        {"payment": {"type": "charge", "charge": "ch_2"}},
        {"payment": {"type": "payment_record", "payment_record": "pr_1"}},
    ]
    invoice = {"payments": {"object": "list", "data": payments}}
    assert payments_of(invoice) == [("payment_intent", "pi_1"), ("charge", "ch_2")]


def test_the_newest_failed_charge_says_why() -> None:
    outcome = {
        "reason": "insufficient_funds",
        "advice_code": "try_again_later",
        "network_decline_code": "51",
        "network_advice_code": "02",
    }
    older = {"id": "ch_1", "status": "failed", "created": 1700000000, "failure_code": "expired_card"}
    newer = {"status": "failed", "created": 1700086400, "failure_code": "card_declined", "outcome": outcome}
    read = InvoiceReading(OLD_INVOICE, charges=[{**older, **newer}, older])
    decline = evidence_of(read, TIMES.at).decline
    assert decline is not None
    assert (decline.code, decline.advice) == ("insufficient_funds", "try_again_later")
    assert (decline.network_code, decline.network_advice) == ("51", "02")
    assert decline.at == TIMES.at(1700086400)


def test_a_currency_that_stripe_writes_with_two_decimals_is_read_in_our_units() -> None:
    evidence = evidence_of(InvoiceReading({**OLD_INVOICE, "currency": "isk"}), TIMES.at)
    assert (evidence.due_minor, evidence.remaining_minor) == (50, 30)
