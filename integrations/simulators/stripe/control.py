"""The control API: time, companies, disputes, payments and cards of customers, for tests, demos and chaos."""

import time
from typing import Any

import msgspec
from litestar import Controller, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromPath, JSONBody

from integrations.simulators.providers import Simulations, faults_from
from integrations.simulators.stripe import collecting
from integrations.simulators.stripe.account import SimulatedStripe
from integrations.simulators.stripe.books import DELIVERIES
from integrations.simulators.stripe.companies import Company, add_card, add_company, next_invoice
from integrations.simulators.stripe.disputes import close_dispute, open_dispute
from integrations.simulators.stripe.errors import StripeRefusal
from integrations.simulators.stripe.params_catalog import CreateEndpoint
from integrations.simulators.stripe.params_control import (
    Advance,
    CloseDispute,
    Dispute,
    Endpoint,
    Enter,
    Pay,
    SetClock,
    Settle,
)
from integrations.simulators.stripe.render import shown
from integrations.simulators.stripe.routes_catalog import create_endpoint
from integrations.simulators.stripe.store import Row

Given = NamedDependency[SimulatedStripe]


class StripeControlController(Controller):
    """What a test, a demo or the chaos run turns."""

    path = "/_control/stripe"

    @get("/")
    async def show(self, stripe: Given) -> dict[str, Any]:
        """Show clock, switches, and how many of everything there are."""
        counts = {kind: len(rows) for kind, rows in sorted(stripe.rows.items()) if kind[0] != "_"}
        waiting = sum(row["due_at"] is not None for row in stripe.store.of(DELIVERIES).values())
        switches = msgspec.structs.asdict(stripe.books.switches)
        clock = stripe.books.clock.shown()
        return {"clock": clock, "switches": switches, "counts": counts, "webhooks_waiting": waiting}

    @put("/clock")
    async def set_clock(self, stripe: Given, data: JSONBody[SetClock]) -> dict[str, Any]:
        """Set the clock; what has come due by then happens before the answer."""
        with stripe.store.transaction():
            stripe.books.clock.set(data.at, data.rate)
        return {"happened": stripe.catch_up(), **stripe.books.clock.shown()}

    @post("/clock/advance", status_code=200)
    async def advance(self, stripe: Given, data: JSONBody[Advance]) -> dict[str, Any]:
        """Move the clock; what has come due by then happens before the answer."""
        with stripe.store.transaction():
            stripe.books.clock.advance(data.days * 86400 + data.seconds)
        return {"happened": stripe.catch_up(), **stripe.books.clock.shown()}

    @patch("/switches")
    async def switch(self, stripe: Given, data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
        """Change how the account behaves; what is not given stays."""
        with stripe.store.transaction():
            try:
                return msgspec.structs.asdict(stripe.books.switch(**data))
            except msgspec.ValidationError as error:
                raise ClientException(detail=str(error)) from None

    @post("/companies")
    async def add_company(self, stripe: Given, data: JSONBody[Company]) -> dict[str, Any]:
        """Make a company with card, plan, subscription and first invoice; returns their ids."""
        return _done(stripe, lambda: add_company(stripe.books, data))

    @post("/subscriptions/{object_id:str}/next-invoice")
    async def next_invoice(self, stripe: Given, object_id: FromPath[str]) -> dict[str, Any]:
        """End a period now: the next invoice is issued and collected."""
        return _done(stripe, lambda: next_invoice(stripe.books, stripe.books.get("subscriptions", object_id)))

    @post("/pay")
    async def pay(self, stripe: Given, data: JSONBody[Pay]) -> dict[str, Any]:
        """Let the customer pay an invoice, or a part of it."""

        def paid() -> Row:
            row = stripe.books.get("invoices", data.invoice)
            collecting.take_money(stripe.books, row, data.amount or row["amount_remaining"])
            return row

        return _done(stripe, paid)

    @post("/cards")
    async def enter_card(self, stripe: Given, data: JSONBody[Enter]) -> dict[str, Any]:
        """Let the customer enter another card, which is charged from now on."""
        books = stripe.books
        return _done(stripe, lambda: add_card(books, books.get("customers", data.customer), data.card))

    @put("/cards/{fingerprint:str}")
    async def script_card(
        self, stripe: Given, fingerprint: FromPath[str], data: JSONBody[list[Any]]
    ) -> dict[str, Any]:
        """Script the next charges of a card anew."""
        with stripe.store.transaction():
            stripe.books.issuers.script(fingerprint, data)
        return {"results": data}

    @post("/disputes")
    async def dispute(self, stripe: Given, data: JSONBody[Dispute]) -> dict[str, Any]:
        """Let the customer dispute a charge."""
        given = (data.charge, data.invoice, data.reason, data.amount)
        return _done(stripe, lambda: open_dispute(stripe.books, *given))

    @post("/disputes/{object_id:str}/close")
    async def close_dispute(
        self, stripe: Given, object_id: FromPath[str], data: JSONBody[CloseDispute]
    ) -> dict[str, Any]:
        """End a dispute."""
        return _done(stripe, lambda: close_dispute(stripe.books, object_id, data.status))

    @post("/settle")
    async def settle(self, stripe: Given, data: JSONBody[Settle]) -> dict[str, Any]:
        """Let a pending payment arrive or come back."""

        def settled() -> Row:
            intent = stripe.books.get("payment_intents", data.payment_intent)
            collecting.settle_pending(stripe.books, intent, succeeds=data.succeeds)
            return intent

        return _done(stripe, settled)

    @put("/webhook")
    async def set_webhook(self, stripe: Given, data: JSONBody[Endpoint]) -> dict[str, Any]:
        """Tell one address of events, signed with a secret that both sides know."""
        with stripe.store.transaction():
            set_endpoint(stripe, data)
        return {"url": data.url}

    @post("/webhook/resend")
    async def resend(self, stripe: Given) -> dict[str, int]:
        """Deliver every event again."""
        with stripe.store.transaction():
            for row in list(stripe.store.of(DELIVERIES).values()):
                stripe.store.put(DELIVERIES, {**row, "due_at": time.time()})
        return {"deliveries": len(stripe.store.of(DELIVERIES))}

    @get("/deliveries")
    async def deliveries(self, stripe: Given) -> list[dict[str, Any]]:
        """Return the log of deliveries, in the order in which events happened."""
        return list(stripe.store.of(DELIVERIES).values())

    @get("/charges")
    async def charges(self, stripe: Given) -> list[dict[str, Any]]:
        """Return every charge with its invoice, oldest first: what was tried, and what was taken."""
        held = stripe.store.of("charges").values()
        return [{**shown(stripe.books, row), "invoice": row.get("_invoice")} for row in held]

    @get("/promotion-codes")
    async def promotion_codes(self, stripe: Given) -> list[dict[str, Any]]:
        """Return every promotion code with its coupon and with who has redeemed it."""
        redeemed = list(stripe.store.of("discounts").values())
        return [
            {
                **shown(stripe.books, row, ["promotion.coupon"]),
                "redemptions": [
                    shown(stripe.books, each) for each in redeemed if each["promotion_code"] == key
                ],
            }
            for key, row in stripe.store.of("promotion_codes").items()
        ]

    @post("/faults")
    async def put_faults(
        self, data: JSONBody[list[dict[str, Any]]], simulations: NamedDependency[Simulations]
    ) -> dict[str, int]:
        """Add faults: fault, times, path, every, seconds, method, customer."""
        simulations["stripe"].faults += faults_from(data)
        return {"faults": len(simulations["stripe"].faults)}

    @delete("/faults")
    async def clear_faults(self, simulations: NamedDependency[Simulations]) -> None:
        """Forget every fault."""
        simulations["stripe"].faults.clear()

    @post("/idempotency/forget")
    async def forget_keys(self, stripe: Given) -> dict[str, int]:
        """Forget every idempotency key, as after a day."""
        with stripe.store.transaction():
            return {"forgotten": stripe.idempotency.forget()}

    @post("/reset")
    async def reset(self, stripe: Given, simulations: NamedDependency[Simulations]) -> dict[str, bool]:
        """Forget everything, also the sample companies: the account is empty, and its clock is the wall's."""
        with stripe.store.transaction():
            stripe.store.clear()
        simulations["stripe"].faults.clear()
        return {"empty": True}


def set_endpoint(stripe: SimulatedStripe, wanted: Endpoint) -> None:
    """Replace the endpoint of the control API."""
    for key, row in list(stripe.store.of("webhook_endpoints").items()):
        if row.get("_is_controls"):
            stripe.store.drop("webhook_endpoints", key)
    if wanted.url is None:
        return
    row = create_endpoint(stripe.books, CreateEndpoint(url=wanted.url, enabled_events=wanted.enabled_events))
    kept = stripe.books.get("webhook_endpoints", row["id"])
    own: Row = {"_is_controls": True, "_secret": wanted.secret, "api_version": wanted.api_version}
    stripe.books.change("webhook_endpoints", kept, None, **own)


def _done(stripe: SimulatedStripe, deed: Any) -> dict[str, Any]:
    stripe.catch_up()
    with stripe.store.transaction():
        try:
            return shown(stripe.books, deed())
        except StripeRefusal as refusal:
            raise ClientException(detail=refusal.message) from None
