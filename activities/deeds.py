"""Do one deed at the billing provider exactly once: claim, call under one delivery id, record.

The provider takes the same delivery id twice as one request while it remembers it, so an attempt in doubt is
repeated; after that it is asked what became of it; and where it cannot say, a person is.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.delays import ask_again_soon
from domain.errors import PermanentProviderError, TransientProviderError, UncertainDeliveryError
from domain.ports import Clock
from domain.time import after
from domain.vocabulary import DecisionKind, EffectState, StepState
from models.database import Database, Session
from models.deeds import (
    IS_OVER,
    Deed,
    DeedBusy,
    DeedClosed,
    DeedReady,
    Outcome,
    Wanted,
    begin_deed,
    doubt_deed,
    end_deed,
    not_done,
)
from models.effects import Effect, give_back, is_late
from models.send_ledger import Become

MOST_ATTEMPTS = 8
"""Attempts in doubt after which a person is asked."""
PUT_OFF = timedelta(hours=1)
"""Business time until a deed that was put off is done again."""
BUSY = "another attempt is at it"
NOT_TAKEN = "the billing provider cannot do it now"
IN_DOUBT = "nobody knows yet whether the billing provider did it"
"""What Temporal hears; a provider's own words stay in our database."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Doing(Generic[Result]):
    """How one deed is done. `call` and `look_up` are outside any transaction."""

    deed: Deed
    wanted: Wanted
    call: Callable[[str], Awaitable[Result]]
    """Asks the provider for it under a delivery id."""
    look_up: Callable[[Effect], Awaitable[Result | None]]
    """Returns what became of it since its first claim, None where it authoritatively did not happen."""
    remembers_for: timedelta
    judge: Callable[[Result], Outcome]
    record: Callable[[Session, Effect, Result], Awaitable[None]]
    """Writes what else the answer changes, in the transaction that settles the effect."""


class Deeds:
    """Does deeds under the effect ledger."""

    def __init__(
        self, database: Database, clock: Clock, attempt: Callable[[], int] = lambda: activity.info().attempt
    ) -> None:
        """Take the system of record, both times, and which attempt this is: the activity's own."""
        self._database, self._clock, self._attempt = database, clock, attempt

    async def do(self, doing: Doing[Result]) -> str:
        """Do it, or say why not; safe to repeat at any point."""
        now, wall = self._clock.now(), self._clock.wall_now()
        async with self._database.transaction() as session:
            begun = await begin_deed(session, doing.deed, doing.wanted, now, wall)
        if isinstance(begun, DeedBusy):
            raise ApplicationError(BUSY, next_retry_delay=begun.left)
        if isinstance(begun, DeedClosed):
            return begun.state
        try:
            result = await self._ask(doing, begun)
        except TransientProviderError as error:
            return await self._not_taken(doing, begun, error)
        except PermanentProviderError as error:
            refused = Become(StepState.FAILED, "provider_refused", None, DecisionKind.REFUSAL, str(error))
            return await self._end(doing, begun, Outcome(EffectState.FAILED, refused))
        except UncertainDeliveryError as error:
            return await self._in_doubt(doing, begun, error)
        if result is None:
            reason = begun.against or IS_OVER
            return await self._end(doing, begun, Outcome(EffectState.FAILED, not_done(reason)))
        return await self._end(doing, begun, doing.judge(result), result)

    async def _ask(self, doing: Doing[Result], begun: DeedReady) -> Result | None:
        """Ask for it. What an earlier attempt may have done is looked up first where it must not be repeated.

        Returns None where it did not happen, and is not wanted any more.
        """
        effect = begun.effect
        forgotten = self._clock.wall_now() - effect.first_claimed_at >= doing.remembers_for
        if begun.is_repeat and (forgotten or begun.against is not None):
            found = await doing.look_up(effect)
            if found is not None or begun.against is not None:
                return found
        if is_late(effect, self._clock.wall_now()):
            raise ApplicationError("the lease ran out before it was done")
        return await doing.call(effect.delivery_id)

    async def _end(
        self, doing: Doing[Result], begun: DeedReady, outcome: Outcome, result: Result | None = None
    ) -> str:
        now, wall = self._clock.now(), self._clock.wall_now()
        async with self._database.transaction() as session:
            await end_deed(session, doing.deed, begun.effect, outcome, now, wall)
            if result is not None:
                await doing.record(session, begun.effect, result)
        return outcome.become.state.value

    async def _not_taken(self, doing: Doing[Result], begun: DeedReady, error: TransientProviderError) -> str:
        """Try again soon, a few times; then put the deed off by business time.

        A repeat keeps its claim: this call changed nothing, but an earlier one may have.
        """
        if not begun.is_repeat:
            async with self._database.transaction() as session:
                await give_back(session, begun.effect, str(error))
        least = self._lease_left(begun) if begun.is_repeat else None
        ask_again_soon(error, NOT_TAKEN, self._attempt(), least)
        until = after(self._clock.now(), PUT_OFF)
        become = Become(StepState.DEFERRED, "provider_unavailable", until, DecisionKind.DEFERRAL, str(error))
        return await self._put_off(doing, become)

    async def _put_off(self, doing: Doing[Result], become: Become) -> str:
        async with self._database.transaction() as session:
            now = self._clock.now()
            standing = await doing.deed.place.load(session, now)
            await doing.deed.place.record(session, standing.customer_id, become, now)
        return become.state.value

    async def _in_doubt(self, doing: Doing[Result], begun: DeedReady, error: Exception) -> str:
        """Repeat it under the same delivery id once the lease is over; after many attempts ask a person."""
        if begun.effect.attempts < MOST_ATTEMPTS:
            raise ApplicationError(IN_DOUBT, next_retry_delay=self._lease_left(begun)) from None
        now, wall = self._clock.now(), self._clock.wall_now()
        async with self._database.transaction() as session:
            await doubt_deed(session, doing.deed, begun.effect, str(error).rstrip("."), now, wall)
        return "uncertain"

    def _lease_left(self, begun: DeedReady) -> timedelta:
        """Return how long nobody else may try it, and a moment more."""
        lease = begun.effect.lease_until
        left = lease - self._clock.wall_now() if lease is not None else timedelta()
        return max(left, timedelta()) + timedelta(seconds=1)
