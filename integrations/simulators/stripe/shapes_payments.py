"""Payments with every field that Stripe shows: intents, charges, payments of invoices, disputes."""

from typing import Any

from integrations.simulators.stripe.shapes_people import NO_ADDRESS
from integrations.simulators.stripe.store import Row

EVIDENCE_SECONDS = 21 * 86400


def payment_intent(key: str, at: int, amount: int, currency: str, **given: Any) -> Row:
    """Return an intent that waits for a payment method."""
    return {
        "id": key,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{key}_secret_simulated",
        "confirmation_method": "automatic",
        "created": at,
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": "Subscription update",
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "status": "requires_payment_method",
        "transfer_group": None,
        **given,
    }


def charge(key: str, at: int, intent: Row, method: Row, **given: Any) -> Row:
    """Return a charge of an intent that succeeded."""
    return {
        "id": key,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "application": None,
        "balance_transaction": None,
        "billing_details": {**method["billing_details"], "address": dict(NO_ADDRESS)},
        "captured": True,
        "created": at,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "outcome": outcome(),
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _charged_card(method["card"]), "type": "card"},
        "receipt_email": None,
        "receipt_number": None,
        "refunded": False,
        "review": None,
        "status": "succeeded",
        **given,
    }


def outcome(decline: Row | None = None) -> Row:
    """Return what network and issuer said to a charge."""
    if decline is None:
        said: Row = {"network_status": "approved_by_network", "reason": None, "type": "authorized"}
        words = "Payment complete."
    else:
        reason = decline["decline_code"]
        said = {"network_status": "declined_by_network", "reason": reason, "type": "issuer_declined"}
        words = "The bank did not return any further details with this decline."
    codes = ("advice_code", "network_advice_code", "network_decline_code")
    return {**{name: (decline or {}).get(name) for name in codes}, **said, "seller_message": words}


def _charged_card(card: Row) -> Row:
    kept = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    return {
        **{name: card[name] for name in kept},
        "mandate": None,
        "network": card["brand"],
        "three_d_secure": None,
        "wallet": None,
    }


def invoice_payment(key: str, at: int, invoice: Row, intent: str, **given: Any) -> Row:
    """Return what joins an invoice to an intent."""
    return {
        "id": key,
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_remaining"],
        "created": at,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": intent},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
        **given,
    }


def dispute(key: str, at: int, charge_row: Row, **given: Any) -> Row:
    """Return a dispute of a charge that waits for an answer."""
    return {
        "id": key,
        "object": "dispute",
        "amount": charge_row["amount"],
        "balance_transactions": [],
        "charge": charge_row["id"],
        "created": at,
        "currency": charge_row["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": at + EVIDENCE_SECONDS,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "enhanced_eligibility": {},
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge_row["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": charge_row["payment_method_details"]["card"]["brand"],
                "case_type": "chargeback",
                "network": charge_row["payment_method_details"]["card"]["brand"],
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": "fraudulent",
        "status": "needs_response",
        **given,
    }
