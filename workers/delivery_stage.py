"""The processor of webhooks: each delivery is read, stored as facts and settled in one transaction.

Deliveries are taken in the order in which they came. One that cannot be stored now is put off, twice as long
each time, and the ones behind it go on; that is harmless, since a fact moves by the time at which the
provider said it, not by the time at which it came.
"""

import datetime as dt

import structlog

from domain.errors import EverstayError, PermanentProviderError
from domain.ports import Clock
from domain.time import WallInstant
from domain.webhook_messages import ReadingContext
from integrations.webhook_readers import READERS, read_delivery
from models.asked_objects import ask_for
from models.ciphers import Cipher
from models.clock import load_timeline, start_clock
from models.connections import load_connection
from models.database import Database, Session
from models.deliveries import (
    CHANNEL,
    Counts,
    Delivery,
    DeliveryState,
    fail_delivery,
    settle_delivery,
    take_delivery,
)
from models.delivery_facts import provided, store_parts
from models.held_mail import look_again
from models.listening import announcements
from models.sources import get_source
from settings import Settings

POLL_SECONDS = 5.0
MAIL_PAUSE = dt.timedelta(minutes=5)
REREAD_EACH_TIME = frozenset({"calendar"})
"""Providers that tell everything again and again, and of whose strangers nobody need be told."""
log = structlog.get_logger("deliveries")


async def run_delivery_stage(settings: Settings, database: Database, clock: Clock) -> None:
    """Settle deliveries until cancelled; a database that is away for a while only makes them wait."""
    stage = DeliveryStage(database, clock, Cipher(settings.signing_key))
    async for _ in announcements(database.url, CHANNEL, at_least_every=POLL_SECONDS):
        try:
            await stage.settle_all()
            await stage.look_again_at_mail()
        except Exception as error:
            log.warning("will try again", exc_info=error)


class DeliveryStage:
    """Settles what the webhooks stored."""

    def __init__(self, database: Database, clock: Clock, cipher: Cipher) -> None:
        """Take where the deliveries are, and what opens the connections' secrets."""
        self._database, self._clock, self._cipher = database, clock, cipher
        self._looked_at: WallInstant | None = None

    async def settle_all(self) -> int:
        """Settle everything that is due; returns how many were tried."""
        tried = 0
        while await self._settle_one():
            tried += 1
        return tried

    async def look_again_at_mail(self) -> int:
        """Now and then, store held mail whose people have become known; returns how many letters."""
        wall = self._clock.wall_now()
        if self._looked_at is not None and wall - self._looked_at < MAIL_PAUSE:
            return 0
        self._looked_at = wall
        async with self._database.transaction() as session:
            return await look_again(session, wall)

    async def _settle_one(self) -> bool:
        taken: Delivery | None = None
        try:
            async with self._database.transaction() as session:
                taken = await take_delivery(session, self._clock.wall_now())
                if taken is None:
                    return False
                await self._settle(session, taken)
        except Exception as error:
            if taken is None:
                raise
            await self._put_off(taken, error)
        return True

    async def _settle(self, session: Session, delivery: Delivery) -> None:
        wall = self._clock.wall_now()
        connection = await load_connection(session, delivery.source_id, self._cipher)
        source = await get_source(session, delivery.source_id)
        timeline = await load_timeline(session) or await start_clock(session, wall)
        context = ReadingContext(
            delivery.received_at,
            timeline,
            connection.options,
            can_ask=connection.pull_every_seconds is not None,
        )
        if delivery.provider not in READERS:
            raise PermanentProviderError(provider=delivery.provider, reason="nobody reads its deliveries")
        parts = read_delivery(delivery.provider, delivery.body, context)
        for ask in [ask for part in parts for ask in part.asks]:
            await ask_for(session, delivery.source_id, ask.stream, ask.object_id)
        counts = await store_parts(
            session,
            delivery,
            source,
            parts,
            wall,
            keeps_strangers=delivery.provider not in REREAD_EACH_TIME,
        )
        told = any(part.asks or part.hints or part.problem or (part.stream and part.facts) for part in parts)
        concerns_us = told or bool(provided(source, parts))
        state = DeliveryState.PROCESSED if concerns_us else DeliveryState.IGNORED
        await settle_delivery(session, delivery.id, state, counts if concerns_us else Counts(), wall)

    async def _put_off(self, delivery: Delivery, error: Exception) -> None:
        """Note why in a transaction of its own: the other one is gone with everything in it."""
        for_good = isinstance(error, ValueError | PermanentProviderError)
        is_ours = for_good or isinstance(error, EverstayError)
        reason = str(error) if is_ours else f"{type(error).__name__}: see the log"
        async with self._database.transaction() as session:
            wall = self._clock.wall_now()
            state = await fail_delivery(session, delivery, reason, wall, for_good=for_good)
        log.warning(
            "delivery not settled",
            delivery=str(delivery.id),
            source=delivery.source_id,
            state=state.value,
            exc_info=None if for_good else error,
        )
