"""What becomes of a subscription and its customer when an invoice is paid, missed or given up."""

from integrations.simulators.stripe import invoices
from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.store import Row

LIVE = ("active", "past_due", "unpaid", "incomplete")


def settle_subscription(books: Books, invoice: Row, ended_as: str = "") -> None:
    """Bring subscription and customer in line with an invoice; `ended_as` follows the last retry."""
    subscription = invoices.subscription_of(books, invoice)
    owed = _owed(books, invoice["customer"])
    customer = books.store.of("customers").get(invoice["customer"])
    if customer is not None:
        books.change("customers", customer, delinquent=bool(owed))
    if subscription is None or subscription["status"] not in LIVE:
        return
    if ended_as == "canceled":
        end(books, subscription, {"reason": "payment_failed"})
        return
    mine = [row for row in owed if invoices.subscription_of(books, row) is subscription]
    status = ended_as or ("past_due" if mine else "active")
    if subscription["status"] == "incomplete" and status == "past_due":
        return
    if not ended_as and mine and subscription["status"] == "unpaid":
        return
    books.change("subscriptions", subscription, status=status)


def end(books: Books, subscription: Row, details: Row | None = None) -> Row:
    """Cancel a subscription now; its open invoices stay open, and nobody goes on to collect them."""
    now = books.clock.now()
    why = {"reason": "cancellation_requested", **(details or {})}
    ended: Row = {"status": "canceled", "ended_at": now, "canceled_at": subscription["canceled_at"] or now}
    ended["cancellation_details"] = {**subscription["cancellation_details"], **why}
    books.change("subscriptions", subscription, "deleted", **ended, _renews=False)
    for row in list(books.store.of("invoices").values()):
        if invoices.subscription_of(books, row) is not subscription:
            continue
        if row["status"] in {"draft", "open"}:
            books.change("invoices", row, auto_advance=False, next_payment_attempt=None)
    return subscription


def _owed(books: Books, customer: str) -> list[Row]:
    """Return what should have been paid by now."""
    now = books.clock.now()
    held = books.store.of("invoices").values()
    return [row for row in held if row["customer"] == customer and _is_late(row, now)]


def _is_late(row: Row, now: int) -> bool:
    if row["status"] != "open":
        return bool(row["status"] == "uncollectible")
    if row["collection_method"] == "send_invoice":
        return row["due_date"] is not None and int(row["due_date"]) <= now
    return bool(row["attempted"])
