"""Reading an invoice with all that its evidence needs: two calls as a rule, whatever shape the answer has."""

from collections.abc import Mapping
from typing import Any

import stripe

from integrations.stripe_calls import find, read, whole
from integrations.stripe_cards import CARDS, entered_later
from integrations.stripe_evidence import InvoiceReading
from integrations.stripe_shapes import Body, payments_of, rows_of

PAYMENTS = "payments.data.payment.payment_intent"
EXPANDED = [*CARDS, "customer.default_source", "default_source", PAYMENTS]
LIMIT = 100


class InvoiceReader:
    """Reads invoices freshly. What Stripe did not expand is fetched by its id."""

    def __init__(self, client: stripe.StripeClient) -> None:
        """Take the client."""
        self._v1 = client.v1

    async def read(self, key: str) -> InvoiceReading | None:
        """Return an invoice with everything around it, None where there is none."""
        invoice = await find(self._v1.invoices.retrieve_async(key, {"expand": EXPANDED}))
        if invoice is None:
            return None
        subscription = await whole(_subscription(invoice), self._v1.subscriptions.retrieve_async)
        customer = await whole(invoice.get("customer"), self._v1.customers.retrieve_async)
        paid = await self.payments(invoice)
        disputed = [charge for charge in paid.charges if charge.get("disputed")]
        return InvoiceReading(
            invoice,
            customer,
            subscription,
            await self._method(invoice, subscription or {}, customer or {}),
            paid.intents,
            paid.charges,
            [dispute for charge in disputed for dispute in await self._disputes(charge)],
        )

    async def to_follow(self, key: str) -> tuple[str, str] | None:
        """Return a subscription, and the card that its customer entered later than the one it has."""
        invoice = await find(self._v1.invoices.retrieve_async(key, {"expand": [*CARDS]}))
        subscription = _subscription(invoice) if invoice is not None else None
        customer = invoice.get("customer") if invoice is not None else None
        if invoice is None or not isinstance(subscription, Mapping) or not isinstance(customer, Mapping):
            return None
        later = entered_later(invoice, dict(subscription), dict(customer))
        return None if later is None else (subscription["id"], later["id"])

    async def payments(self, invoice: Body) -> InvoiceReading:
        """Return the payments of an invoice, with every attempt at them."""
        intents: list[Body] = []
        charges: list[Body] = []
        for kind, given in payments_of(invoice):
            if kind == "charge":
                charge = await whole(given, self._v1.charges.retrieve_async)
                charges += [] if charge is None else [charge]
                continue
            intent = await whole(given, self._v1.payment_intents.retrieve_async)
            if intent is not None:
                intents.append(intent)
                charges += await self._attempts(intent)
        return InvoiceReading(invoice, intents=intents, charges=charges)

    async def _attempts(self, intent: Body) -> list[Body]:
        """Return every charge of an intent: Stripe tries an invoice again with the same one."""
        query: Any = {"payment_intent": intent["id"], "limit": LIMIT}
        return rows_of(await read(self._v1.charges.list_async(query)))

    async def _disputes(self, charge: Body) -> list[Body]:
        query: Any = {"charge": charge["id"], "limit": LIMIT}
        return rows_of(await read(self._v1.disputes.list_async(query)))

    async def _method(self, invoice: Body, subscription: Body, customer: Body) -> Body | None:
        """Return what is charged: a card that was entered later, else by Stripe's own order."""
        for given in (
            entered_later(invoice, subscription, customer),
            invoice.get("default_payment_method"),
            invoice.get("default_source"),
            subscription.get("default_payment_method"),
            subscription.get("default_source"),
            (customer.get("invoice_settings") or {}).get("default_payment_method"),
            customer.get("default_source"),
        ):
            if given:
                return await whole(given, self._v1.payment_methods.retrieve_async)
        return None


def _subscription(invoice: Body) -> Any:
    """Return the subscription, whole or by its id, in the shape before 2025-03-31 and since."""
    parent = (invoice.get("parent") or {}).get("subscription_details") or {}
    return parent.get("subscription") or invoice.get("subscription")
