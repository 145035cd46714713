"""Invoices: drafted, made final, given up. How they are paid is in `collecting`."""

from typing import Any

from integrations.simulators.stripe import discounts
from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.errors import StripeRefusal
from integrations.simulators.stripe.periods import in_days
from integrations.simulators.stripe.shapes_billing import invoice, line_item
from integrations.simulators.stripe.shapes_payments import invoice_payment, payment_intent
from integrations.simulators.stripe.store import Row

PAGES = "{base}/hosted"
"""The address of pages for people; `{base}` becomes the simulator's own address when an object is shown."""


def draft(books: Books, customer: Row, currency: str, **given: Any) -> Row:
    """Make a draft without lines."""
    key, at = books.new_id("invoices"), books.clock.now()
    fields = {"metadata": {}, **given}
    row = invoice(key, at, customer, currency, **fields)
    return books.make("invoices", row, told=None)


def draft_of_period(books: Books, subscription: Row, reason: str) -> Row:
    """Draft the invoice of a subscription's current period, with what its discounts take off."""
    items = subscription["items"]["data"]
    method = subscription["collection_method"]
    parent = {
        "quote_details": None,
        "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
        "type": "subscription_details",
    }
    row = draft(
        books,
        books.get("customers", subscription["customer"]),
        subscription["currency"],
        parent=parent,
        billing_reason=reason,
        collection_method=method,
        auto_advance=True,
        period_start=items[0]["current_period_start"],
        period_end=items[0]["current_period_end"],
        _days_until_due=subscription["days_until_due"],
    )
    row["lines"]["data"] = [_line_of_item(books, row, item) for item in items]
    row["discounts"] = discounts.running(books, subscription)
    add_up(books, row)
    discounts.spend(books, row["discounts"])
    books.tell("invoice.created", row)
    books.change("subscriptions", subscription, None, latest_invoice=row["id"])
    return row


def add_line(books: Books, row: Row, amount: int, description: str, **given: Any) -> Row:
    """Add a line to a draft."""
    refuse_unless(row, "draft")
    period = {"start": books.clock.now(), "end": books.clock.now()}
    line = line_item(
        books.store.new_id("il"), row["id"], amount, row["currency"], description=description,
        period=period, **given,
    )  # fmt: skip
    row["lines"]["data"].append(line)
    add_up(books, row)
    return line


def add_up(books: Books, row: Row) -> None:
    """Work out the sums of a draft from its lines and discounts."""
    subtotal = sum(line["amount"] for line in row["lines"]["data"])
    off = discounts.amounts_off(books, row["discounts"], subtotal)
    total = subtotal - sum(each["amount"] for each in off)
    sums = {"subtotal": subtotal, "subtotal_excluding_tax": subtotal, "total": total}
    due = {"total_excluding_tax": total, "amount_due": total, "amount_remaining": total}
    books.change("invoices", row, None, **sums, **due, total_discount_amounts=off)


def finalize(books: Books, row: Row) -> Row:
    """Make a draft final: it gets a number, a page and, where something is owed, an intent."""
    refuse_unless(row, "draft")
    now, customer = books.clock.now(), books.get("customers", row["customer"])
    sequence = customer["next_invoice_sequence"]
    books.change("customers", customer, None, next_invoice_sequence=sequence + 1)
    sends = row["collection_method"] == "send_invoice"
    due = row["due_date"] or in_days(now, row.get("_days_until_due") or 0)
    page = f"{PAGES}/invoices/{row['id']}"
    books.change(
        "invoices",
        row,
        "finalized",
        status="open",
        number=f"{customer['invoice_prefix']}-{sequence:04}",
        effective_at=now,
        due_date=due if sends else None,
        automatically_finalizes_at=None,
        hosted_invoice_url=page,
        invoice_pdf=f"{page}/pdf",
        status_transitions={**row["status_transitions"], "finalized_at": now},
    )
    if row["amount_remaining"] > 0:
        add_intent(books, row)
    return row


def add_intent(books: Books, row: Row, *, is_default: bool = True) -> Row:
    """Make an intent over what remains, and join it to the invoice."""
    intent = payment_intent(
        books.new_id("payment_intents"), books.clock.now(), row["amount_remaining"], row["currency"],
        customer=row["customer"], _invoice=row["id"],
    )  # fmt: skip
    books.make("payment_intents", intent)
    key = books.new_id("invoice_payments")
    joined = invoice_payment(key, books.clock.now(), row, intent["id"], is_default=is_default)
    books.make("invoice_payments", joined, told=None)
    if is_default:
        books.change("invoices", row, None, _payment_intent=intent["id"])
    return joined


def give_up(books: Books, row: Row, status: str) -> Row:
    """Void an invoice or mark it as uncollectible; nobody tries to collect it afterwards."""
    allowed = {"void": ("open", "uncollectible"), "uncollectible": ("open",)}[status]
    refuse_unless(row, *allowed)
    told, moment = {
        "void": ("voided", "voided_at"),
        "uncollectible": ("marked_uncollectible", "marked_uncollectible_at"),
    }[status]
    moments = {**row["status_transitions"], moment: books.clock.now()}
    changes: Row = {"status": status, "status_transitions": moments, "next_payment_attempt": None}
    books.change("invoices", row, told, **changes)
    if status == "void":
        _cancel_payments(books, row)
    return row


def refuse_unless(row: Row, *statuses: str) -> None:
    """Raise a StripeRefusal where an invoice does not stand as it has to."""
    if row["status"] in statuses:
        return
    wanted = " or ".join(statuses)
    if row["status"] == "paid":
        raise StripeRefusal("Invoice is already paid", code="invoice_already_paid")
    message = f"This invoice is {row['status']}; it has to be {wanted}."
    raise StripeRefusal(message, code="invoice_not_editable")


def payments_of(books: Books, row: Row) -> list[Row]:
    """Return what joins an invoice to its intents, oldest first."""
    return [each for each in books.store.of("invoice_payments").values() if each["invoice"] == row["id"]]


def subscription_of(books: Books, row: Row) -> Row | None:
    """Return the subscription that an invoice bills."""
    details = (row["parent"] or {}).get("subscription_details") or {}
    return books.store.of("subscriptions").get(details.get("subscription", ""))


def _cancel_payments(books: Books, row: Row) -> None:
    now = books.clock.now()
    for joined in payments_of(books, row):
        if joined["status"] != "open":
            continue
        moments = {**joined["status_transitions"], "canceled_at": now}
        books.change("invoice_payments", joined, None, status="canceled", status_transitions=moments)
        intent = books.get("payment_intents", joined["payment"]["payment_intent"])
        reason = {"cancellation_reason": "void_invoice", "canceled_at": now, "status": "canceled"}
        books.change("payment_intents", intent, "canceled", **reason)


def _line_of_item(books: Books, row: Row, item: Row) -> Row:
    price, quantity = item["price"], item["quantity"]
    product = books.store.of("products").get(price["product"], {}).get("name", price["product"])
    details = {"invoice_item": None, "proration": False, "proration_details": None}
    details |= {"subscription": item["subscription"], "subscription_item": item["id"]}
    return line_item(
        books.store.new_id("il"),
        row["id"],
        price["unit_amount"] * quantity,
        price["currency"],
        description=f"{quantity} x {product}",
        parent={
            "invoice_item_details": None,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        },
        period={"start": item["current_period_start"], "end": item["current_period_end"]},
        pricing={
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        quantity=quantity,
    )
