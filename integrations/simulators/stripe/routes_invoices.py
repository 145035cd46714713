"""Invoices and their payments, as callers make, collect and give them up."""

from typing import Literal

import msgspec
from msgspec import UNSET

from integrations.simulators.stripe import collecting, invoices
from integrations.simulators.stripe.books import Books
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
from integrations.simulators.stripe.standing import settle_subscription
from integrations.simulators.stripe.store import Row
from integrations.simulators.stripe.subscriptions import deliver

Nothing = msgspec.UnsetType
Collection = Literal["charge_automatically", "send_invoice"]


class InvoiceParams(Update, kw_only=True):
    """What of an invoice can be changed."""

    auto_advance: Truth = UNSET
    collection_method: Collection | Nothing = UNSET
    days_until_due: Number = UNSET
    due_date: Number = UNSET
    default_payment_method: Text = UNSET
    description: Text = UNSET
    footer: Text = UNSET


class CreateInvoice(InvoiceParams, kw_only=True):
    """A draft; what the customer still owes for single things becomes its lines."""

    customer: str
    currency: Text = UNSET
    subscription: Text = UNSET
    pending_invoice_items_behavior: Literal["include", "exclude"] = "exclude"


class CreateItem(Update, kw_only=True):
    """A single thing to pay for."""

    customer: str
    amount: int
    currency: str
    invoice: Text = UNSET
    description: str = "Item"


class FinalizeInvoice(Params, kw_only=True):
    """Whether the provider goes on to collect it."""

    auto_advance: Truth = UNSET


class PayInvoice(Params, kw_only=True):
    """How an invoice is paid."""

    payment_method: Text = UNSET
    paid_out_of_band: bool = False
    off_session: bool = True
    forgive: bool = False


class ConfirmIntent(Params, kw_only=True):
    """How an intent is confirmed."""

    payment_method: Text = UNSET
    off_session: Truth = UNSET
    return_url: Text = UNSET


def create_invoice(books: Books, params: CreateInvoice) -> Row:
    """Draft an invoice, of a subscription or of single things."""
    owner = books.get("customers", params.customer, "customer")
    if isinstance(params.subscription, str):
        subscription = books.get("subscriptions", params.subscription, "subscription")
        return invoices.draft_of_period(books, subscription, "manual")
    currency = params.currency if isinstance(params.currency, str) else owner["currency"] or "eur"
    apart = ("customer", "currency", "subscription", "pending_invoice_items_behavior", "days_until_due")
    days = params.days_until_due if isinstance(params.days_until_due, int) else None
    fields = {**given(params, *apart), "metadata": stated(params.metadata), "_days_until_due": days}
    row = invoices.draft(books, owner, currency.lower(), **fields)
    books.tell("invoice.created", row)
    return row


def create_item(books: Books, params: CreateItem) -> Row:
    """Add a single thing to a draft."""
    if not isinstance(params.invoice, str):
        raise StripeRefusal(
            "Name the draft that this is a line of.", code="parameter_missing", param="invoice"
        )
    row = books.get("invoices", params.invoice, "invoice")
    line = invoices.add_line(books, row, params.amount, params.description)
    item = {
        "id": books.new_id("invoiceitems"),
        "object": "invoiceitem",
        "amount": params.amount,
        "currency": params.currency,
        "customer": params.customer,
        "date": books.clock.now(),
        "description": params.description,
        "discountable": True,
        "discounts": [],
        "invoice": row["id"],
        "livemode": False,
        "metadata": stated(params.metadata),
        "period": line["period"],
        "proration": False,
        "quantity": 1,
        "created": books.clock.now(),
    }
    return books.make("invoiceitems", item)


def update_invoice(books: Books, params: InvoiceParams, key: str) -> Row:
    """Change an invoice; what is owed can be changed in a draft only."""
    row = books.get("invoices", key, status=404)
    fields = given(params, "days_until_due")
    if {"collection_method", "due_date"} & set(fields):
        invoices.refuse_unless(row, "draft")
    return books.change("invoices", row, **fields, metadata=merged(row, params.metadata))


def finalize_invoice(books: Books, params: FinalizeInvoice, key: str) -> Row:
    """Make a draft final."""
    row = books.get("invoices", key, status=404)
    if isinstance(params.auto_advance, bool):
        books.change("invoices", row, None, auto_advance=params.auto_advance)
    return collecting.issue(books, row)


def pay_invoice(books: Books, params: PayInvoice, key: str) -> Row:
    """Charge what remains once; a declined charge is an error, and stays on record."""
    row = books.get("invoices", key, status=404)
    if row["status"] == "draft":
        collecting.issue(books, row)
    invoices.refuse_unless(row, "open", "uncollectible")
    if params.paid_out_of_band:
        books.change("invoices", row, None, amount_paid=row["amount_due"], amount_remaining=0)
        collecting.mark_paid(books, row)
        return row
    method = None
    if isinstance(params.payment_method, str):
        method = books.get("payment_methods", params.payment_method, "payment_method")
    attempt = collecting.collect(books, row, method)
    if attempt.declined is not None:
        raise collecting.refusal(attempt, books.get("payment_intents", row["_payment_intent"]))
    return row


def void_invoice(books: Books, _: Params, key: str) -> Row:
    """Take an invoice back."""
    row = invoices.give_up(books, books.get("invoices", key, status=404), "void")
    settle_subscription(books, row)
    return row


def write_off_invoice(books: Books, _: Params, key: str) -> Row:
    """Expect nothing more of an invoice."""
    return invoices.give_up(books, books.get("invoices", key, status=404), "uncollectible")


def send_invoice(books: Books, _: Params, key: str) -> Row:
    """Send an invoice to its customer; a draft becomes final first."""
    row = books.get("invoices", key, status=404)
    if row["status"] == "draft":
        collecting.issue(books, row)
    deliver(books, row)
    return row


def delete_invoice(books: Books, _: Params, key: str) -> Row:
    """Forget a draft."""
    row = books.get("invoices", key, status=404)
    invoices.refuse_unless(row, "draft")
    books.tell("invoice.deleted", row)
    books.store.drop("invoices", key)
    return {"id": key, "object": "invoice", "deleted": True}


def confirm_intent(books: Books, params: ConfirmIntent, key: str) -> Row:
    """Charge the invoice of an intent, as its customer's browser does after the issuer has asked."""
    row = books.get("payment_intents", key, status=404)
    invoice = books.get("invoices", row["_invoice"])
    if row["status"] == "requires_action":
        collecting.confirm(books, invoice)
        return row
    pay_invoice(books, PayInvoice(payment_method=params.payment_method), invoice["id"])
    return row


ROUTES = [
    Route("POST", "invoices", create_invoice, CreateInvoice),
    Route("POST", "invoiceitems", create_item, CreateItem),
    Route("POST", "invoices/*", update_invoice, InvoiceParams),
    Route("DELETE", "invoices/*", delete_invoice),
    Route("POST", "invoices/*/finalize", finalize_invoice, FinalizeInvoice),
    Route("POST", "invoices/*/pay", pay_invoice, PayInvoice),
    Route("POST", "invoices/*/void", void_invoice),
    Route("POST", "invoices/*/mark_uncollectible", write_off_invoice),
    Route("POST", "invoices/*/send", send_invoice),
    Route("POST", "payment_intents/*/confirm", confirm_intent, ConfirmIntent),
]
