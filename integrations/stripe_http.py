"""Stripe's official client over one pool of httpx, with timeouts of our own and no retries of its own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import stripe

from domain.errors import PermanentProviderError

PROVIDER = "Stripe"
BASE_URL = "https://api.stripe.com"


@dataclass(frozen=True)
class StripeAccount:
    """How to reach an account. A whole call stays shorter than the lease of an effect (15 s).

    A charge that takes longer is in doubt, and made again under the same key, which is one request.
    """

    api_key: str = field(repr=False)
    base_url: str = BASE_URL
    timeout_seconds: float = 12.0
    connect_seconds: float = 4.0


def account_of(options: Mapping[str, Any], secrets: Mapping[str, str]) -> StripeAccount:
    """Return the account of a connection; a connection that only pushes has no key."""
    if not secrets.get("token"):
        reason = "the connection has no token; connect it again with --token-env"
        raise PermanentProviderError(provider=PROVIDER, reason=reason)
    return StripeAccount(secrets["token"], str(options.get("base_url") or BASE_URL))


class StripeTransport(stripe.HTTPClient):
    """Replaces the library's own, which sends forms in a way that httpx deprecates."""

    name = "httpx"

    def __init__(self, account: StripeAccount) -> None:
        """Open the pool."""
        super().__init__()
        self._longest = account.timeout_seconds
        timeout = httpx.Timeout(account.timeout_seconds, connect=account.connect_seconds)
        self._client = httpx.AsyncClient(timeout=timeout)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Make one call; what breaks it is told as the library's error, with httpx's as its cause."""
        try:
            async with asyncio.timeout(self._longest):  # httpx bounds each read, not what trickles
                answer = await self._client.request(method, url, headers=headers, content=post_data or None)
        except (httpx.HTTPError, TimeoutError) as error:
            raise stripe.APIConnectionError(  # type: ignore[no-untyped-call] # the library left it out
                f"the connection failed: {type(error).__name__}"
            ) from error
        return answer.content, answer.status_code, answer.headers

    async def close_async(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


def stripe_client(account: StripeAccount, transport: StripeTransport) -> stripe.StripeClient:
    """Return the official client. It speaks the API version that the library was made for."""
    return stripe.StripeClient(
        account.api_key,
        base_addresses={"api": account.base_url},
        http_client=transport,
        max_network_retries=0,
    )
