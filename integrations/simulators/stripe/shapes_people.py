"""Customers and their cards, with every field that Stripe shows."""

import hashlib
from typing import Any

from integrations.simulators.stripe.cards import LAST_FOUR
from integrations.simulators.stripe.store import Row

NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def customer(key: str, at: int, **given: Any) -> Row:
    """Return a customer."""
    return {
        "id": key,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": at,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": hashlib.sha256(key.encode()).hexdigest()[:7].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        **given,
    }


def card(brand: str, fingerprint: str, **given: Any) -> Row:
    """Return the card of a payment method."""
    return {
        "brand": brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": brand,
        "exp_month": 8,
        "exp_year": 2030,
        "fingerprint": fingerprint,
        "funding": "credit",
        "generated_from": None,
        "last4": LAST_FOUR.get(brand, "4242"),
        "networks": {"available": [brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
        **given,
    }


def payment_method(key: str, at: int, card_row: Row, **given: Any) -> Row:
    """Return a card as a payment method."""
    return {
        "id": key,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": dict(NO_ADDRESS),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "card": card_row,
        "created": at,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        **given,
    }


def account(key: str) -> Row:
    """Return the account itself."""
    return {
        "id": key,
        "object": "account",
        "business_type": "company",
        "charges_enabled": True,
        "country": "DE",
        "created": 1_700_000_000,
        "default_currency": "eur",
        "details_submitted": True,
        "email": "billing@simulator.example",
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
    }
