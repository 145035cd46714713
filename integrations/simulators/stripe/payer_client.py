"""Does at the simulated Stripe what a company and its customers do there: for the demo."""

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import EverstayError
from domain.time import BusinessInstant
from integrations.simulators.client import SimulatorClient
from integrations.simulators.stripe.account import STRIPE_KEY

PAGE = 100
KEY = "customer_id"
"""Under it the metadata of a customer name them as the other sources do."""
GONE = frozenset({"canceled", "incomplete_expired"})
Form = Mapping[str, str]


class PageRefusedError(EverstayError):
    """A page of the simulated Stripe did not do what its button says: {reason}."""


@dataclass(frozen=True)
class Unpaid:
    """The newest invoice of a subscription, after a charge was refused."""

    id: str
    failed_at: BusinessInstant


@dataclass(frozen=True)
class Held:
    """The newest subscription of a customer, as it stands."""

    key: str
    """The customer, as other sources name them."""
    customer: str
    subscription: str
    item: str
    price: str
    amount_minor: int
    period_ends: BusinessInstant
    is_gone: bool
    is_being_billed: bool
    """A period has ended, and its invoice is still a draft."""
    unpaid: Unpaid | None


class PayerClient(SimulatorClient):
    """The account from outside; a call that is refused raises httpx.HTTPError."""

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """Pull a string of the simulator."""
        return await self._json(method, f"/_control/stripe{path}", json=body)

    async def set_clock(self, at: BusinessInstant) -> None:
        """Let the clock stand at an instant; what has come due by then happens."""
        await self.control("PUT", "/clock", {"at": at.isoformat(), "rate": 0.0})

    async def held(self) -> dict[str, Held]:
        """Return what everybody has, or had last, by their key."""
        query = {"status": "all", "expand[0]": "data.customer", "expand[1]": "data.latest_invoice"}
        found: dict[str, Held] = {}
        async for one in self._all("/subscriptions", query):  # the newest first
            found.setdefault(one["customer"]["metadata"].get(KEY, ""), _held(one))
        return found

    async def resize(self, held: Held, plan: str, amount_minor: int) -> None:
        """Let a subscription cost another amount from its next period on."""
        price = {"currency": "usd", "unit_amount": str(amount_minor), "nickname": plan}
        price |= {"product_data[name]": plan, "recurring[interval]": "month"}
        made = await self._api("POST", "/prices", price)
        item = {"items[0][id]": held.item, "items[0][price]": made["id"]}
        await self._api("POST", f"/subscriptions/{held.subscription}", item)

    async def end(self, held: Held, feedback: str | None) -> None:
        """Let a customer leave, with the reason that they give."""
        given = {} if feedback is None else {"cancellation_details[feedback]": feedback}
        await self._api("DELETE", f"/subscriptions/{held.subscription}", given)

    async def recovered(self) -> tuple[int, int]:
        """Return how many invoices were paid after a refused charge, and how much in minor units."""
        charges = await self.control("GET", "/charges")
        refused = {one["invoice"] for one in charges if one["status"] == "failed"}
        paid = [one async for one in self._all("/invoices", {"status": "paid"}) if one["id"] in refused]
        return len(paid), sum(one["amount_paid"] for one in paid)

    async def is_telling(self) -> bool:
        """Tell whether an event still waits to be delivered."""
        return bool((await self.control("GET", "/"))["webhooks_waiting"])

    async def script_card(self, fingerprint: str, result: str) -> None:
        """Say what the next charges of a card come to."""
        await self.control("PUT", f"/cards/{fingerprint}", [result])

    async def enter_card(self, customer: str, fingerprint: str) -> None:
        """Let a customer leave another card, which pays."""
        card = {"fingerprint": fingerprint, "results": ["ok"]}
        await self.control("POST", "/cards", {"customer": customer, "card": card})

    async def pay(self, unpaid: Unpaid) -> None:
        """Let the customer press the button of the invoice's page, with the card on file."""
        await self._press(f"/hosted/invoices/{unpaid.id}/pay", "on_file")

    async def code_of(self, customer: str) -> str | None:
        """Return the promotion code that a customer may still use."""
        found = await self._api("GET", "/promotion_codes", {"customer": customer, "active": "true"})
        return str(found["data"][0]["id"]) if found["data"] else None

    async def subscribe_again(self, held: Held, code: str | None) -> None:
        """Let a former customer go through a checkout of what they had."""
        order = {"mode": "subscription", "customer": held.customer, "success_url": "https://app.example/"}
        order |= {"line_items[0][price]": held.price, "line_items[0][quantity]": "1"}
        order |= {} if code is None else {"discounts[0][promotion_code]": code}
        session = await self._api("POST", "/checkout/sessions", order)
        await self._press(f"/hosted/checkout/{session['id']}/pay", "pm_card_visa")

    async def _all(self, path: str, query: Form) -> AsyncIterator[Any]:
        asked = {**query, "limit": str(PAGE)}
        while True:
            page = await self._api("GET", path, asked)
            for one in page["data"]:
                yield one
            if not page["has_more"]:
                return
            asked["starting_after"] = page["data"][-1]["id"]

    async def _press(self, page: str, card: str) -> None:
        answer = await self._http.post(page, data={"card": card}, follow_redirects=True)
        answer.raise_for_status()
        if "refused" in answer.url.params:
            raise PageRefusedError(reason=answer.url.params["refused"])

    async def _api(self, method: str, path: str, values: Form) -> Any:
        headers = {"Authorization": f"Bearer {STRIPE_KEY}"}
        where = "params" if method == "GET" else "data"
        return await self._json(method, f"/stripe/v1{path}", headers=headers, **{where: values})

    async def _json(self, method: str, path: str, **given: Any) -> Any:
        answer = await self._http.request(method, path, **given)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def _held(body: Mapping[str, Any]) -> Held:
    [item], invoice = body["items"]["data"], body["latest_invoice"] or {}
    return Held(
        key=str(body["customer"]["metadata"].get(KEY, "")),
        customer=str(body["customer"]["id"]),
        subscription=str(body["id"]),
        item=str(item["id"]),
        price=str(item["price"]["id"]),
        amount_minor=int(item["price"]["unit_amount"]),
        period_ends=_instant(item["current_period_end"]),
        is_gone=body["status"] in GONE,
        is_being_billed=invoice.get("status") == "draft",
        unpaid=_unpaid(invoice),
    )


def _unpaid(invoice: Mapping[str, Any]) -> Unpaid | None:
    if invoice.get("status") != "open" or not invoice["attempted"]:
        return None
    return Unpaid(str(invoice["id"]), _instant(invoice["status_transitions"]["finalized_at"]))


def _instant(seconds: float) -> BusinessInstant:
    return BusinessInstant(dt.datetime.fromtimestamp(seconds, dt.UTC))
