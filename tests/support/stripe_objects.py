"""Objects of Stripe as its API answers with them, as small as a test needs them."""

import datetime as dt
from typing import Any

from domain.time import BusinessInstant
from tests.support.stripe_answers import Reply, ScriptedStripe, listed, refused

PAY, READ = "POST /v1/invoices/in_1/pay", "GET /v1/invoices/in_1"
ISSUED = 1780000000
AT = BusinessInstant(dt.datetime.fromtimestamp(ISSUED, dt.UTC))
DAY = dt.timedelta(days=1)
FORBIDDEN = refused(403, "The provided key 'rk_test_*1' does not have the required permissions.")
CARD = {
    "id": "pm_1",
    "object": "payment_method",
    "type": "card",
    "card": {
        "brand": "visa",
        "last4": "0341",
        "country": "DE",
        "exp_month": 4,
        "exp_year": 2027,
        "fingerprint": "fp1",
    },
}
CODE = {"id": "promo_1", "object": "promotion_code", "code": "BACK20", "metadata": {"delivery_id": "d1"}}


def invoice(**changes: Any) -> dict[str, Any]:
    return {
        "id": "in_1",
        "object": "invoice",
        "created": ISSUED,
        "customer": "cus_1",
        "currency": "eur",
        "status": "open",
        "collection_method": "charge_automatically",
        "amount_due": 5000,
        "amount_paid": 0,
        "amount_remaining": 5000,
        "attempt_count": 1,
        "hosted_invoice_url": "https://invoice.example/in_1",
        "parent": {"subscription_details": {"subscription": "sub_1"}},
        "status_transitions": {"finalized_at": ISSUED, "paid_at": None},
        "payments": {"object": "list", "data": [payment(intent())]},
        **changes,
    }


def payment(of: Any) -> dict[str, Any]:
    told = {"type": "payment_intent", "payment_intent": of}
    return {"id": "inpay_1", "object": "invoice_payment", "payment": told}


def intent(**changes: Any) -> dict[str, Any]:
    made = {"id": "pi_1", "object": "payment_intent", "created": ISSUED, "status": "requires_payment_method"}
    return {**made, **changes}


def charge(**changes: Any) -> dict[str, Any]:
    outcome = {"reason": "insufficient_funds", "advice_code": "try_again_later"}
    return {
        "id": "ch_1",
        "object": "charge",
        "created": ISSUED,
        "currency": "eur",
        "amount": 5000,
        "status": "failed",
        "failure_code": "card_declined",
        "outcome": outcome,
        "disputed": False,
        **changes,
    }


def paid(**changes: Any) -> dict[str, Any]:
    moments = {"finalized_at": ISSUED, "paid_at": ISSUED + 3600}
    done = intent(status="succeeded", amount_received=5000, latest_charge="ch_2")
    payments = {"object": "list", "data": [payment(done)]}
    return invoice(status="paid", amount_paid=5000, status_transitions=moments, payments=payments, **changes)


def subscription(**changes: Any) -> dict[str, Any]:
    item = {"id": "si_1", "price": {"id": "price_1", "recurring": {"usage_type": "licensed"}}, "quantity": 7}
    metered = {"id": "si_2", "price": {"id": "price_2", "recurring": {"usage_type": "metered"}}}
    return {
        "id": "sub_1",
        "object": "subscription",
        "created": ISSUED,
        "status": "past_due",
        "pause_collection": None,
        "default_payment_method": CARD,
        "items": {"object": "list", "data": [item, metered]},
        **changes,
    }


def unpaid_account() -> ScriptedStripe:
    """Return an account with one open invoice, whose card was declined once."""
    scripted = ScriptedStripe()
    scripted.on(READ, Reply(invoice()))
    scripted.on("GET /v1/subscriptions/sub_1", Reply(subscription()))
    scripted.on("GET /v1/customers/cus_1", Reply({"id": "cus_1", "object": "customer"}))
    scripted.on("GET /v1/charges", listed(charge()))
    return scripted
