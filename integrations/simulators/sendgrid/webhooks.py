"""Delivers the signed event webhook: in batches, again until it is answered, twice or shuffled on demand."""

import asyncio
import contextlib
import time
from collections.abc import Iterable

import httpx
import structlog

from integrations.simulators.sendgrid.provider import SimulatedSendGrid
from integrations.simulators.sendgrid.store import Row
from integrations.simulators.signing import SigningKey

BATCH = 200
IDLE_SECONDS = 5.0
LONGEST_BACKOFF_SECONDS = 60.0
TIMEOUT = httpx.Timeout(10.0)

_log = structlog.get_logger(__name__)


class WebhookPoster:
    """Posts what is due, one batch after the other, as long as the simulator runs."""

    def __init__(self, provider: SimulatedSendGrid, key: SigningKey) -> None:
        self._provider = provider
        self._key = key

    async def run(self) -> None:
        """Deliver for ever; a receiver that is away gets its events when it is back."""
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
            while True:
                if not await self.deliver_due(client):
                    await self._rest()

    async def deliver_due(self, client: httpx.AsyncClient) -> int:
        """Deliver one batch of due events and return how many it held."""
        self._provider.webhook_ready.clear()
        url = self._provider.switches.webhook_url
        due = self._provider.store.due_events(time.time(), BATCH) if url else []
        if not url or not due:
            return 0
        answer = await self._post(client, url, self._arranged(due))
        if self._provider.switches.webhook_duplicates:
            answer = await self._post(client, url, self._arranged(due))
        self._settle(due, answer)
        return len(due)

    def _arranged(self, due: list[Row]) -> bytes:
        """Return the body: a JSON array of what the store keeps as JSON."""
        shuffled = reversed(due) if self._provider.switches.webhook_out_of_order else due
        return b"[" + b",".join(event["payload"].encode() for event in shuffled) + b"]"

    async def _post(self, client: httpx.AsyncClient, url: str, body: bytes) -> str:
        headers = {"Content-Type": "application/json", **self._key.headers(body)}
        try:
            response = await client.post(url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__
        return str(response.status_code)

    def _settle(self, due: Iterable[Row], answer: str) -> None:
        """Count any 2xx as delivered, as SendGrid does; else try again later and later."""
        if answer.startswith("2"):
            self._provider.store.settle_events([event["id"] for event in due], None, answer)
            return
        _log.warning("webhook_not_taken", answer=answer)
        for event in due:
            backoff = min(LONGEST_BACKOFF_SECONDS, 0.5 * 2.0 ** min(event["attempts"], 10))
            self._provider.store.settle_events([event["id"]], time.time() + backoff, answer)

    async def _rest(self) -> None:
        """Wait until there is news or the next try is due."""
        due = self._provider.store.next_due() if self._provider.switches.webhook_url else None
        pause = IDLE_SECONDS if due is None else max(0.05, min(IDLE_SECONDS, due - time.time()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._provider.webhook_ready.wait(), pause)
