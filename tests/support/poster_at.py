"""A relay's stage of events that stops at a named point and says so, so that a test can kill it there."""

import asyncio
import datetime as dt

from domain.outgoing_webhooks import WebhookCall
from integrations.webhook_poster import HttpWebhookPoster
from models.ciphers import Cipher
from models.clock import open_clock
from models.database import Database
from tests.support.forked import Told
from tests.support.web import SIGNING_KEY
from workers.event_stage import EventStage


class StoppingPoster:
    """The real poster, before or after whose call this process stops."""

    def __init__(self, point: str, told: Told) -> None:
        self._poster, self._point, self._told = HttpWebhookPoster(allow_private=True), point, told

    async def post(self, call: WebhookCall) -> int:
        if self._point == "before_post":
            await self._stop_here(call.delivery_id)
        status = await self._poster.post(call)
        if self._point == "after_post":
            await self._stop_here(call.delivery_id)
        return status

    async def _stop_here(self, what: str) -> None:
        self._told.send(what)
        await asyncio.Event().wait()


async def post_until(told: Told, point: str, database_url: str) -> None:
    """Post what is due, and stop at a point."""
    database = Database(database_url, pool_size=3)
    clock, poster = await open_clock(database), StoppingPoster(point, told)
    stage = EventStage(database, clock, poster, Cipher(SIGNING_KEY), dt.timedelta(days=5))
    while True:
        await stage.begin_due()
        await asyncio.sleep(0.05)
