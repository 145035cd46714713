"""Mails warnings to our own people: what is urgent at once, the rest each morning, each exactly once.

A round plans and claims under an advisory lock, one mail per transaction, and sends outside of any. What a
killed process left claimed is looked up at the provider before anything else, as for customers' mail.
"""

import asyncio
import datetime as dt

import structlog

from domain.errors import (
    LateAttemptError,
    MessageTemplateError,
    PermanentProviderError,
    TransientProviderError,
    UncertainDeliveryError,
)
from domain.heads_up_mail import PlannedMail, plan_mails
from domain.ports import EmailSender
from domain.time import WallInstant
from domain.vocabulary import EffectState
from models.clock import StoredClock
from models.database import Database, Session
from models.digests import is_my_turn
from models.effects import Effect, give_back, is_newest, refuse_late, settle, settled_at
from models.given_up_endpoints import plan_given_up
from models.heads_up_letters import InternalLetter, load_letter
from models.heads_up_mails import (
    Unsettled,
    ask_again_later,
    claim_mail,
    load_unsettled,
    load_untold,
    reclaim_mail,
)
from models.heads_up_owners import settle_owners
from models.installation import load_installation
from models.mass_alert_mails import plan_held
from workers.internal_letters import InternalLetterhead

LOCK = "heads_up_mail"
EVERY = dt.timedelta(minutes=30)
LEAST_SECONDS, MOST_SECONDS = 0.5, 5.0
"""A round each half business hour where time is compressed, but within these bounds of wall time."""
BATCH = 50
"""Mails of one round; the rest waits for the next."""
LOOK_AGAIN = dt.timedelta(seconds=10)
"""After which a provider that could not answer is asked again."""
log = structlog.get_logger("heads_up_mail")


async def _is_stopped(session: Session) -> bool:
    """Whether a person has stopped every effect. Mail to our own people needs no release."""
    return (await load_installation(session)).effects_stopped_at is not None


async def keep_mailing(
    database: Database, clock: StoredClock, sender: EmailSender, letterhead: InternalLetterhead
) -> None:
    """Go round until cancelled."""
    stage = HeadsUpMail(database, clock, sender, letterhead)
    while True:
        await stage.round()
        pause = EVERY.total_seconds() / clock.rate if clock.rate else MOST_SECONDS
        await asyncio.sleep(min(max(pause, LEAST_SECONDS), MOST_SECONDS))


class HeadsUpMail:
    """Plans, claims, sends and settles mail about warnings."""

    def __init__(
        self, database: Database, clock: StoredClock, sender: EmailSender, letterhead: InternalLetterhead
    ) -> None:
        """Take both clocks in one, the provider, and what puts a mail in words."""
        self._database, self._clock = database, clock
        self._sender, self._letterhead = sender, letterhead

    async def round(self) -> int:
        """Settle what is in doubt, then mail what is due to whoever looks after it; return how many left."""
        async with self._database.transaction() as session:
            if not await is_my_turn(session, LOCK):
                return 0
            await settle_owners(session, self._clock.now())
            unsettled = await load_unsettled(session, self._clock.wall_now(), BATCH)
        sent = sum([await self._settle(found) for found in unsettled])
        for mail in await self._plan():
            sent += await self._mail(mail)
        return sent

    async def _plan(self) -> list[PlannedMail]:
        """Return what is due; nothing while another one plans, effects are stopped or time stands still."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            if not await is_my_turn(session, LOCK):
                return []
            if not self._clock.rate or await _is_stopped(session):
                return []
            given_up = await plan_given_up(session)
            held = await plan_held(session, now)
            untold = await load_untold(session, now)
        due = [mail for reader, warnings in untold for mail in plan_mails(reader, warnings, now)]
        return [*given_up, *held, *due][:BATCH]

    async def _mail(self, mail: PlannedMail) -> int:
        now, wall = self._clock.now(), self._clock.wall_now()
        async with self._database.transaction() as session:
            if not await is_my_turn(session, LOCK) or await _is_stopped(session):
                return 0
            effect = await claim_mail(session, mail, self._sender.name, now, wall)
            letter = await load_letter(session, mail.key, mail.user_id, now) if effect else None
        return await self._send(effect, letter) if effect and letter else 0

    async def _settle(self, found: Unsettled) -> int:
        """Find out what became of a mail, or try again one that certainly did not leave."""
        if found.is_lost and not await self._is_known_lost(found.effect):
            return 0
        now, wall = self._clock.now(), self._clock.wall_now()
        async with self._database.transaction() as session:
            if not await is_my_turn(session, LOCK) or await _is_stopped(session):
                return 0
            effect = await reclaim_mail(session, found, now, wall)
            letter = await load_letter(session, found.effect.key, found.user_id, now) if effect else None
        return await self._send(effect, letter) if effect and letter else 0

    async def _is_known_lost(self, effect: Effect) -> bool:
        """Ask the provider about a claim whose sender died; tell whether it certainly has nothing of it."""
        lag = dt.timedelta(seconds=self._sender.settle_seconds)
        left = settled_at(effect, lag) - self._clock.wall_now()
        if self._sender.has_look_up and left > dt.timedelta():
            await self._later(effect, left)
            return False
        try:
            receipt = await self._sender.look_up(effect.delivery_id)
        except TransientProviderError:
            await self._later(effect)
            return False
        except UncertainDeliveryError as error:
            await self._record(effect, EffectState.UNCERTAIN, error=str(error))
            return False
        if receipt is not None:
            await self._record(effect, EffectState.SENT, message_id=receipt.provider_message_id)
        return receipt is None

    async def _send(self, effect: Effect, letter: InternalLetter) -> int:
        """Hand a claimed mail over and write down what the provider said."""
        try:
            message = self._letterhead.write(letter, effect.delivery_id)
            receipt = await self._sender.send(message, lambda: self._refuse_late(effect))
        except LateAttemptError:
            return 0  # the next round finds its claim
        except TransientProviderError as error:
            async with self._database.transaction() as session:
                await give_back(session, effect, str(error))
            return 0
        except (PermanentProviderError, MessageTemplateError) as error:
            log.warning("mail refused", key=effect.key, reason=type(error).__name__)
            await self._record(effect, EffectState.FAILED, error=str(error))
            return 0
        except UncertainDeliveryError as error:
            if not self._sender.has_look_up:
                await self._record(effect, EffectState.UNCERTAIN, error=str(error))
            return 0
        await self._record(effect, EffectState.SENT, message_id=receipt.provider_message_id)
        return 1

    def _refuse_late(self, effect: Effect) -> None:
        refuse_late(effect, self._clock.wall_now(), self._sender.call_seconds)

    async def _later(self, effect: Effect, wait: dt.timedelta = LOOK_AGAIN) -> None:
        async with self._database.transaction() as session:
            await ask_again_later(session, effect.key, WallInstant(self._clock.wall_now() + wait))

    async def _record(
        self, effect: Effect, state: EffectState, *, message_id: str | None = None, error: str | None = None
    ) -> None:
        async with self._database.transaction() as session:
            wall = self._clock.wall_now()
            if state is not EffectState.SENT and not await is_newest(session, effect):
                return
            await settle(session, effect.key, state, wall, provider_message_id=message_id, error=error)
