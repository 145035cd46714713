"""The simulated Stripe account: it is asked over HTTP, keeps its books, and moves with its clock."""

import datetime as dt
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from integrations.simulators.providers import Answer, Ask
from integrations.simulators.sample_accounts import Company, sample_companies
from integrations.simulators.stripe import (
    routes_catalog,
    routes_invoices,
    routes_people,
    routes_sessions,
    routes_subscriptions,
)
from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.clock import SimulatedClock
from integrations.simulators.stripe.due import catch_up
from integrations.simulators.stripe.errors import (
    NOT_FOUND,
    UNAUTHORIZED,
    StripeRefusal,
    simulated,
)
from integrations.simulators.stripe.forms import nested, read
from integrations.simulators.stripe.idempotency import Idempotency
from integrations.simulators.stripe.listing import MOST
from integrations.simulators.stripe.reading import Reading
from integrations.simulators.stripe.reading import read as read_objects
from integrations.simulators.stripe.render import shown
from integrations.simulators.stripe.routing import Params, Route
from integrations.simulators.stripe.samples import add_companies
from integrations.simulators.stripe.store import Row, StripeStore

STRIPE_KEY = "rk_test_simulator"
"""The key of the simulated account; it opens nothing but the simulator on this machine."""
WEBHOOK_SECRET = "whsec_simulator"  # noqa: S105 - signs for the simulator alone
ROUTES: tuple[Route, ...] = (
    *routes_people.ROUTES,
    *routes_catalog.ROUTES,
    *routes_subscriptions.ROUTES,
    *routes_invoices.ROUTES,
    *routes_sessions.ROUTES,
)


class SimulatedStripe:
    """One account. `page_size` is the most rows per answer; without a file it is gone with the process."""

    name = "stripe"

    def __init__(
        self, companies: Iterable[Company] | None = None, page_size: int = MOST, file: Path | None = None
    ) -> None:
        """Open the account; a new one begins with the sample companies."""
        self.page_size = page_size
        self.store = StripeStore(file)
        self.books = Books(self.store, SimulatedClock(self.store))
        self.idempotency = Idempotency(self.store)
        if not self.store.rows:
            add_companies(self.books, sample_companies() if companies is None else companies)

    @property
    def rows(self) -> dict[str, dict[str, Row]]:
        """Return every object, by the name of its list and by its id."""
        return self.store.rows

    def refused(self, status: int) -> Any:
        """Return Stripe's error body."""
        return simulated(status).body()

    def change(self, kind: str, key: str, at: dt.datetime, **changes: Any) -> None:
        """Change an object, and tell of it by an event."""
        with self.store.transaction(), self.books.clock.at(at.timestamp()):
            self.books.change(kind, self.books.get(kind, key), None, **changes)
            noun = {"customers": "customer", "subscriptions": "customer.subscription", "invoices": "invoice"}
            self.books.tell(f"{noun[kind]}.updated", self.books.get(kind, key))

    def tell(self, kind: str, body: Row, at: dt.datetime) -> None:
        """Add an event."""
        with self.store.transaction(), self.books.clock.at(at.timestamp()):
            self.books.tell(kind, body)

    def customer_of(self, ask: Ask) -> str:
        """Return the customer whom a request concerns, empty where it is nobody's."""
        named = nested(ask.form).get("customer") or ask.first("customer")
        if isinstance(named, str) and named:
            return named
        for part in ask.path.split("/"):
            found = self.store.find(part)
            if found is not None:
                kind, row = found
                return str(row["id"] if kind == "customers" else row.get("customer") or "")
        return ""

    def answer(self, ask: Ask) -> Answer:
        """Answer as Stripe would; whatever has come due happens first."""
        request_id = f"req_{secrets.token_hex(7)}"
        version = ask.headers.get("stripe-version") or self.books.switches.api_version
        headers = {"Request-Id": request_id, "Stripe-Version": version}
        key = ask.headers.get("idempotency-key", "") if ask.method == "POST" else ""
        try:
            self._authorize(ask)
            kept = self.idempotency.begin(key, ask.method, ask.path, ask.content)
        except StripeRefusal as refusal:
            return Answer(refusal.body(), refusal.status, headers)
        headers |= {"Idempotency-Key": key} if key else {}
        if kept is not None:
            replayed = {"Idempotent-Replayed": "true", "Original-Request": kept["request_id"]}
            return Answer(kept["body"], kept["status"], {**headers, **replayed})
        return self._executed(ask, key, headers)

    def catch_up(self) -> int:
        """Let everything that has come due happen; returns how much."""
        with self.store.transaction():
            return catch_up(self.books)

    def _executed(self, ask: Ask, key: str, headers: dict[str, str]) -> Answer:
        try:
            status, body = self._written(ask, key, headers)
        except BaseException:
            self.idempotency.end(key)
            raise
        return Answer(body, status, headers, lambda: self.idempotency.end(key))

    def _written(self, ask: Ask, key: str, headers: dict[str, str]) -> tuple[int, Any]:
        """Execute a request; what it changed and what it is answered are written together."""
        request_id = headers["Request-Id"]
        with self.store.transaction():
            self.books.reached_at(ask.base_url)
            catch_up(self.books)
            with self.books.caused_by(request_id, key):
                status, body, is_remembered = self._outcome(ask, headers["Stripe-Version"])
            if is_remembered:
                request = (ask.method, ask.path, ask.content)
                self.idempotency.keep(key, request, status, {"request_id": request_id, "body": body})
        return status, body

    def _outcome(self, ask: Ask, version: str) -> tuple[int, Any, bool]:
        try:
            return 200, self._result(ask, version), True
        except StripeRefusal as refusal:
            details = refusal.details
            if "payment_intent" in details:
                details["payment_intent"] = shown(self.books, details["payment_intent"], (), version)
            return refusal.status, refusal.body(), refusal.is_remembered

    def _result(self, ask: Ask, version: str) -> Row:
        parts = ask.path.strip("/").split("/")
        if parts[0] != "v1" or len(parts) == 1:
            raise _unrecognized(ask)
        values = nested(ask.form)
        for route in ROUTES:
            ids = route.ids(ask.method, parts[1:])
            if ids is not None:
                params: Params = read(values, route.params)
                return shown(self.books, route.answer(self.books, params, *ids), params.expand, version)
        found = None
        if ask.method == "GET":
            found = read_objects(self.books, Reading(parts[1:], values, version, self.page_size))
        if found is None:
            raise _unrecognized(ask)
        return found

    def _authorize(self, ask: Ask) -> None:
        if ask.authorization != f"Bearer {STRIPE_KEY}":
            raise StripeRefusal("Invalid API Key provided", UNAUTHORIZED)


def _unrecognized(ask: Ask) -> StripeRefusal:
    return StripeRefusal(f"Unrecognized request URL ({ask.method}: {ask.path}).", NOT_FOUND)
