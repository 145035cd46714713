"""Hand one message over exactly once, whatever it belongs to: guard and claim, send, record."""

from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.contracts import SendEmailResult
from activities.delays import ask_again_soon
from activities.fences import end_attempt, refuse_overtaken
from activities.letters import Letterhead
from domain.errors import (
    LateAttemptError,
    MessageTemplateError,
    PermanentProviderError,
    TransientProviderError,
    UncertainDeliveryError,
)
from domain.ports import Clock, DeliveryReceipt, EmailSender
from domain.sending import domain_of
from domain.time import BusinessInstant
from domain.vocabulary import DecisionKind, EffectState, Purpose, StepState
from models.customer_state import lock_customer
from models.database import Database
from models.effects import LEASE, Effect, give_back, refuse_late, settled_at
from models.last_look import stopped_since
from models.posts import Post
from models.send_claims import SENTENCES, Begun, Busy, Closed, Lost, Ready, Route, Unsent
from models.send_ledger import Become, keep_subject, sent

LOOK_UPS = 12
"""Attempts, some seconds apart, before a question that the provider cannot answer now is put off."""
LOOK_UP_DELAY = timedelta(seconds=10)
BLIND_ATTEMPTS = 3
"""Times that a transactional message may leave in doubt; then a person is asked."""
PUT_OFF = timedelta(hours=4)
"""Business time until a message that was put off is asked for again."""


