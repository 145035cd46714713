"""Posts events to the endpoints that subscribe to them, beside the relay; several relays share the work."""

import asyncio
import datetime as dt
import random
from collections.abc import Sequence

import structlog

from activities.delays import asked_delay
from domain.errors import PermanentProviderError, TransientProviderError
from domain.outgoing_webhooks import WebhookCall, WebhookPoster
from domain.ports import Clock
from domain.time import WallInstant
from domain.webhook_events import body_of
from integrations.webhook_poster import HttpWebhookPoster
from models.ciphers import Cipher, UnreadableSecretsError
from models.clock import load_timeline, start_clock
from models.database import Database
from models.endpoints import OpenEndpoint, open_endpoint
from models.listening import announcements
from models.webhook_messages import (
    CHANNEL,
    Attempt,
    DueMessage,
    are_held,
    claim_messages,
    endpoints_with_due,
    forget_messages,
    record_attempt,
    webhook_id,
)
from settings import Settings

POLL_SECONDS = 2.0
AT_ONCE = 5
"""Messages on their way to one endpoint from one relay; one endpoint that is slow holds up no other."""
SWEEP_SECONDS = 3600.0
log = structlog.get_logger("events")


async def keep_posting(settings: Settings, database: Database, clock: Clock) -> None:
    """Post what is due, until cancelled."""
    poster = HttpWebhookPoster(allow_private=settings.webhook_private_addresses)
    patience = dt.timedelta(days=settings.webhook_patience_days)
    stage = EventStage(database, clock, poster, Cipher(settings.signing_key), patience)
    try:
        async for _ in announcements(database.url, CHANNEL, at_least_every=POLL_SECONDS):
            await stage.begin_due()
    finally:
        await stage.stop()


async def keep_forgetting(settings: Settings, database: Database, clock: Clock) -> None:
    """Forget messages that are older than the settings say, every hour."""
    kept = dt.timedelta(days=settings.webhook_retention_days)
    while True:
        before = WallInstant(clock.wall_now() - kept)
        async with database.transaction() as session:
            forgotten = await forget_messages(session, before)
        if not forgotten:
            await asyncio.sleep(SWEEP_SECONDS)


class EventStage:
    """One queue per endpoint that has something due."""

    def __init__(
        self, database: Database, clock: Clock, poster: WebhookPoster, cipher: Cipher, patience: dt.timedelta
    ) -> None:
        """Take what a post needs; after `patience` without a success an endpoint is disabled."""
        self._database, self._clock, self._poster, self._cipher = database, clock, poster, cipher
        self._patience = patience
        self._busy: dict[str, asyncio.Task[None]] = {}

    async def begin_due(self) -> Sequence[asyncio.Task[None]]:
        """Begin with every endpoint that has something due and is not being served; return who is at it."""
        async with self._database.transaction() as session:
            held = await are_held(session)
            due = [] if held else await endpoints_with_due(session, self._clock.wall_now())
        for key in due:
            if key not in self._busy:
                self._busy[key] = asyncio.create_task(self._serve(key))
        return tuple(self._busy.values())

    async def post_all(self) -> None:
        """Post everything that is due now, and return when it is told."""
        while tasks := await self.begin_due():
            await asyncio.gather(*tasks)

    async def stop(self) -> None:
        """Let go: what was being posted is posted again when its lease has ended."""
        tasks = tuple(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, key: str) -> None:
        try:
            while messages := await self._claim(key):
                endpoint = await self._open(key)
                await asyncio.gather(*(self._post(one, endpoint) for one in messages))
        except Exception as error:  # noqa: BLE001 - one endpoint may not take the others down
            log.warning("events wait", endpoint=key, reason=str(error)[:500])
        finally:
            del self._busy[key]

    async def _claim(self, key: str) -> list[DueMessage]:
        async with self._database.transaction() as session:
            if await are_held(session):
                return []
            return await claim_messages(session, key, self._clock.wall_now(), AT_ONCE)

    async def _open(self, key: str) -> OpenEndpoint | None:
        async with self._database.transaction() as session:
            try:
                return await open_endpoint(session, key, self._cipher)
            except UnreadableSecretsError as error:
                log.warning("events wait", endpoint=key, reason=str(error))
                return None

    async def _post(self, message: DueMessage, endpoint: OpenEndpoint | None) -> None:
        began = asyncio.get_running_loop().time()
        attempt = await self._attempt(message, endpoint, began)
        async with self._database.transaction() as session:
            await record_attempt(session, message, attempt, self._patience, random.random())  # noqa: S311 - spread, not secrecy

    async def _attempt(self, message: DueMessage, endpoint: OpenEndpoint | None, began: float) -> Attempt:
        def ended(status: int | None, error: str | None = None, **more: object) -> Attempt:
            seconds = asyncio.get_running_loop().time() - began
            return Attempt(self._clock.wall_now(), seconds, status, error, **more)  # type: ignore[arg-type]  # as named

        if endpoint is None:
            return ended(None, "its secret cannot be read; save the endpoint with a new one")
        body = await self._body(message)
        wall = self._clock.wall_now()
        call = WebhookCall(endpoint.key, endpoint.url, endpoint.secrets, webhook_id(message.id), body, wall)
        try:
            return ended(await self._poster.post(call))
        except TransientProviderError as error:
            return ended(_status(error), _reason(error), retry_after=asked_delay(error))
        except PermanentProviderError as error:
            return ended(_status(error), _reason(error), is_gone=bool(error.details.get("is_gone")))

    async def _body(self, message: DueMessage) -> bytes:
        async with self._database.transaction() as session:
            timeline = await load_timeline(session) or await start_clock(session, message.created_at)
        return body_of(message.type, message.data, timeline.business_at(message.created_at))


def _status(error: TransientProviderError | PermanentProviderError) -> int | None:
    status = error.details.get("status")
    return status if isinstance(status, int) else None


def _reason(error: TransientProviderError | PermanentProviderError) -> str:
    return str(error.details["reason"])
