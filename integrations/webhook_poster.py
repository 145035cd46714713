"""Posts signed messages to endpoints, by Standard Webhooks, and to no address of our own network."""

import asyncio
import base64
import hashlib
import hmac
from datetime import UTC, datetime

import httpx

from domain.errors import PermanentProviderError, TransientProviderError
from domain.outgoing_webhooks import WebhookCall
from integrations.provider_http import TIMED_OUT, TOO_MANY, retry_after
from integrations.public_addresses import Resolve, is_public, resolve
from integrations.webhook_signatures import standard_key

SECONDS = 10.0
"""For the whole call, shorter than the lease of its claim. Connecting may take half of it."""
MOST_ADDRESSES = 3
SERVER_ERROR, REDIRECT, GONE = 500, 300, 410


class HttpWebhookPoster:
    """Posts over https to public addresses; `allow_private` lifts both, for development and tests."""

    def __init__(
        self, *, allow_private: bool = False, resolver: Resolve = resolve, seconds: float = SECONDS
    ) -> None:
        """Read the trusted authorities once; `resolver` is given by tests."""
        self._allow_private, self._resolve, self._seconds = allow_private, resolver, seconds
        self._trust = httpx.create_ssl_context()

    async def post(self, call: WebhookCall) -> int:
        """Post and return the status, or raise TransientProviderError or PermanentProviderError."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._send(call, httpx.URL(call.url))
        except (TimeoutError, httpx.TimeoutException):
            raise _transient(call, "it did not answer in time") from None
        except httpx.TransportError as error:
            raise _transient(call, f"the connection failed: {type(error).__name__}") from None
        _judge(call, answer)
        return answer.status_code

    async def _send(self, call: WebhookCall, url: httpx.URL) -> httpx.Response:
        """Try the addresses of the name, each checked, until one can be connected to.

        The connection goes to the address that was checked: a name that resolves to another one a moment
        later leads nowhere else.
        """
        addresses = await self._addresses(call, url)
        for address in addresses[:-1]:
            try:
                return await self._to(call, url, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._to(call, url, addresses[-1])

    async def _addresses(self, call: WebhookCall, url: httpx.URL) -> list[str]:
        if url.scheme != "https" and not self._allow_private:
            raise _permanent(call, "its address is not https")
        try:
            found = await self._resolve(url.host, url.port or (443 if url.scheme == "https" else 80))
        except (OSError, UnicodeError):
            raise _transient(call, "its name cannot be resolved") from None
        if not found:
            raise _transient(call, "its name has no address")
        if not self._allow_private and not all(is_public(each) for each in found):
            raise _permanent(call, "its address is not on the public internet")
        return found[:MOST_ADDRESSES]

    async def _to(self, call: WebhookCall, url: httpx.URL, address: str) -> httpx.Response:
        headers = {**signed_headers(call), "host": url.netloc.decode()}
        timeout = httpx.Timeout(self._seconds, connect=self._seconds / 2)
        # a client of its own: a connection that is kept would be taken for another name at the same address
        async with httpx.AsyncClient(
            verify=self._trust, trust_env=False, follow_redirects=False, timeout=timeout
        ) as client:
            request = client.build_request(
                "POST",
                url.copy_with(host=address),
                content=call.body,
                headers=headers,
                extensions={"sni_hostname": url.host},
            )
            answer = await client.send(request, stream=True)
            await answer.aclose()  # what it says is not read: only its status counts
            return answer


def signed_headers(call: WebhookCall) -> dict[str, str]:
    """Return the headers of Standard Webhooks: one signature per secret."""
    stamp = str(int((call.sent_at or datetime.now(UTC)).timestamp()))
    signed = f"{call.delivery_id}.{stamp}.".encode() + call.body
    made = (hmac.new(standard_key(secret), signed, hashlib.sha256).digest() for secret in call.secrets)
    return {
        "content-type": "application/json",
        "user-agent": "everstay",
        "webhook-id": call.delivery_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode()}" for each in made),
    }


def _judge(call: WebhookCall, answer: httpx.Response) -> None:
    status = answer.status_code
    if answer.is_success:
        return
    if status in {TOO_MANY, TIMED_OUT} or status >= SERVER_ERROR:
        raise _transient(call, f"it answered {status}", retry_after(answer.headers), status)
    if REDIRECT <= status < REDIRECT + 100:
        reason = f"it answered {status}: redirects are not followed, give the final address"
        raise _permanent(call, reason, status)
    raise _permanent(call, f"it answered {status}", status)


def _name(call: WebhookCall) -> str:
    return f"The endpoint {call.endpoint}"


def _transient(
    call: WebhookCall, reason: str, seconds: float | None = None, status: int | None = None
) -> TransientProviderError:
    return TransientProviderError(provider=_name(call), reason=reason, retry_after=seconds, status=status)


def _permanent(call: WebhookCall, reason: str, status: int | None = None) -> PermanentProviderError:
    is_gone = status == GONE
    return PermanentProviderError(provider=_name(call), reason=reason, status=status, is_gone=is_gone)
