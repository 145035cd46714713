"""A simulated Stripe account to read from: customers, subscriptions, invoices, and events of changes."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from integrations.simulators.providers import Answer, Ask
from integrations.simulators.sample_accounts import Company, sample_companies

STRIPE_KEY = "rk_test_simulator"
MONTH = dt.timedelta(days=30)
PRICE_MINOR = 10_000
Row = dict[str, Any]


class SimulatedStripe:
    """Lists newest first, as Stripe does; `page_size` is the most rows per answer."""

    name = "stripe"

    def __init__(self, companies: Iterable[Company] | None = None, page_size: int = 100) -> None:
        """Begin with the sample companies."""
        self.page_size = page_size
        self.rows: dict[str, dict[str, Row]] = {
            name: {} for name in ("customers", "subscriptions", "invoices", "events")
        }
        for company in sample_companies() if companies is None else companies:
            if not company.is_lead:
                self._add_company(company)

    def refused(self, status: int) -> Any:
        """Return Stripe's error body."""
        return {"error": {"type": "api_error", "message": f"simulated {status}"}}

    def change(self, kind: str, key: str, at: dt.datetime, **changes: Any) -> None:
        """Change an object, and tell of it by an event."""
        self.rows[kind][key] |= changes
        name = {"customers": "customer", "subscriptions": "customer.subscription", "invoices": "invoice"}[
            kind
        ]
        self.tell(f"{name}.updated", self.rows[kind][key], at)

    def tell(self, kind: str, body: Row, at: dt.datetime) -> None:
        """Add an event."""
        key = f"evt_{len(self.rows['events']) + 1:06}"
        data = {"object": dict(body)}
        self.rows["events"][key] = {
            "id": key,
            "object": "event",
            "type": kind,
            "created": int(at.timestamp()),
            "data": data,
        }

    def answer(self, ask: Ask) -> Answer:
        """Route a call."""
        if ask.authorization != f"Bearer {STRIPE_KEY}":
            return Answer({"error": {"type": "invalid_request_error", "message": "Invalid API Key"}}, 401)
        parts = ask.path.strip("/").split("/")
        if parts[0] != "v1" or len(parts) < 2 or parts[1] not in self.rows:  # noqa: PLR2004 - v1 and a list
            return Answer({"error": {"message": "Unrecognized request URL"}}, 404)
        rows = self.rows[parts[1]]
        if len(parts) > 2:  # noqa: PLR2004 - and an id
            row = rows.get(parts[2])
            return Answer(row) if row else _missing(parts[2])
        return self._listed(rows, ask)

    def _listed(self, rows: dict[str, Row], ask: Ask) -> Answer:
        found = sorted(rows.values(), key=lambda row: (row["created"], row["id"]), reverse=True)
        size = min(int(ask.first("limit", "10")), self.page_size)
        ids = [row["id"] for row in found]
        after, before = ask.first("starting_after"), ask.first("ending_before")
        if (after or before) and (after or before) not in ids:
            return _missing(after or before, 400)
        if before:
            end = ids.index(before)
            page, more = found[max(end - size, 0) : end], end > size
        else:
            begin = ids.index(after) + 1 if after else 0
            page, more = found[begin : begin + size], begin + size < len(found)
        return Answer({"object": "list", "url": ask.path, "has_more": more, "data": page})

    def _add_company(self, company: Company) -> None:
        key, at = f"cus_{company.number:04}", company.since
        self.rows["customers"][key] = {
            "id": key,
            "object": "customer",
            "created": int(at.timestamp()),
            "name": company.name,
            "email": company.people[0].email,
            "currency": "eur",
            "address": {"country": "DE"},
            "metadata": {},
        }
        self.rows["subscriptions"][f"sub_{company.number:04}"] = _subscription(company, key)
        for month, is_paid in enumerate((True, True, False)):
            issued, number = at + month * MONTH, f"in_{company.number:04}{month}"
            self.rows["invoices"][number] = _invoice(company, key, number, issued, is_paid=is_paid)


def _missing(key: str, status: int = 404) -> Answer:
    error = {"type": "invalid_request_error", "code": "resource_missing", "message": f"No such object: {key}"}
    return Answer({"error": error}, status)


def _subscription(company: Company, customer: str) -> Row:
    price = {
        "id": "price_seat",
        "object": "price",
        "currency": "eur",
        "unit_amount": PRICE_MINOR,
        "unit_amount_decimal": str(PRICE_MINOR),
        "nickname": "Team",
        "product": "prod_team",
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
    }
    start = int(company.since.timestamp())
    item = {"id": f"si_{company.number:04}", "object": "subscription_item", "price": price}
    return {
        "id": f"sub_{company.number:04}",
        "object": "subscription",
        "created": start,
        "start_date": start,
        "customer": customer,
        "status": "active",
        "currency": "eur",
        "cancel_at_period_end": False,
        "cancel_at": None,
        "canceled_at": None,
        "ended_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "discounts": [],
        "items": {"object": "list", "has_more": False, "data": [item | {"quantity": company.seats}]},
    }


def _invoice(company: Company, customer: str, key: str, issued: dt.datetime, *, is_paid: bool) -> Row:
    total, at = company.seats * PRICE_MINOR, int(issued.timestamp())
    details = {"subscription_details": {"subscription": f"sub_{company.number:04}"}}
    return {
        "id": key,
        "object": "invoice",
        "created": at,
        "customer": customer,
        "number": f"EX-{key[3:]}",
        "currency": "eur",
        "total": total,
        "amount_due": total,
        "amount_paid": total if is_paid else 0,
        "status": "paid" if is_paid else "open",
        "attempt_count": 1,
        "due_date": None,
        "parent": details | {"type": "subscription_details"},
        "status_transitions": {"finalized_at": at, "paid_at": at + 3600 if is_paid else None},
    }
