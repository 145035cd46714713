"""Companies made in one call: customer, card with its script, plan, subscription and first invoice."""

from typing import Any, Literal

import msgspec

from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.cards import OK
from integrations.simulators.stripe.params_catalog import CreatePrice, ProductData, Recurring
from integrations.simulators.stripe.routes_catalog import create_price
from integrations.simulators.stripe.routes_people import (
    CustomerParams,
    attach,
    create_customer,
    new_method,
    set_default,
)
from integrations.simulators.stripe.store import Row
from integrations.simulators.stripe.subscriptions import begin, go_on, renew


class Card(msgspec.Struct, forbid_unknown_fields=True):
    """A card, and what its next charges come to."""

    results: list[Any] = msgspec.field(default_factory=lambda: [OK])
    """Decline codes, `ok`, `pending`, or objects with decline_code, advice_code, network_decline_code and
    network_advice_code. The last one stays.
    """
    brand: Literal["visa", "mastercard", "amex"] = "visa"
    last4: str = "4242"
    country: str = "DE"
    exp_month: int = 8
    exp_year: int = 2030
    fingerprint: str = ""
    """Empty is a card that nobody else has."""


class Company(msgspec.Struct, forbid_unknown_fields=True):
    """A company that pays for a plan; its first invoice is paid, unless `first` is the script's."""

    name: str
    email: str = ""
    amount: int = 10_000
    currency: str = "eur"
    interval: Literal["day", "week", "month", "year"] = "month"
    quantity: int = 1
    plan: str = "Team"
    card: Card | None = msgspec.field(default_factory=Card)
    """None is a company without a card."""
    collection_method: Literal["charge_automatically", "send_invoice"] = "charge_automatically"
    days_until_due: int = 14
    first: Literal["paid", "scripted"] = "paid"
    metadata: dict[str, str] = {}


def add_company(books: Books, wanted: Company) -> dict[str, str | None]:
    """Make a company and return the ids of all that belongs to it."""
    email = wanted.email or f"billing@{wanted.name.lower().replace(' ', '-')}.example"
    owner = create_customer(books, CustomerParams(name=wanted.name, email=email, metadata=wanted.metadata))
    first_results = wanted.card.results if wanted.card and wanted.first == "scripted" else [OK]
    method = None if wanted.card is None else add_card(books, owner, wanted.card, first_results)
    price = create_price(
        books,
        CreatePrice(
            currency=wanted.currency,
            unit_amount=wanted.amount,
            product_data=ProductData(wanted.plan),
            recurring=Recurring(wanted.interval),
            nickname=wanted.plan,
        ),
    )
    sends = wanted.collection_method == "send_invoice"
    subscription, _ = begin(
        books, owner["id"], [(price["id"], wanted.quantity)], [],
        collection_method=wanted.collection_method, days_until_due=wanted.days_until_due if sends else None,
    )  # fmt: skip
    if method is not None and wanted.card is not None and wanted.first == "paid":
        books.issuers.script(method["card"]["fingerprint"], wanted.card.results)
    return {
        "customer": owner["id"],
        "payment_method": None if method is None else method["id"],
        "price": price["id"],
        "subscription": subscription["id"],
        "invoice": subscription["latest_invoice"],
    }


def add_card(books: Books, owner: Row, card: Card, results: list[Any] | None = None) -> Row:
    """Enter a card for a customer; it is charged from now on."""
    fingerprint = card.fingerprint or books.store.new_id("card", 10)
    method = new_method(
        books, f"pm_card_{card.brand}", fingerprint=fingerprint, last4=card.last4, country=card.country,
        exp_month=card.exp_month, exp_year=card.exp_year,
    )  # fmt: skip
    books.issuers.script(fingerprint, card.results if results is None else results)
    attach(books, method["id"], owner["id"])
    set_default(books, owner, method["id"])
    for each in books.store.of("subscriptions").values():
        if each["customer"] == owner["id"] and each["default_payment_method"]:
            books.change("subscriptions", each, default_payment_method=method["id"])
    return method


def next_invoice(books: Books, subscription: Row) -> Row:
    """End the current period of a subscription now: its next invoice is made final and collected."""
    now = books.clock.now()
    items = [{**item, "current_period_end": now} for item in subscription["items"]["data"]]
    changes = {"items": {**subscription["items"], "data": items}, "billing_cycle_anchor": now}
    books.change("subscriptions", subscription, None, **changes)
    invoice = renew(books, subscription)
    go_on(books, invoice)
    return invoice
