"""Subscriptions, as callers begin, change and end them."""

from typing import Literal

import msgspec
from msgspec import UNSET

from integrations.simulators.stripe import collecting, invoices
from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.discounts import apply_coupon, apply_promotion
from integrations.simulators.stripe.errors import StripeRefusal
from integrations.simulators.stripe.routing import (
    Number,
    Params,
    Route,
    Text,
    Truth,
    Update,
    given,
    merged,
    stated,
)
from integrations.simulators.stripe.store import Row
from integrations.simulators.stripe.subscriptions import begin, change_items, stop

Nothing = msgspec.UnsetType
Proration = Literal["none", "create_prorations", "always_invoice"]


class Item(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that is subscribed to."""

    id: str | None = None
    price: str | None = None
    quantity: int | None = None
    deleted: bool | None = None


class Discount(msgspec.Struct, forbid_unknown_fields=True):
    """What takes something off."""

    promotion_code: str | None = None
    coupon: str | None = None


class Pause(msgspec.Struct, forbid_unknown_fields=True):
    """What happens to invoices while nothing is collected."""

    behavior: Literal["keep_as_draft", "mark_uncollectible", "void"]
    resumes_at: int | None = None


class Details(msgspec.Struct, forbid_unknown_fields=True):
    """Why somebody leaves."""

    comment: str | None = None
    feedback: str | None = None


class SubscriptionParams(Update, kw_only=True):
    """What of a subscription can be changed."""

    items: list[Item] | Nothing = UNSET
    default_payment_method: Text = UNSET
    collection_method: Literal["charge_automatically", "send_invoice"] | Nothing = UNSET
    days_until_due: Number = UNSET
    description: Text = UNSET
    cancel_at_period_end: Truth = UNSET
    cancel_at: int | str | Nothing = UNSET
    cancellation_details: Details | Nothing = UNSET
    discounts: list[Discount] | str | Nothing = UNSET
    payment_behavior: str = "allow_incomplete"
    proration_behavior: Proration = "none"
    off_session: Truth = UNSET
    pause_collection: Pause | str | Nothing = UNSET


class CreateSubscription(SubscriptionParams, kw_only=True):
    """A new subscription."""

    customer: str


class CancelSubscription(Params, kw_only=True):
    """How a subscription ends."""

    cancellation_details: Details | Nothing = UNSET
    invoice_now: bool = False
    prorate: bool = False


_APART = ("items", "discounts", "payment_behavior", "proration_behavior", "off_session", "customer")


def create_subscription(books: Books, params: CreateSubscription) -> Row:
    """Begin a subscription; a first charge that fails leaves it incomplete, or is an error where asked."""
    books.get("customers", params.customer, "customer")
    items = params.items if isinstance(params.items, list) else []
    wanted = [(str(item.price), 1 if item.quantity is None else item.quantity) for item in items]
    fields = given(params, *_APART, "pause_collection", "cancellation_details", "cancel_at_period_end")
    row, attempt = begin(
        books,
        params.customer,
        wanted,
        reductions_of(params.discounts),
        is_deferred=params.payment_behavior == "default_incomplete",
        metadata=stated(params.metadata),
        **fields,
    )
    if attempt.declined is not None and params.payment_behavior == "error_if_incomplete":
        invoice = books.get("invoices", row["latest_invoice"])
        invoices.give_up(books, invoice, "void")
        books.change("subscriptions", row, status="incomplete_expired", _renews=False)
        raise collecting.refusal(attempt, books.get("payment_intents", invoice["_payment_intent"]))
    return row


def reductions_of(discounts: list[Discount] | str | Nothing) -> list[tuple[str, str]]:
    """Return what is asked to be taken off: (coupon or promotion_code, its id)."""
    if not isinstance(discounts, list):
        return []
    return [
        ("promotion_code", each.promotion_code) if each.promotion_code else ("coupon", str(each.coupon))
        for each in discounts
    ]


def update_subscription(books: Books, params: SubscriptionParams, key: str) -> Row:
    """Change a subscription from the next period on."""
    row = books.get("subscriptions", key, status=404)
    if row["status"] in {"canceled", "incomplete_expired"}:
        message = "A canceled subscription can only update its cancellation_details and metadata."
        raise StripeRefusal(message)
    if isinstance(params.items, list):
        change_items(books, row, [msgspec.to_builtins(item) for item in params.items])
    fields = {**given(params, *_APART, "cancellation_details"), **_leaving(books, row, params)}
    fields["metadata"] = merged(row, params.metadata)
    if params.discounts is not UNSET:
        fields["discounts"] = _discounts(books, row, params.discounts)
    return books.change("subscriptions", row, **fields)


def cancel_subscription(books: Books, params: CancelSubscription, key: str) -> Row:
    """End a subscription now."""
    row = books.get("subscriptions", key, status=404)
    details = params.cancellation_details
    return stop(books, row, msgspec.to_builtins(details) if isinstance(details, Details) else None)


def _leaving(books: Books, row: Row, params: SubscriptionParams) -> Row:
    found: Row = {}
    if isinstance(params.cancellation_details, Details):
        given_details = msgspec.to_builtins(params.cancellation_details)
        found["cancellation_details"] = {**row["cancellation_details"], **given_details}
    if params.cancel_at_period_end is True:
        ends = row["items"]["data"][0]["current_period_end"]
        details: Row = found.get("cancellation_details") or row["cancellation_details"]
        details = {**details, "reason": "cancellation_requested"}
        found |= {"cancel_at": ends, "canceled_at": books.clock.now(), "cancellation_details": details}
    elif params.cancel_at_period_end is False:
        found |= {"cancel_at": None, "canceled_at": None}
    return found


def _discounts(books: Books, row: Row, wanted: list[Discount] | str | Nothing) -> list[str]:
    applied = []
    for kind, key in reductions_of(wanted):
        apply = apply_promotion if kind == "promotion_code" else apply_coupon
        applied.append(apply(books, key, row["customer"], row["id"])["id"])
    for key in row["discounts"]:
        books.tell("customer.discount.deleted", books.store.of("discounts")[key])
    return applied


ROUTES = [
    Route("POST", "subscriptions", create_subscription, CreateSubscription),
    Route("POST", "subscriptions/*", update_subscription, SubscriptionParams),
    Route("DELETE", "subscriptions/*", cancel_subscription, CancelSubscription),
]
