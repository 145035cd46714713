"""The sample companies as this account knows them: one subscription and three invoices each."""

import datetime as dt
from collections.abc import Iterable

from integrations.simulators.sample_accounts import Company
from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.shapes_billing import invoice, subscription, subscription_item
from integrations.simulators.stripe.shapes_catalog import price, product
from integrations.simulators.stripe.shapes_people import NO_ADDRESS, customer
from integrations.simulators.stripe.store import Row

MONTH = dt.timedelta(days=30)
PRICE_MINOR = 10_000
_CUSTOMER, _PRODUCT, _PRICE = "cus_{:04}", "prod_team", "price_seat"


def add_companies(books: Books, companies: Iterable[Company]) -> None:
    """Add companies as they have always been: nothing is told, and time adds nothing to them."""
    put, first = books.store.put, 0
    recurring = {"interval": "month", "interval_count": 1}
    seat = price(_PRICE, first, PRICE_MINOR, "eur", recurring, nickname="Team", product=_PRODUCT)
    for company in companies:
        if company.is_lead:
            continue
        put("products", product(_PRODUCT, first, "Team"))
        put("prices", seat)
        owner = _customer(company)
        put("customers", owner)
        held = _subscription(company, owner["id"], seat)
        put("subscriptions", held)
        for month, is_paid in enumerate((True, True, False)):
            issued = int((company.since + month * MONTH).timestamp())
            row = _invoice(company, owner, f"in_{company.number:04}{month}", issued, is_paid=is_paid)
            put("invoices", row)
            held["latest_invoice"] = row["id"]
    books.store.commit()


def _customer(company: Company) -> Row:
    return customer(
        _CUSTOMER.format(company.number),
        int(company.since.timestamp()),
        name=company.name,
        email=company.people[0].email,
        currency="eur",
        address={**NO_ADDRESS, "country": "DE"},
        next_invoice_sequence=4,
    )


def _subscription(company: Company, owner: str, seat: Row) -> Row:
    key, start = f"sub_{company.number:04}", int(company.since.timestamp())
    item = subscription_item(f"si_{company.number:04}", start, key, seat, company.seats)
    item["current_period_start"] = int((company.since + 2 * MONTH).timestamp())
    item["current_period_end"] = int((company.since + 3 * MONTH).timestamp())
    return subscription(key, start, owner, [item])


def _invoice(company: Company, owner: Row, key: str, issued: int, *, is_paid: bool) -> Row:
    total = company.seats * PRICE_MINOR
    details = {"metadata": {}, "subscription": f"sub_{company.number:04}"}
    moments = {"finalized_at": issued, "paid_at": issued + 3600 if is_paid else None}
    row = invoice(
        key,
        issued,
        owner,
        "eur",
        number=f"EX-{key[3:]}",
        status="paid" if is_paid else "open",
        attempt_count=1,
        attempted=True,
        billing_reason="subscription_cycle",
        effective_at=issued,
        parent={"quote_details": None, "subscription_details": details, "type": "subscription_details"},
    )
    row |= dict.fromkeys(("amount_due", "total", "subtotal", "subtotal_excluding_tax"), total)
    row |= {"amount_paid": total if is_paid else 0, "amount_remaining": 0 if is_paid else total}
    row["total_excluding_tax"] = total
    row["status_transitions"] |= moments
    return row
