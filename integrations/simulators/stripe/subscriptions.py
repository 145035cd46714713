"""Subscriptions: begun, renewed, changed. How they end is in `standing`."""

from typing import Any

from integrations.simulators.stripe import collecting, invoices
from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.discounts import apply_coupon, apply_promotion
from integrations.simulators.stripe.errors import StripeRefusal, missing_parameter
from integrations.simulators.stripe.periods import add_interval
from integrations.simulators.stripe.shapes_billing import plan, subscription, subscription_item
from integrations.simulators.stripe.standing import end
from integrations.simulators.stripe.store import Row

Wanted = list[tuple[str, int]]
"""Prices and quantities."""
Reductions = list[tuple[str, str]]
"""What takes something off: coupon or promotion_code, and its id."""


def begin(
    books: Books,
    customer: str,
    wanted: Wanted,
    reductions: Reductions,
    *,
    is_deferred: bool = False,
    **given: Any,
) -> tuple[Row, collecting.Attempt]:
    """Begin a subscription and collect its first invoice, or leave that to the customer (`is_deferred`)."""
    if not wanted:
        raise missing_parameter("items")
    if given.get("collection_method") == "send_invoice" and given.get("days_until_due") is None:
        raise missing_parameter("days_until_due")
    key, at = books.new_id("subscriptions"), books.clock.now()
    items = [_item(books, key, price, quantity) for price, quantity in wanted]
    _set_period(items, at, at)
    row = subscription(key, at, customer, items, status="incomplete", _renews=True, **given)
    for kind, reduction in reductions:
        apply = apply_promotion if kind == "promotion_code" else apply_coupon
        row["discounts"].append(apply(books, reduction, customer, key)["id"])
    books.make("subscriptions", row, told=None)
    owner = books.get("customers", customer)
    books.change("customers", owner, None, currency=owner["currency"] or row["currency"])
    books.tell("customer.subscription.created", row)
    return row, _first_invoice(books, row, is_deferred=is_deferred)


def _first_invoice(books: Books, row: Row, *, is_deferred: bool) -> collecting.Attempt:
    invoice = collecting.issue(books, invoices.draft_of_period(books, row, "subscription_create"))
    if row["collection_method"] == "send_invoice":
        books.change("subscriptions", row, status="active")
        deliver(books, invoice)
    elif invoice["status"] == "open" and not is_deferred:
        return collecting.collect(books, invoice, is_automatic=True)
    return collecting.Attempt()


def deliver(books: Books, invoice: Row) -> None:
    """Send an invoice to its customer, unless nothing is owed."""
    if invoice["status"] == "open":
        books.tell("invoice.sent", invoice)
    elif invoice["status"] != "paid":
        raise StripeRefusal("Only a final invoice can be sent.", code="invoice_not_editable")


def renew(books: Books, row: Row) -> Row:
    """Begin the next period and draft its invoice."""
    items = [dict(item) for item in row["items"]["data"]]
    _set_period(items, items[0]["current_period_end"], row["billing_cycle_anchor"])
    still = [key for key in row["discounts"] if not books.store.of("discounts")[key].get("_spent")]
    books.change("subscriptions", row, items={**row["items"], "data": items}, discounts=still)
    invoice = invoices.draft_of_period(books, row, "subscription_cycle")
    finalizes = books.clock.now() + books.switches.draft_seconds
    books.change("invoices", invoice, None, automatically_finalizes_at=finalizes)
    return invoice


def go_on(books: Books, invoice: Row) -> None:
    """Make the draft of a period final and begin to collect it, or do what a pause orders."""
    row = invoices.subscription_of(books, invoice)
    pause = (row or {}).get("pause_collection")
    if pause and pause["behavior"] == "keep_as_draft":
        books.change("invoices", invoice, auto_advance=False, automatically_finalizes_at=None)
        return
    collecting.issue(books, invoice)
    if pause and invoice["status"] == "open":
        invoices.give_up(books, invoice, "void" if pause["behavior"] == "void" else "uncollectible")
    elif invoice["collection_method"] == "send_invoice":
        deliver(books, invoice)
    elif invoice["status"] == "open":
        collecting.collect(books, invoice, is_automatic=True)


def change_items(books: Books, row: Row, changes: list[Row]) -> None:
    """Change, add or remove items from the next period on: nothing is prorated."""
    items = {item["id"]: item for item in row["items"]["data"]}
    for change in changes:
        key = change.get("id")
        if key is None:
            added = _item(books, row["id"], change["price"], change.get("quantity") or 1)
            period = {name: row["items"]["data"][0][name] for name in _PERIOD}
            items[added["id"]] = {**added, **period}
        elif key not in items:
            raise StripeRefusal(f"No such subscription item: '{key}'", code="resource_missing", param="items")
        elif change.get("deleted"):
            del items[key]
        else:
            items[key] = _changed(books, items[key], change)
    books.change("subscriptions", row, items={**row["items"], "data": list(items.values())})


def stop(books: Books, row: Row, details: Row | None = None) -> Row:
    """Cancel now; what is canceled cannot be canceled again."""
    if row["status"] == "canceled":
        raise StripeRefusal(f"No such subscription: '{row['id']}'", 404, code="resource_missing", param="id")
    return end(books, row, details)


_PERIOD = ("current_period_start", "current_period_end")


def _item(books: Books, key: str, price: str, quantity: int) -> Row:
    held = books.get("prices", price, "items[0][price]")
    if held["recurring"] is None:
        raise StripeRefusal("The price specified is set to `type=one_time`.", param="items[0][price]")
    return subscription_item(books.store.new_id("si"), books.clock.now(), key, held, quantity)


def _changed(books: Books, item: Row, change: Row) -> Row:
    price = books.get("prices", change["price"], "items") if change.get("price") else item["price"]
    quantity = item["quantity"] if change.get("quantity") is None else change["quantity"]
    return {**item, "price": price, "plan": plan(price), "quantity": quantity}


def _set_period(items: list[Row], begins: int, anchor: int) -> None:
    for item in items:
        recurring = item["price"]["recurring"]
        item["current_period_start"] = begins
        item["current_period_end"] = add_interval(
            begins, recurring["interval"], recurring["interval_count"], anchor
        )
