"""Stripe's objects in their shapes before 2025-03-31 and since, and its money. Pure."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from domain.money import exponent

Body = Mapping[str, Any]
LEGACY_TWO_DECIMALS = frozenset({"ISK", "UGX"})
"""Currencies without minor units that Stripe still writes with two decimals."""
PAYMENTS = "payment_intents"
"""No stream that is listed: by it, the invoice is asked for that a payment was for."""
DISCOUNTED = "discounted_subscriptions"
"""Nor is this one: by it, a subscription is asked for whose discounts have changed just now."""


def subscription_of(invoice: Body) -> str | None:
    """Return the subscription that an invoice bills, in the shape before 2025-03-31 and since."""
    parent = (invoice.get("parent") or {}).get("subscription_details") or {}
    given = parent.get("subscription") or invoice.get("subscription")
    return None if given is None else id_of(given, "subscription")


def minor_of(amount: object, currency: str) -> int:
    """Return Stripe's smallest unit as ours, which differ for the two legacy currencies only."""
    given = Decimal(str(amount or 0))
    scale = 2 - exponent(currency) if currency in LEGACY_TWO_DECIMALS else 0
    return int(given.scaleb(-scale).quantize(Decimal(1), ROUND_HALF_UP))


def amount_of(minor: int, currency: str) -> int:
    """Return our minor units as Stripe's smallest unit: the way back of `minor_of`."""
    scale = 2 - exponent(currency) if currency.upper() in LEGACY_TWO_DECIMALS else 0
    return int(Decimal(minor).scaleb(scale))


def currency_of(body: Body) -> str:
    """Return the currency's code in capitals; a ValueError says that it is none."""
    currency = str(body.get("currency") or "").upper()
    if len(currency) != 3:  # noqa: PLR2004 - ISO 4217
        message = f"currency: {currency!r} is no currency code"
        raise ValueError(message)
    return currency


def id_of(given: Any, name: str) -> str:
    """Return the id of what is an id or the object itself; a ValueError names the field that is missing."""
    found = given.get("id") if isinstance(given, Mapping) else given
    if not found:
        message = f"{name}: is missing"
        raise ValueError(message)
    return str(found)


def rows_of(found: Any) -> list[Body]:
    """Return the objects of a list of Stripe's, none where there is no list."""
    return list(found.get("data") or []) if isinstance(found, Mapping) else []


def payments_of(invoice: Body) -> list[tuple[str, Any]]:
    """Return with what an invoice is paid: pairs of `payment_intent` or `charge` and its id or itself.

    Since 2025-03-31 these are a list of payments; before, an invoice had one of each.
    """
    listed = [payment.get("payment") or {} for payment in rows_of(invoice.get("payments"))]
    pairs = [
        next(((kind, given[kind]) for kind in ("payment_intent", "charge") if given.get(kind)), None)
        for given in (*listed, invoice)
    ]
    return [pair for pair in pairs if pair is not None]


def disputed_payment(body: Body) -> str | None:
    """Return the payment intent of a dispute, None for any other object."""
    given = body.get("payment_intent") if body.get("object") == "dispute" else None
    return id_of(given, "payment_intent") if given else None


def discounted_subscription(body: Body) -> str | None:
    """Return the subscription that a discount is of, None for any other object."""
    given = body.get("subscription") if body.get("object") == "discount" else None
    return id_of(given, "subscription") if given else None