class Posting:
    """Sends through the EmailSender port under the effect ledger."""

    def __init__(self, database: Database, clock: Clock, sender: EmailSender, letterhead: Letterhead) -> None:
        """Take what a send needs; the letterhead renders and knows our own links."""
        self._database = database
        self._clock = clock
        self._sender = sender
        self._letterhead = letterhead
        self._route = Route(sender.name, domain_of(letterhead.sender.email))

    async def deliver(self, post: Post) -> SendEmailResult:
        """Send one message, or say why not; safe to repeat at any point."""
        begun = await self._begin(post)
        while isinstance(begun, Lost):
            begun = await self._recover(post, begun)
        if isinstance(begun, Busy):
            raise ApplicationError("another attempt is sending it", next_retry_delay=begun.left)
        if isinstance(begun, Closed):
            return SendEmailResult(begun.state, begun.reason)
        assert isinstance(begun, Ready)  # noqa: S101 - what is left
        return await self._send(post, begun)

    async def _begin(self, post: Post, lost: Unsent | None = None) -> Begun:
        now, wall = self._clock.now(), self._clock.wall_now()
        async with self._database.transaction() as session:
            return await post.begin(session, self._route, now, wall, lost)

    async def _recover(self, post: Post, lost: Lost) -> Begun:
        """Find out what became of a claim whose sender died; DESIGN.md names each expected end."""
        lag = timedelta(seconds=self._sender.settle_seconds)
        left = settled_at(lost.effect, lag) - self._clock.wall_now()
        if self._sender.has_look_up and left > timedelta():
            return Busy(left)
        try:
            receipt = await self._sender.look_up(lost.effect.delivery_id)
        except TransientProviderError as error:
            return await self._ask_later(post, lost, error)
        except UncertainDeliveryError as error:
            return await self._by_purpose(post, lost, str(error))
        if receipt is not None:
            await self._record_sent(post, lost, receipt)
            return Closed("sent", "found")
        return await self._begin(post, Unsent(EffectState.FAILED, lost.effect.attempts))

    async def _ask_later(self, post: Post, lost: Lost, error: TransientProviderError) -> Begun:
        """Ask the provider again soon, a few times; then put the question off by business time."""
        if activity.info().attempt < LOOK_UPS:
            raise ApplicationError(NO_ANSWER, next_retry_delay=LOOK_UP_DELAY) from None
        await self._put_off(post, lost, str(error))
        return Closed("deferred", "provider_unavailable")

    async def _by_purpose(self, post: Post, lost: Lost, reason: str) -> Begun:
        """Nobody can say: resend what must arrive, drop marketing, ask a person about the rest."""
        if lost.order.purpose is Purpose.TRANSACTIONAL and lost.effect.attempts < BLIND_ATTEMPTS:
            return await self._begin(post, Unsent(EffectState.UNCERTAIN, lost.effect.attempts))
        if lost.order.purpose is Purpose.MARKETING:
            become = Become(StepState.FAILED, "uncertain", None, DecisionKind.REFUSAL, DROPPED)
            await self._settle(post, lost, EffectState.UNCERTAIN, become, error=reason)
            return Closed("uncertain", "dropped")
        become = Become(StepState.WAITING, "uncertain", None, DecisionKind.DEFERRAL, PARKED)
        await self._settle(post, lost, EffectState.UNCERTAIN, become, error=reason)
        return Closed("uncertain", "parked")

    async def _send(self, post: Post, ready: Ready) -> SendEmailResult:
        """Hand the message over, and write down what the provider said."""
        try:
            message = self._letterhead.write(
                ready.context, ready.order, ready.effect.delivery_id, ready.allowed_at
            )
            stopped = await self._look_again(ready, message.subject)
            if stopped is not None:
                return await self._stop(post, ready, stopped)
            receipt = await self._sender.send(message, lambda: self._refuse_late(ready.effect))
        except LateAttemptError:
            raise ApplicationError(TOO_LATE) from None
        except TransientProviderError as error:
            return await self._not_taken(post, ready, error)
        except (PermanentProviderError, MessageTemplateError) as error:
            reason = "template" if isinstance(error, MessageTemplateError) else "provider_refused"
            become = Become(StepState.FAILED, reason, None, DecisionKind.REFUSAL, str(error))
            await self._settle(post, ready, EffectState.FAILED, become, error=str(error))
            return SendEmailResult("failed", reason)
        except UncertainDeliveryError as error:
            return await self._uncertain(post, ready, error)
        await self._record_sent(post, ready, receipt)
        return SendEmailResult("sent")

    async def _look_again(self, ready: Ready, subject: str) -> str | None:
        """Keep what the message is called; return why it must not leave after all."""
        async with self._database.transaction() as session:
            await keep_subject(session, ready.effect.key, subject)
            return await stopped_since(session, ready.context)

    async def _stop(self, post: Post, ready: Ready, reason: str) -> SendEmailResult:
        """Take a claim back whose reader said no before it left."""
        sentence = f"Not sent: {SENTENCES[reason]}."
        become = Become(StepState.SKIPPED, reason, None, DecisionKind.REFUSAL, sentence)
        await self._settle(post, ready, EffectState.FAILED, become, error=reason)
        return SendEmailResult("refused", reason)

    def _refuse_late(self, effect: Effect) -> None:
        """Stop an attempt that slept through its lease: another may be sending the message by then."""
        refuse_late(effect, self._clock.wall_now(), self._sender.call_seconds)

    async def _uncertain(self, post: Post, ready: Ready, error: UncertainDeliveryError) -> SendEmailResult:
        """Ask the provider after its settle time where it can be asked; else decide by purpose."""
        lost = Lost(ready.effect, ready.context, ready.order)
        blindly = ready.order.purpose is Purpose.TRANSACTIONAL and ready.effect.attempts < BLIND_ATTEMPTS
        if self._sender.has_look_up or blindly:
            wait = timedelta(seconds=self._sender.settle_seconds) if self._sender.has_look_up else LEASE
            raise ApplicationError(IN_DOUBT, next_retry_delay=wait) from None
        begun = await self._by_purpose(post, lost, str(error))
        assert isinstance(begun, Closed)  # noqa: S101 - nothing is left to repeat
        return SendEmailResult(begun.state, begun.reason)

    async def _not_taken(self, post: Post, ready: Ready, error: TransientProviderError) -> SendEmailResult:
        """Try again soon, a few times; then put the message off by business time."""
        async with self._database.transaction() as session:
            await give_back(session, ready.effect, str(error))
        ask_again_soon(error, NOT_TAKEN, activity.info().attempt)
        await self._put_off(post, ready, str(error))
        return SendEmailResult("deferred", "provider_unavailable")

    async def _put_off(self, post: Post, ready: Ready | Lost, reason: str) -> None:
        now = self._clock.now()
        until = BusinessInstant(now + PUT_OFF)
        become = Become(StepState.DEFERRED, "provider_unavailable", until, DecisionKind.DEFERRAL, reason)
        async with self._database.transaction() as session:
            await lock_customer(session, ready.context.customer_id)
            await refuse_overtaken(session, ready.effect)
            await post.record(session, ready, become, now)

    async def _record_sent(self, post: Post, ready: Ready | Lost, receipt: DeliveryReceipt) -> None:
        """Record the receipt in the ledger, the touchpoint and the step, together."""
        become = sent(ready.effect, receipt.provider_message_id)
        await self._settle(post, ready, EffectState.SENT, become, receipt=receipt)

    async def _settle(
        self,
        post: Post,
        ready: Ready | Lost,
        state: EffectState,
        become: Become,
        *,
        receipt: DeliveryReceipt | None = None,
        error: str | None = None,
    ) -> None:
        """Write what became of a message, with the customer locked first, as every writer of a run does."""
        now, wall = self._clock.now(), self._clock.wall_now()
        message_id = receipt.provider_message_id if receipt is not None else None
        async with self._database.transaction() as session:
            is_news = await end_attempt(
                session,
                ready.context.customer_id,
                ready.effect,
                state,
                wall,
                provider_message_id=message_id,
                error=error,
            )
            become = become if is_news else sent(ready.effect, message_id)
            await post.record(session, ready, become, now)


NOT_TAKEN = "the provider cannot take the message now"
TOO_LATE = "the lease ran out before the message left"
NO_ANSWER = "the provider cannot say now what became of the message"
IN_DOUBT = "nobody knows yet whether the provider took the message"
"""What Temporal hears: a provider's own words can quote an address, so they stay in our database."""
PARKED = "Nobody can say whether the message left. It is not sent again; a person was asked."
DROPPED = "Nobody can say whether the message left, and it was optional: it is not sent again."
