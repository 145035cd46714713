"""A simulated Stripe account of one test: the official library and the control API against one server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import stripe

from integrations.simulators.stripe.account import STRIPE_KEY

CONTROL = "/_control/stripe"
LIBRARY_WARNS = "ignore:Use 'content=<...>':DeprecationWarning"
"""The library hands its form to httpx by a parameter that is on its way out."""


@dataclass
class StripeOffice:
    """The account from both sides: as its owner's program sees it, and as whoever pulls its strings."""

    url: str
    client: stripe.StripeClient
    http: httpx.AsyncClient

    @property
    def v1(self) -> Any:
        """Return the services of the library; their parameters are its business."""
        return self.client.v1

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API and return what it says."""
        answer = await self.http.request(method, f"{CONTROL}{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def company(self, name: str = "Globex", **given: Any) -> dict[str, str]:
        """Make a company and return the ids of what belongs to it."""
        made: dict[str, str] = await self.control("POST", "/companies", {"name": name, **given})
        return made

    async def unpaid(self, *results: Any, **given: Any) -> dict[str, str]:
        """Make a company whose second invoice meets these results; `invoice` is that invoice."""
        made = await self.company(card={"results": list(results)}, **given)
        issued = await self.control("POST", f"/subscriptions/{made['subscription']}/next-invoice")
        return {**made, "invoice": issued["id"]}

    async def charges(self) -> list[dict[str, Any]]:
        """Return every charge that was ever tried."""
        found: list[dict[str, Any]] = await self.control("GET", "/charges")
        return found

    async def fail(self, fault: str, **rule: Any) -> None:
        """Let the next call fail."""
        await self.control("POST", "/faults", [{"fault": fault, **rule}])

    async def set_clock(self, moment: str, rate: float = 0.0) -> dict[str, Any]:
        """Set the clock."""
        shown: dict[str, Any] = await self.control("PUT", "/clock", {"at": moment, "rate": rate})
        return shown

    async def advance(self, **far: float) -> dict[str, Any]:
        """Move the clock by `days` or `seconds`."""
        shown: dict[str, Any] = await self.control("POST", "/clock/advance", far)
        return shown


@asynccontextmanager
async def open_office(url: str, version: str | None = None) -> AsyncIterator[StripeOffice]:
    """Open the account at a simulators' address; the library repeats nothing by itself."""
    given: Any = {"stripe_version": version} if version else {}
    addresses: Any = {"api": f"{url}/stripe"}
    library = stripe.HTTPXClient(timeout=5.0)
    client = stripe.StripeClient(
        STRIPE_KEY, base_addresses=addresses, http_client=library, max_network_retries=0, **given
    )
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        yield StripeOffice(url, client, http)
    await library.close_async()  # type: ignore[no-untyped-call] # the library left it out
