"""Disputes: a customer goes to their bank about a charge."""

from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.errors import StripeRefusal
from integrations.simulators.stripe.shapes_payments import dispute
from integrations.simulators.stripe.store import Row


def open_dispute(books: Books, charge: str, invoice: str, reason: str, amount: int | None) -> Row:
    """Dispute a charge, or the last one that an invoice was paid with."""
    held = books.store.of("charges")
    paid = [row for row in held.values() if row["paid"] and row["_invoice"] == invoice]
    row = held.get(charge) or (paid[-1] if paid else None)
    if row is None:
        raise StripeRefusal("There is no successful charge to dispute.", param="charge")
    books.change("charges", row, disputed=True)
    given = {"reason": reason, "amount": amount or row["amount"]}
    made = dispute(books.new_id("disputes"), books.clock.now(), row, **given)
    return books.make("disputes", made)


def close_dispute(books: Books, key: str, status: str) -> Row:
    """End a dispute: the money comes back, or it does not."""
    row = books.get("disputes", key)
    if row["status"] in {"won", "lost"}:
        raise StripeRefusal("This dispute has already ended.")
    return books.change("disputes", row, "closed", status=status)
