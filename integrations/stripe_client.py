"""Stripe: everything once from newest to oldest, then what its events say has changed.

The events are anchored before the first list is read, so what changes while we read is read again. We ask in
the API version of the client library; both shapes (before and since 2025-03-31) are understood.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import stripe

from domain.errors import PermanentProviderError
from domain.facts import Fact
from domain.pulling import Cursor, Hint, Page, Told, epoch
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Timeline
from integrations.provider_http import BAD_REQUEST, FORBIDDEN, NOT_FOUND, Account, Json, ProviderHttp
from integrations.stripe_facts import facts_of, hints_of
from integrations.stripe_shapes import DISCOUNTED, PAYMENTS, discounted_subscription, disputed_payment, id_of

PROVIDER = "Stripe"
BASE_URL = "https://api.stripe.com"
PER_PAGE = 100
EVENTS = "events"
LISTS = {"customers": "customer", "subscriptions": "subscription", "invoices": "invoice"}
STREAM_OF = {kind: stream for stream, kind in LISTS.items()}
EVENT_TYPES = ("customer.*", "customer.subscription.*", "invoice.*", "charge.dispute.*")
QUERY: Mapping[str, Mapping[str, Any]] = {"subscriptions": {"status": "all"}}
COUPONS = "discounts.source.coupon"
EXPANDED: Mapping[str, Sequence[str]] = {"subscriptions": (COUPONS,)}
"""What is read with each object; four levels are the deepest that there are."""
DONE = {"done": True}
NOT_READABLE = frozenset({BAD_REQUEST, FORBIDDEN, NOT_FOUND})
TOO_OLD = frozenset({BAD_REQUEST, NOT_FOUND})
"""What is answered where an event is older than Stripe keeps them."""


class StripeReader:
    """Reads customers, subscriptions and invoices with a restricted key that may read these three."""

    streams: tuple[str, ...] = (EVENTS, *LISTS)

    def __init__(self, http: ProviderHttp) -> None:
        """Take the plumbing, already bound to an account."""
        self._http = http

    async def check(self) -> str:
        """Try each list with one object."""
        for stream in self.streams:
            await self._http.get(f"/v1/{stream}", {"limit": 1})
        return "It may read customers, subscriptions, invoices and events."

    async def page(self, stream: str, cursor: Cursor, now: WallInstant) -> Page:
        """Return the next part of a first reading, or the next changes.

        What is read `again`, after changes were missed, may have changed at any time up to now.
        """
        if stream == EVENTS:
            return await self._changes(cursor)
        if cursor.get("done"):
            return Page((), cursor, is_last=True)
        after = {"starting_after": cursor["after"]} if "after" in cursor else {}
        query = {"limit": PER_PAGE, **QUERY.get(stream, {}), **after}
        answer = await self._read(stream, f"/v1/{stream}", query, "data.") or {"data": []}
        data = [await self._whole(stream, body) for body in answer["data"]]
        told = tuple(_told(LISTS[stream], body) for body in data)
        again = {"again": True} if cursor.get("again") else {}
        if again:
            told = tuple(replace(one, changed_at=now) for one in told)
        more = bool(answer.get("has_more")) and bool(data)
        moved = {"after": data[-1]["id"], **again} if more else DONE
        return Page(told, moved, is_last=not more, read=len(data))

    async def _changes(self, cursor: Cursor) -> Page:
        anchor = cursor.get("event")
        query: dict[str, Any] = {"limit": PER_PAGE, "types[]": list(EVENT_TYPES)}
        if anchor is None:
            newest = (await self._http.get("/v1/events", query | {"limit": 1}))["data"]
            return Page((), {"event": newest[0]["id"] if newest else ""}, is_last=True)
        after, too_old = ({"ending_before": anchor}, TOO_OLD) if anchor else ({}, frozenset[int]())
        answer = await self._http.find("/v1/events", query | after, absent=too_old)
        if answer is None:
            return Page((), {}, is_last=False, restarts=tuple(LISTS))
        events = answer["data"]
        if not anchor and answer.get("has_more"):
            return Page((), {"event": events[0]["id"]}, is_last=True, restarts=tuple(LISTS))
        told = await self._changed(events)
        moved = {"event": events[0]["id"] if events else anchor}
        more = bool(answer.get("has_more")) and bool(events)
        return Page(tuple(told), moved, is_last=not more, read=len(events))

    async def _changed(self, events: Sequence[Mapping[str, Any]]) -> list[Told]:
        """Fetch each changed object once, as it is now: an event may be older than what we know."""
        named: dict[tuple[str, str], float] = {}
        for event in reversed(events):
            body = event["data"]["object"]
            intent = disputed_payment(body)
            if intent is not None:
                named[PAYMENTS, intent] = event["created"]
            elif discounted_subscription(body) is not None:
                named["subscriptions", str(discounted_subscription(body))] = event["created"]
            elif body.get("object") in STREAM_OF:
                named[STREAM_OF[body["object"]], body["id"]] = event["created"]
        told: list[Told] = []
        for (stream, object_id), changed in named.items():
            now = await self.one(stream, object_id)
            told += [replace(one, changed_at=epoch(changed)) for one in now]
        return told

    async def one(self, stream: str, object_id: str) -> Sequence[Told]:
        """Return one object as it is now."""
        if stream == PAYMENTS:
            invoices = [await self.one("invoices", key) for key in await self._paid_by(object_id)]
            return [replace(told, rings=True) for found in invoices for told in found]
        if stream == DISCOUNTED:  # it tells no time of its own at which this has changed
            return [replace(told, created_at=None) for told in await self.one("subscriptions", object_id)]
        if stream not in LISTS:
            return []
        body = await self._read(stream, f"/v1/{stream}/{object_id}", {}, "")
        if body is None or body.get("deleted"):
            return []
        return [_told(LISTS[stream], await self._whole(stream, body))]

    async def _read(self, stream: str, path: str, query: Mapping[str, Any], below: str) -> Json | None:
        """Return what is there with the coupons of its discounts, None where it is not.

        A key that may not read coupons gets what it may read: discounts are then only named.
        """
        expand = [f"{below}{each}" for each in EXPANDED.get(stream, ())]
        if expand:
            found = await self._http.find(path, {**query, "expand[]": expand}, absent=NOT_READABLE)
            if found is not None:
                return found
        return await self._http.find(path, query)

    async def _whole(self, stream: str, body: Json) -> Json:
        """Read the discounts of single items too: they lie too deep for one answer."""
        items = (body.get("items") or {}).get("data") or []
        if stream != "subscriptions" or not any(item.get("discounts") for item in items):
            return body
        query = {"subscription": body["id"], "limit": PER_PAGE, "expand[]": [f"data.{COUPONS}"]}
        found = await self._http.find("/v1/subscription_items", query, absent=NOT_READABLE) or {"data": []}
        told = {item["id"]: item.get("discounts") for item in found["data"]}
        read = [{**item, "discounts": told.get(item["id"]) or item.get("discounts")} for item in items]
        return {**body, "items": {**body["items"], "data": read}}

    async def _paid_by(self, intent: str) -> list[str]:
        """Return the invoices that a payment was for, by the API since 2025-03-31 and before.

        A key that may not read payments learns of none; it is no reason to end the pass.
        """
        query = {"payment[type]": "payment_intent", "payment[payment_intent]": intent}
        payments = await self._http.find("/v1/invoice_payments", query, absent=NOT_READABLE)
        if payments is not None:
            return [id_of(payment.get("invoice"), "invoice") for payment in payments["data"]]
        body = await self._http.find(f"/v1/payment_intents/{intent}", absent=NOT_READABLE) or {}
        return [id_of(body["invoice"], "invoice")] if body.get("invoice") else []

    def facts_of(
        self, told: Told, known_at: BusinessInstant, timeline: Timeline
    ) -> tuple[list[Fact], list[Hint]]:
        """Translate."""
        return facts_of(told.kind, told.body, known_at, timeline), hints_of(told.kind, told.body)


def stripe_account(options: Mapping[str, Any], secrets: Mapping[str, str]) -> Account:
    """Return how Stripe is reached with this connection's key."""
    if not secrets.get("token"):
        raise PermanentProviderError(provider=PROVIDER, reason="the connection has no token")
    base = str(options.get("base_url") or BASE_URL)
    version = {"stripe-version": stripe.api_version}
    return Account(PROVIDER, base, f"Bearer {secrets['token']}", version)


def _told(kind: str, body: Mapping[str, Any]) -> Told:
    created = epoch(body["created"])
    transitions = body.get("status_transitions") or {}
    later = [body.get("ended_at"), body.get("canceled_at"), *transitions.values()]
    changed = max([body["created"], *(moment for moment in later if moment)])
    return Told(kind, body["id"], body, created, epoch(changed))
