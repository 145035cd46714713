"""Pages of Stripe's on which customers help themselves. Making one changes nothing, so it may be repeated."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import stripe

from domain.billing import DiscountReceipt, RecoveryLink
from domain.errors import PermanentProviderError
from domain.time import BusinessInstant
from integrations.stripe_calls import find, read
from integrations.stripe_http import PROVIDER
from integrations.stripe_shapes import Body, rows_of
from integrations.stripe_times import StripeTimes

PORTAL_LIVES = dt.timedelta(minutes=5)
"""A portal session that nobody opens ends then: make it when the customer clicks, for no letter."""


class StripeLinks:
    """Makes portal and checkout sessions."""

    def __init__(self, client: stripe.StripeClient, times: StripeTimes) -> None:
        """Take the client, and how expiries map."""
        self._v1, self._times = client.v1, times

    async def update(self, customer_key: str, return_url: str) -> RecoveryLink:
        """Return where another card is entered: the portal, else the page of the newest open invoice.

        The portal cannot be had without a configuration, with cards switched off in it, or without the
        permission; the page of an invoice takes any card and needs none of these.
        """
        try:
            session = await read(
                self._v1.billing_portal.sessions.create_async(_portal(customer_key, return_url))
            )
        except PermanentProviderError:
            page = await self._invoice_page(customer_key)
            if page is None:
                raise
            return RecoveryLink(page)
        ends = self._times.at(float(session["created"]) + PORTAL_LIVES.total_seconds())
        return RecoveryLink(str(session["url"]), ends)

    async def _invoice_page(self, customer_key: str) -> str | None:
        query: Any = {"customer": customer_key, "status": "open", "limit": 10}
        invoices = rows_of(await read(self._v1.invoices.list_async(query)))
        pages = [
            str(invoice["hosted_invoice_url"]) for invoice in invoices if invoice.get("hosted_invoice_url")
        ]
        return pages[0] if pages else None

    async def reactivation(
        self,
        customer_key: str,
        subscription_key: str | None,
        discount: DiscountReceipt | None,
        return_url: str,
    ) -> RecoveryLink:
        """Return a checkout for the items of the former subscription, with the discount applied."""
        former = await self._former(customer_key, subscription_key)
        if former is None:
            reason = f"{customer_key} has no former subscription to return to"
            raise PermanentProviderError(provider=PROVIDER, reason=reason)
        items = [_line(item) for item in rows_of(former.get("items"))]
        session = await read(
            self._v1.checkout.sessions.create_async(_checkout(customer_key, items, discount, return_url))
        )
        return RecoveryLink(str(session["url"]), self._expiry(session))

    def _expiry(self, session: Body) -> BusinessInstant | None:
        return self._times.at(session["expires_at"]) if session.get("expires_at") else None

    async def _former(self, customer_key: str, subscription_key: str | None) -> Body | None:
        """Return the subscription, or the one that the customer ended last."""
        if subscription_key is not None:
            return await find(self._v1.subscriptions.retrieve_async(subscription_key))
        query: Any = {"customer": customer_key, "status": "canceled", "limit": 100}
        ended = rows_of(await read(self._v1.subscriptions.list_async(query)))
        return max(ended, key=lambda one: one.get("ended_at") or one["created"], default=None)


def _portal(customer_key: str, return_url: str) -> Any:
    done = {"type": "redirect", "redirect": {"return_url": return_url}}
    flow = {"type": "payment_method_update", "after_completion": done}
    return {"customer": customer_key, "return_url": return_url, "flow_data": flow}


def _checkout(
    customer_key: str, items: list[Mapping[str, Any]], discount: DiscountReceipt | None, return_url: str
) -> Any:
    discounts = {} if discount is None else {"discounts": [{"promotion_code": discount.key}]}
    return {
        "mode": "subscription",
        "customer": customer_key,
        "line_items": items,
        "success_url": return_url,
        "cancel_url": return_url,
        **discounts,
    }


def _line(item: Body) -> Mapping[str, Any]:
    """Return a line of a checkout; what is metered has no quantity."""
    price = item.get("price") or item.get("plan") or {}
    is_metered = (price.get("recurring") or price).get("usage_type") == "metered"
    quantity = {} if is_metered else {"quantity": item.get("quantity") or 1}
    return {"price": price["id"], **quantity}
