"""A Stripe that answers what a test has written down for it, and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from domain.billing import Retries
from domain.timeline import AS_TOLD, Timeline
from integrations.stripe_billing import StripeBilling
from integrations.stripe_http import StripeAccount
from tests.support.simulators import running

Message = MutableMapping[str, Any]
Fixtures = Mapping[str, dict[str, Any]]


@dataclass(frozen=True)
class Reply:
    """One answer. `seconds` is how late it comes; a torn one breaks off behind its headers."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    is_torn: bool = False


@dataclass(frozen=True)
class Asked:
    """One request, its form or query flat as Stripe writes it: `discounts[0][promotion_code]`."""

    method: str
    path: str
    form: Mapping[str, str]
    key: str | None


def refused(status: int, message: str = "It cannot be done.", **told: Any) -> Reply:
    """Return an error in Stripe's shape."""
    error = {"type": "invalid_request_error", "message": message, **told}
    return Reply({"error": error}, status)


def missing(key: str) -> Reply:
    """Return that there is no such object."""
    return refused(404, f"No such object: '{key}'", code="resource_missing", param="id")


def listed(*objects: Mapping[str, Any], more: bool = False) -> Reply:
    """Return a list."""
    return Reply({"object": "list", "url": "/v1/list", "has_more": more, "data": list(objects)})


@dataclass
class ScriptedStripe:
    """Answers by method and path; several replies come one after another, the last one again and again."""

    replies: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def on(self, request: str, *replies: Reply) -> None:
        """Have `GET /v1/invoices/in_1` answered so."""
        self.replies[request] = list(replies)

    def told(self, request: str) -> list[Asked]:
        """Return what was asked of this method and path."""
        return [one for one in self.asked if f"{one.method} {one.path}" == request]

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        written = scope["query_string"] + await _body(receive)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        form = dict(parse_qsl(written.decode()))
        asked = Asked(scope["method"], scope["path"], form, headers.get("idempotency-key"))
        self.asked.append(asked)
        replies = self.replies.get(f"{asked.method} {asked.path}") or [missing(asked.path)]
        await _answer(replies.pop(0) if len(replies) > 1 else replies[0], send)


async def _body(receive: Callable[[], Awaitable[Message]]) -> bytes:
    body, more = b"", True
    while more:
        part = await receive()
        body, more = body + part.get("body", b""), part.get("more_body", False)
    return body


async def _answer(reply: Reply, send: Callable[[Message], Awaitable[None]]) -> None:
    await asyncio.sleep(reply.seconds)
    body = reply.body.encode() if isinstance(reply.body, str) else json.dumps(reply.body).encode()
    headers = {**reply.headers, "content-length": str(len(body)), "content-type": "application/json"}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
    if not reply.is_torn:
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def served(scripted: ScriptedStripe) -> AsyncIterator[str]:
    """Serve it on a free port and yield its URL."""
    config = uvicorn.Config(scripted, port=0, lifespan="off", ws="none", log_config=None, access_log=False)
    async with running(uvicorn.Server(config)) as url:
        yield url


@asynccontextmanager
async def billing_at(
    scripted: ScriptedStripe,
    *,
    retries: Retries = Retries.EVERSTAY,
    timeline: Timeline = AS_TOLD,
    seconds: float = 5.0,
) -> AsyncIterator[StripeBilling]:
    """Serve it, and yield the real adapter against it."""
    async with served(scripted) as url:
        billing = StripeBilling(StripeAccount("rk_test_1", url, seconds), timeline, retries)
        try:
            yield billing
        finally:
            await billing.close()
