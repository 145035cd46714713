"""Every object that the simulator shows has the fields and types of Stripe's own fixtures."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from integrations.simulators.stripe.account import STRIPE_KEY
from tests.support.imports import shared_data
from tests.support.stripe_simulator import LIBRARY_WARNS, StripeOffice

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings(LIBRARY_WARNS)]

KEY = {"Authorization": f"Bearer {STRIPE_KEY}"}
LISTS = (
    "customers", "products", "prices", "payment_methods", "subscriptions", "invoices", "invoiceitems",
    "invoice_payments", "payment_intents", "charges", "disputes", "coupons", "promotion_codes", "events",
    "checkout/sessions", "webhook_endpoints", "billing_portal/configurations",
)  # fmt: skip
BEYOND = {
    "invoice_payment.payment": {"payment_intent"},
    "line_item.pricing": {"price_details"},
    "payment_intent.next_action": {"use_stripe_sdk"},
    "payment_intent.last_payment_error": {
        "advice_code", "charge", "code", "decline_code", "message", "network_decline_code",
        "network_advice_code",
    },
    "invoiceitem": {"created"},
}  # fmt: skip
"""Documented fields that the fixtures, which show one example each, leave out."""
FREE = {"metadata", "evidence", "previous_attributes", "payment_method_options", "fraud_details"}


def fixtures() -> dict[str, Any]:
    path = shared_data("stripe-fixtures") / "fixtures3.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["resources"]
    return loaded


def differences(ours: Any, theirs: Any, place: str, known: dict[str, Any]) -> Iterator[str]:
    """Yield what is unknown or of another kind; where Stripe's example is null, anything goes."""
    if ours is None or theirs is None:
        return
    if isinstance(ours, dict):
        yield from _in_object(ours, theirs, place, known)
    elif isinstance(ours, list) and isinstance(theirs, list):
        for value in ours:
            yield from differences(value, theirs[0] if theirs else None, place, known)
    elif _kind(ours) != _kind(theirs):
        yield f"{place} is {_kind(ours)}, not {_kind(theirs)}"


def _in_object(ours: dict[str, Any], theirs: Any, place: str, known: dict[str, Any]) -> Iterator[str]:
    name = str(ours.get("object"))
    model, where = (known[name], name) if name in known else (theirs, place)
    if not isinstance(model, dict):
        yield f"{place} is an object, not {_kind(model)}"
        return
    for field, value in ours.items():
        if field in FREE or field in BEYOND.get(where, ()):
            continue
        if field not in model:
            yield f"{where}.{field} is unknown"
        elif (where, field) == ("event", "data"):
            yield from differences(value["object"], {}, "event.data.object", known)
        else:
            yield from differences(value, model[field], f"{where}.{field}", known)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else type(value).__name__


async def fill(office: StripeOffice) -> dict[str, str]:
    """Let everything happen that an account knows."""
    v1 = office.v1
    made = await office.unpaid("insufficient_funds", "authentication_required", "ok")
    await v1.webhook_endpoints.create_async(
        {"url": "http://127.0.0.1:9/", "enabled_events": ["price.created"]}
    )
    coupon = await v1.coupons.create_async({"percent_off": 10, "duration": "forever"})
    promotion = {"type": "coupon", "coupon": coupon.id}
    code = await v1.promotion_codes.create_async({"promotion": promotion, "customer": made["customer"]})
    line = {"line_items": [{"price": made["price"], "quantity": 1}], "customer": made["customer"]}
    session = await v1.checkout.sessions.create_async(
        {"mode": "subscription", **line, "discounts": [{"promotion_code": code.id}]}
    )
    await office.http.post(f"{session.url}/pay", data={"card": "pm_card_visa"})
    first, *_ = await office.charges()
    await office.control("POST", "/disputes", {"charge": first["id"]})
    draft = await v1.invoices.create_async({"customer": made["customer"]})
    item = {"customer": made["customer"], "invoice": draft.id, "amount": 500, "currency": "eur"}
    await v1.invoice_items.create_async(item)
    return made


async def test_every_object_has_the_fields_and_types_of_the_providers_fixtures(office: StripeOffice) -> None:
    known, made = fixtures(), await fill(office)
    session = await office.v1.billing_portal.sessions.create_async(
        {"customer": made["customer"], "flow_data": {"type": "payment_method_update"}}
    )
    shown = [session.to_dict()]
    for name in LISTS:
        answer = await office.http.get(f"/stripe/v1/{name}", params={"limit": "100"}, headers=KEY)
        rows = answer.json()["data"]
        assert rows, name
        shown += rows
    expand = {"expand[]": ["payments.data.payment.payment_intent", "discounts", "customer", "lines"]}
    invoice = await office.http.get(f"/stripe/v1/invoices/{made['invoice']}", params=expand, headers=KEY)
    payments = invoice.json()["payments"]["data"]
    assert payments
    wrong = {each for row in (*shown, *payments) for each in differences(row, {}, "?", known)}
    assert sorted(wrong) == []


def test_what_no_fixture_knows_would_be_found() -> None:
    known = fixtures()
    wrong = {
        "object": "invoice",
        "colour": 1,
        "total": "1000",
        "lines": {"object": "list", "data": [{"x": 1}]},
    }
    assert sorted(differences(wrong, {}, "?", known)) == [
        "invoice.colour is unknown", "invoice.lines.data.x is unknown", "invoice.total is str, not number",
    ]  # fmt: skip
