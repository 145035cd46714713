"""The account's books: every object is made and changed here, and every change is told as an event."""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from integrations.simulators.stripe.cards import Issuers
from integrations.simulators.stripe.clock import SimulatedClock
from integrations.simulators.stripe.errors import no_such
from integrations.simulators.stripe.shapes_catalog import event
from integrations.simulators.stripe.store import Row, StripeStore

CURRENT_VERSION = "2026-10-28.endive"
BEFORE_BASIL = "2025-02-24.acacia"
"""The last version in the older shape: an invoice names its subscription, charge and intent itself."""
KINDS: dict[str, tuple[str, str]] = {
    "customers": ("customer", "cus"),
    "products": ("product", "prod"),
    "prices": ("price", "price"),
    "payment_methods": ("payment_method", "pm"),
    "subscriptions": ("subscription", "sub"),
    "invoices": ("invoice", "in"),
    "invoiceitems": ("invoiceitem", "ii"),
    "invoice_payments": ("invoice_payment", "inpay"),
    "payment_intents": ("payment_intent", "pi"),
    "charges": ("charge", "ch"),
    "disputes": ("dispute", "dp"),
    "coupons": ("coupon", "coupon"),
    "promotion_codes": ("promotion_code", "promo"),
    "discounts": ("discount", "di"),
    "billing_portal/sessions": ("billing_portal.session", "bps"),
    "checkout/sessions": ("checkout.session", "cs_test"),
    "webhook_endpoints": ("webhook_endpoint", "we"),
    "events": ("event", "evt"),
}
"""Each list of the API: what one of it is called, and how its ids begin."""
DELIVERIES = "_deliveries"


class Switches(msgspec.Struct, forbid_unknown_fields=True):
    """How the account behaves; the control API changes it."""

    api_version: str = CURRENT_VERSION
    """The shape of events, and of answers to callers who ask for no version."""
    smart_retries: bool = False
    """Whether the provider itself tries failed charges again, `retry_days` after each failure."""
    retry_days: list[float] = msgspec.field(default_factory=lambda: [3.0, 5.0, 7.0])
    after_retries: str = "past_due"
    """What the subscription becomes after the last try: past_due, unpaid or canceled."""
    draft_seconds: int = 3600
    """How long the invoice of a new period stays a draft."""
    has_portal: bool = True
    """Whether the account's owner has set up the customer's own page."""
    webhook_duplicates: bool = False
    webhook_out_of_order: bool = False
    webhook_delay_seconds: float = 0.0
    webhook_held: bool = False
    """Whether events wait until they are let go."""
    public_url: str = ""
    """Where people reach the pages; empty is where the last request came to."""


class Books:
    """One account. Whoever changes it holds the store's transaction."""

    def __init__(self, store: StripeStore, clock: SimulatedClock) -> None:
        self.store = store
        self.clock = clock
        self.issuers = Issuers(store)
        self._request: Row = {"id": None, "idempotency_key": None}
        self._reached_at = ""

    @property
    def base_url(self) -> str:
        """Where people reach the pages."""
        return self.switches.public_url or self._reached_at

    def reached_at(self, url: str) -> None:
        """Note the address that a request came to."""
        self._reached_at = url.rstrip("/")

    @contextmanager
    def caused_by(self, request_id: str, key: str) -> Iterator[None]:
        """Name a request in the events of everything that happens within."""
        self._request = {"id": request_id, "idempotency_key": key or None}
        try:
            yield
        finally:
            self._request = {"id": None, "idempotency_key": None}

    @property
    def switches(self) -> Switches:
        """Return how the account behaves now."""
        kept = self.store.setting("switches").get("values", {})
        return msgspec.convert(kept, Switches)

    def switch(self, **changes: Any) -> Switches:
        """Change how the account behaves."""
        values = {**msgspec.structs.asdict(self.switches), **changes}
        changed = msgspec.convert(values, Switches)
        self.store.set("switches", values=values)
        return changed

    def new_id(self, kind: str) -> str:
        """Return an id for a new object of a list."""
        return self.store.new_id(KINDS[kind][1])

    def get(self, kind: str, key: str | None, param: str = "id", status: int = 400) -> Row:
        """Return an object; a StripeRefusal says that there is none."""
        row = self.store.of(kind).get(str(key))
        if row is None:
            raise no_such(KINDS[kind][0], str(key), param, status)
        return row

    def make(self, kind: str, row: Row, *, told: str | None = "created") -> Row:
        """Keep a new object and tell of it."""
        self.store.put(kind, row)
        if told:
            self.tell(f"{_noun(kind)}.{told}", row)
        return row

    def change(self, kind: str, row: Row, told: str | None = "updated", **changes: Any) -> Row:
        """Change an object; tell of it if anything is different."""
        before = {
            name: copy.deepcopy(row.get(name)) for name, value in changes.items() if row.get(name) != value
        }
        row.update(changes)
        self.store.put(kind, row)
        shown = {name: value for name, value in before.items() if not name.startswith("_")}
        if told and (shown or told != "updated"):
            self.tell(f"{_noun(kind)}.{told}", row, shown if told == "updated" else None)
        return row

    def tell(self, kind: str, body: Row, previous: Row | None = None) -> Row:
        """Add an event with a copy of the object, and a delivery for each endpoint that wants it."""
        row = event(self.new_id("events"), self.clock.now(), kind, copy.deepcopy(body))
        if previous is not None:
            row["data"]["previous_attributes"] = previous
        wanting = [each for each in self.store.of("webhook_endpoints").values() if _wants(each, kind)]
        row |= {"request": dict(self._request), "pending_webhooks": len(wanting)}
        row["api_version"] = self.switches.api_version
        self.store.put("events", row)
        due = time.time() + self.switches.webhook_delay_seconds
        for endpoint in wanting:
            names = {"event": row["id"], "endpoint": endpoint["id"], "kind": kind}
            key = f"{row['id']}:{endpoint['id']}"
            self.store.put(DELIVERIES, {"id": key, **names, "due_at": due, "attempts": 0, "answers": []})
        return row


def _noun(kind: str) -> str:
    return {"subscriptions": "customer.subscription", "disputes": "charge.dispute"}.get(kind, KINDS[kind][0])


def _wants(endpoint: Row, kind: str) -> bool:
    if endpoint["status"] != "enabled":
        return False
    return any(fnmatchcase(kind, wanted) for wanted in endpoint["enabled_events"])
