"""Customers and their payment methods."""

import hashlib

import msgspec
from msgspec import UNSET

from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.cards import CARDS, OK, TOKENS
from integrations.simulators.stripe.errors import StripeRefusal, no_such
from integrations.simulators.stripe.routing import Params, Route, Text, Update, merged, stated
from integrations.simulators.stripe.routing import given as given_in
from integrations.simulators.stripe.shapes_people import account, card, customer, payment_method
from integrations.simulators.stripe.standing import LIVE, end
from integrations.simulators.stripe.store import Row


class InvoiceSettings(msgspec.Struct, forbid_unknown_fields=True):
    """What a customer's invoices are charged to."""

    default_payment_method: Text = UNSET
    footer: Text = UNSET


class CustomerParams(Update, kw_only=True):
    """A customer."""

    email: Text = UNSET
    name: Text = UNSET
    phone: Text = UNSET
    description: Text = UNSET
    address: dict[str, str] | str | msgspec.UnsetType = UNSET
    preferred_locales: list[str] | msgspec.UnsetType = UNSET
    payment_method: Text = UNSET
    invoice_settings: InvoiceSettings | msgspec.UnsetType = UNSET


class CardNumber(msgspec.Struct):
    """A card that is entered by a test token, such as tok_visa."""

    token: str


class CreateMethod(Update, kw_only=True):
    """A new card."""

    type: str
    card: CardNumber


class AttachMethod(Params, kw_only=True):
    """Whose card it becomes."""

    customer: str


class MethodParams(Update, kw_only=True):
    """What of a card can be changed."""

    card: dict[str, int] | msgspec.UnsetType = UNSET
    allow_redisplay: Text = UNSET


def create_customer(books: Books, params: CustomerParams) -> Row:
    """Make a customer, with a card where one is given."""
    row = customer(
        books.new_id("customers"),
        books.clock.now(),
        metadata=stated(params.metadata),
        **given_in(params, "payment_method", "invoice_settings"),
    )
    books.make("customers", row)
    if isinstance(params.payment_method, str):
        attach(books, params.payment_method, row["id"])
    return _set_default(books, row, params)


def update_customer(books: Books, params: CustomerParams, key: str) -> Row:
    """Change a customer."""
    row = books.get("customers", key, status=404)
    fields = given_in(params, "payment_method", "invoice_settings")
    books.change("customers", row, **fields, metadata=merged(row, params.metadata))
    return _set_default(books, row, params)


def delete_customer(books: Books, _: Params, key: str) -> Row:
    """Forget a customer; running subscriptions end."""
    row = books.get("customers", key, status=404)
    for each in list(books.store.of("subscriptions").values()):
        if each["customer"] == key and each["status"] in LIVE:
            end(books, each)
    books.tell("customer.deleted", row)
    books.store.drop("customers", key)
    return {"id": key, "object": "customer", "deleted": True}


def new_method(books: Books, token: str, **details: object) -> Row:
    """Enter a test card; the same card always has the same fingerprint."""
    if token not in TOKENS:
        raise no_such("PaymentMethod", token, "payment_method")
    brand, result = TOKENS[token]
    fingerprint = str(details.pop("fingerprint", "")) or hashlib.sha256(token.encode()).hexdigest()[:16]
    if fingerprint not in books.store.of(CARDS) and result != OK:
        books.issuers.script(fingerprint, [result])
    shown = card(brand, fingerprint, **details)
    row = payment_method(books.new_id("payment_methods"), books.clock.now(), shown)
    return books.make("payment_methods", row, told=None)


def attach(books: Books, key: str, owner: str) -> Row:
    """Give a card to a customer; a test token becomes a card of their own."""
    books.get("customers", owner, "customer")
    row = new_method(books, key) if key in TOKENS else books.get("payment_methods", key, "payment_method")
    if row["customer"] not in {None, owner}:
        message = "The payment method you provided has already been attached to a customer."
        raise StripeRefusal(message, code="payment_method_unexpected_state")
    return books.change("payment_methods", row, "attached", customer=owner)


def set_default(books: Books, row: Row, method: str | None) -> Row:
    """Charge a customer's invoices to a card from now on."""
    settings = {**row["invoice_settings"], "default_payment_method": method}
    return books.change("customers", row, invoice_settings=settings)


def _set_default(books: Books, row: Row, params: CustomerParams) -> Row:
    wanted = params.invoice_settings
    if not isinstance(wanted, InvoiceSettings) or not isinstance(wanted.default_payment_method, str):
        return row
    key = wanted.default_payment_method or None
    if key in TOKENS:
        key = attach(books, key, row["id"])["id"]
    held = books.get("payment_methods", key, "payment_method") if key else None
    if held is not None and held["customer"] != row["id"]:
        raise no_such("payment method", str(key), "invoice_settings[default_payment_method]")
    return set_default(books, row, key)


def create_method(books: Books, params: CreateMethod) -> Row:
    """Enter a card that nobody has yet."""
    return new_method(books, params.card.token.replace("tok_", "pm_card_", 1))


def attach_method(books: Books, params: AttachMethod, key: str) -> Row:
    """Give a card to a customer."""
    return attach(books, key, params.customer)


def detach_method(books: Books, _: Params, key: str) -> Row:
    """Take a card from its customer; nothing is charged to it any more."""
    row = books.get("payment_methods", key, status=404)
    owner = books.store.of("customers").get(row["customer"] or "")
    if owner and owner["invoice_settings"]["default_payment_method"] == key:
        set_default(books, owner, None)
    for each in books.store.of("subscriptions").values():
        if each["default_payment_method"] == key:
            books.change("subscriptions", each, default_payment_method=None)
    return books.change("payment_methods", row, "detached", customer=None)


def update_method(books: Books, params: MethodParams, key: str) -> Row:
    """Change when a card expires."""
    row = books.get("payment_methods", key, status=404)
    dates = params.card if isinstance(params.card, dict) else {}
    fields = {**given_in(params, "card"), "card": {**row["card"], **dates}}
    return books.change("payment_methods", row, **fields, metadata=merged(row, params.metadata))


def show_account(books: Books, _: Params) -> Row:
    """Show the account itself."""
    return account(f"acct_1{books.store.mark}")


ROUTES = [
    Route("GET", "account", show_account),
    Route("POST", "customers", create_customer, CustomerParams),
    Route("POST", "customers/*", update_customer, CustomerParams),
    Route("DELETE", "customers/*", delete_customer),
    Route("POST", "payment_methods", create_method, CreateMethod),
    Route("POST", "payment_methods/*", update_method, MethodParams),
    Route("POST", "payment_methods/*/attach", attach_method, AttachMethod),
    Route("POST", "payment_methods/*/detach", detach_method),
]
