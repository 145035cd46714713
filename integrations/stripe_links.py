"""Pages of Stripe's on which customers help themselves.

Making one changes nothing, so it may be repeated; but of checkouts, each of which can be gone through, one
is open at a time.
"""

import datetime as dt
import hashlib
import time
from collections.abc import Mapping
from typing import Any

import stripe

from domain.billing import DiscountReceipt, RecoveryLink
from domain.errors import PermanentProviderError
from domain.time import BusinessInstant
from integrations.stripe_calls import change, once, read
from integrations.stripe_facts import STATUS
from integrations.stripe_http import PROVIDER
from integrations.stripe_shapes import Body, rows_of
from integrations.stripe_times import StripeTimes

RETURN = "everstay_return"
"""Metadata of a checkout: the subscription that it brings back, and the code that it is made with."""
LIVE = frozenset(STATUS) - {"canceled"}
"""States of a subscription that goes on, whether it is paid or not."""
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
    ) -> RecoveryLink | None:
        """Return a checkout for the items of the former subscription, with the discount applied.

        None where they subscribe already: we may not have heard of it yet. A checkout that is still open is
        returned again, and any other is closed first, so that nobody subscribes twice.
        """
        subscriptions = await self._subscriptions(customer_key)
        if any(one["status"] in LIVE for one in subscriptions):
            return None
        former = _former(subscriptions, subscription_key)
        if former is None:
            reason = f"{customer_key} has no former subscription to return to"
            raise PermanentProviderError(provider=PROVIDER, reason=reason)
        terms = f"{former['id']}/{discount.key if discount else '-'}"
        made = await self._made_before(customer_key)
        opened = [one for one in made if one["status"] == "open"]
        same = next((one for one in opened if _terms(one) == terms), None)
        for session in opened:
            if session is not same:
                await change(self._v1.checkout.sessions.expire_async(session["id"]))
        if same is not None:
            return self._link(same)
        request = once(f"return/{terms}/{made[0]['id'] if made else 'first'}/{_moment(return_url)}")
        items = [_line(item) for item in rows_of(former.get("items"))]
        order = _checkout(customer_key, items, discount, return_url) | {"metadata": {RETURN: terms}}
        return self._link(await read(self._v1.checkout.sessions.create_async(order, request)))

    async def _subscriptions(self, customer_key: str) -> list[Body]:
        query: Any = {"customer": customer_key, "status": "all", "limit": 100}
        return rows_of(await read(self._v1.subscriptions.list_async(query)))

    async def _made_before(self, customer_key: str) -> list[Body]:
        """Return the checkouts that we made for somebody's return, the newest first."""
        query: Any = {"customer": customer_key, "limit": 100}
        sessions = rows_of(await read(self._v1.checkout.sessions.list_async(query)))
        return [one for one in sessions if _terms(one)]

    def _link(self, session: Body) -> RecoveryLink:
        return RecoveryLink(str(session["url"]), self._expiry(session))

    def _expiry(self, session: Body) -> BusinessInstant | None:
        return self._times.at(session["expires_at"]) if session.get("expires_at") else None


def _terms(session: Body) -> str | None:
    """Return what a checkout of ours brings back, None of others."""
    found: str | None = (session.get("metadata") or {}).get(RETURN)
    return found


def _moment(return_url: str) -> str:
    """Return what clicks on the same page within a minute share: they are one request.

    No longer, since Stripe keeps what a request came to for a day, an outage too.
    """
    page = hashlib.sha256(return_url.encode()).hexdigest()[:16]
    return f"{page}/{int(time.time() // 60)}"


def _former(subscriptions: list[Body], key: str | None) -> Body | None:
    """Return the subscription of that key, without one what the customer ended last."""
    if key is not None:
        return next((one for one in subscriptions if one["id"] == key), None)
    ended = [one for one in subscriptions if one["status"] == "canceled"]
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
