"""Delivers events to the endpoints: signed, again until they are taken, twice or shuffled on demand."""

import asyncio
import contextlib
import hashlib
import hmac
import time
from collections.abc import AsyncIterator

import httpx
import msgspec
import structlog

from integrations.simulators.stripe.account import SimulatedStripe
from integrations.simulators.stripe.books import DELIVERIES
from integrations.simulators.stripe.render import shown
from integrations.simulators.stripe.store import Row

BATCH = 100
PAUSE_SECONDS = 0.05
IDLE_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 60.0
TIMEOUT = httpx.Timeout(10.0)

_log = structlog.get_logger(__name__)


class StripeWebhookPoster:
    """Posts what is due, one event after the other, and lets time do its work, until the simulator ends."""

    def __init__(self, provider: SimulatedStripe) -> None:
        self._provider = provider
        self._store = provider.store

    async def run(self) -> None:
        """Deliver for ever; a receiver that is away gets its events when it is back."""
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
            while True:
                self._provider.catch_up()
                delivered = await self.deliver_due(client)
                waiting = any(row["due_at"] is not None for row in self._store.of(DELIVERIES).values())
                await asyncio.sleep(0 if delivered else PAUSE_SECONDS if waiting else self._idle())

    async def deliver_due(self, client: httpx.AsyncClient) -> int:
        """Deliver a batch of due events and return how many it held."""
        switches, now = self._provider.books.switches, time.time()
        if switches.webhook_held:
            return 0
        held = self._store.of(DELIVERIES).values()
        due = [row for row in held if row["due_at"] is not None and row["due_at"] <= now][:BATCH]
        if switches.webhook_out_of_order:
            due.reverse()
        for row in due:
            answer = await self._deliver(client, row)
            if switches.webhook_duplicates:
                answer = await self._deliver(client, row)
            self._settle(row, answer)
        return len(due)

    async def _deliver(self, client: httpx.AsyncClient, row: Row) -> str:
        endpoint = self._store.of("webhook_endpoints").get(row["endpoint"])
        event = self._store.of("events").get(row["event"])
        if endpoint is None or event is None:
            return "200: nobody is told any more"
        body = body_of(self._provider, event, endpoint["api_version"])
        try:
            response = await client.post(
                endpoint["url"], content=body, headers=headers_of(body, endpoint["_secret"])
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__
        return str(response.status_code)

    def _settle(self, row: Row, answer: str) -> None:
        """Count any 2xx as taken, as Stripe does; else try again later and later."""
        is_taken = answer.startswith("2")
        backoff = min(LONGEST_BACKOFF_SECONDS, 0.5 * 2.0 ** min(row["attempts"], 10))
        if not is_taken:
            _log.warning("stripe_webhook_not_taken", kind=row["kind"], answer=answer)
        if row["id"] not in self._store.of(DELIVERIES):
            return
        with self._store.transaction():
            answers = [*row["answers"], answer][-20:]
            due = None if is_taken else time.time() + backoff
            self._store.put(
                DELIVERIES, {**row, "due_at": due, "attempts": row["attempts"] + 1, "answers": answers}
            )

    def _idle(self) -> float:
        return PAUSE_SECONDS if self._store.of("webhook_endpoints") else IDLE_SECONDS


def body_of(provider: SimulatedStripe, event: Row, version: str | None) -> bytes:
    """Return an event as an endpoint gets it, in its own version of the API."""
    asked = version or event["api_version"]
    return msgspec.json.encode({**shown(provider.books, event, (), asked), "api_version": asked})


def headers_of(body: bytes, secret: str) -> dict[str, str]:
    """Return the headers that prove to a receiver who sent the body, and when."""
    at = int(time.time())
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": f"t={at},v1={signed}"}


@contextlib.asynccontextmanager
async def posting(provider: SimulatedStripe) -> AsyncIterator[None]:
    """Deliver as long as the server runs."""
    task = asyncio.create_task(StripeWebhookPoster(provider).run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        provider.store.close()
