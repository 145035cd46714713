"""What time itself does: periods end, drafts become final, tries are repeated, offers expire."""

import math
from collections.abc import Callable, Iterator

from integrations.simulators.stripe import collecting, invoices
from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.clock import HOUR
from integrations.simulators.stripe.discounts import end_discounts, next_end
from integrations.simulators.stripe.standing import end, settle_subscription
from integrations.simulators.stripe.store import Row
from integrations.simulators.stripe.subscriptions import go_on, renew

Happening = tuple[float, int, Callable[[], None]]
"""When, in which order at the same instant, and what."""
INCOMPLETE_SECONDS = 23 * HOUR


def catch_up(books: Books) -> int:
    """Let everything that has come due happen, in order and each at its own time; returns how much."""
    until, happened = books.clock.running(), 0
    while True:
        coming = min(_coming(books), key=lambda each: each[:2], default=(math.inf, 0, None))
        at, _, happen = coming
        if happen is None or at > until:
            return happened
        with books.clock.at(at):
            happen()
        happened += 1


def _coming(books: Books) -> Iterator[Happening]:
    for kind, find in _SOURCES.items():
        for row in books.store.of(kind).values():
            found = find(books, row)
            if found is not None:
                at, happen = found
                yield at, row["_n"], happen


_Found = tuple[float, Callable[[], None]] | None


def _of_subscription(books: Books, row: Row) -> _Found:
    if not row.get("_renews"):
        return None
    if row["status"] == "incomplete":
        return row["created"] + INCOMPLETE_SECONDS, lambda: _expire(books, row)
    over = next_end(books, row)
    if over is not None and over[0] <= row["items"]["data"][0]["current_period_end"]:
        return over[0], lambda: end_discounts(books, row, [over[1]])
    resumes = (row["pause_collection"] or {}).get("resumes_at")
    ends, cancels = row["items"]["data"][0]["current_period_end"], row["cancel_at"]
    if resumes is not None and resumes <= ends:
        return resumes, lambda: _resume(books, row)
    if cancels is not None and cancels <= ends:
        return cancels, lambda: _end(books, row)
    return ends, lambda: _renew(books, row)


def _of_invoice(books: Books, row: Row) -> _Found:
    if row["status"] == "draft" and row["auto_advance"] and row["automatically_finalizes_at"] is not None:
        return row["automatically_finalizes_at"], lambda: go_on(books, row)
    if row["status"] != "open":
        return None
    if row["next_payment_attempt"] is not None and row["auto_advance"]:
        return row["next_payment_attempt"], lambda: _retry(books, row)
    if row["due_date"] is not None and not row.get("_overdue"):
        return row["due_date"], lambda: _overdue(books, row)
    return None


def _of_promotion(books: Books, row: Row) -> _Found:
    if not row["active"] or row["expires_at"] is None:
        return None
    return row["expires_at"], lambda: _drop(books, "promotion_codes", row)


def _of_checkout(books: Books, row: Row) -> _Found:
    return (row["expires_at"], lambda: _close(books, row)) if row["status"] == "open" else None


_SOURCES: dict[str, Callable[[Books, Row], _Found]] = {
    "subscriptions": _of_subscription,
    "invoices": _of_invoice,
    "promotion_codes": _of_promotion,
    "checkout/sessions": _of_checkout,
}


def _renew(books: Books, row: Row) -> None:
    if row["cancel_at_period_end"]:
        end(books, row)
        return
    invoice = renew(books, row)
    if books.switches.draft_seconds == 0:
        go_on(books, invoice)


def _end(books: Books, row: Row) -> None:
    end(books, row)


def _resume(books: Books, row: Row) -> None:
    books.change("subscriptions", row, pause_collection=None)


def _expire(books: Books, row: Row) -> None:
    for invoice in list(books.store.of("invoices").values()):
        if invoices.subscription_of(books, invoice) is row and invoice["status"] == "open":
            invoices.give_up(books, invoice, "void")
    books.change("subscriptions", row, status="incomplete_expired", _renews=False)


def _retry(books: Books, row: Row) -> None:
    books.change("invoices", row, None, next_payment_attempt=None)
    collecting.collect(books, row, is_automatic=True)


def _overdue(books: Books, row: Row) -> None:
    books.change("invoices", row, None, _overdue=True)
    books.tell("invoice.overdue", row)
    settle_subscription(books, row)


def _drop(books: Books, kind: str, row: Row) -> None:
    books.change(kind, row, active=False)


def _close(books: Books, row: Row) -> None:
    books.change("checkout/sessions", row, "expired", status="expired", url=None)
