"""The step `call_webhook`: tell another system once, as far as it can be known, and perhaps wait for it."""

from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.delays import ask_again_soon
from activities.fences import end_attempt
from domain.errors import PermanentProviderError, TransientProviderError
from domain.guard import Defer
from domain.outgoing_webhooks import WebhookCall, WebhookPoster
from domain.ports import Clock
from domain.time import after
from domain.vocabulary import EffectState
from models.database import Database
from models.effects import give_back, is_late
from models.step_context import put_off
from models.step_records import Became, LoadedVisit
from models.webhook_calls import (
    MOST_ATTEMPTS,
    BusyCall,
    CallTools,
    ReadyCall,
    begin_call,
    disable_gone,
    failed,
    told,
)

PUT_OFF = timedelta(hours=4)
"""Business time until a call that was put off is made again."""
BUSY = "another attempt is making this call"
NOT_TAKEN = "the endpoint cannot take the call now"
TOO_LATE = "the lease ran out before the call was made"
"""What Temporal hears; the endpoint's own words stay in our database."""


class WebhookPerformer:
    """Posts under the effect ledger. What is in doubt is posted again under the same webhook-id."""

    def __init__(self, database: Database, clock: Clock, poster: WebhookPoster, tools: CallTools) -> None:
        """Take what a call needs."""
        self._database, self._clock, self._poster, self._tools = database, clock, poster, tools

    async def perform(self, loaded: LoadedVisit) -> Became:
        """Make the call, or say why not; safe to repeat at any point."""
        now, wall = self._clock.now(), self._clock.wall_now()
        async with self._database.transaction() as session:
            begun = await begin_call(session, loaded, self._tools, now, wall)
        if isinstance(begun, BusyCall):
            raise ApplicationError(BUSY, next_retry_delay=begun.left)
        if isinstance(begun, Became):
            return begun
        return await self._post(loaded, begun)

    async def _post(self, loaded: LoadedVisit, ready: ReadyCall) -> Became:
        wall = self._clock.wall_now()
        if is_late(ready.effect, wall):
            raise ApplicationError(TOO_LATE)
        endpoint = ready.endpoint
        call = WebhookCall(
            endpoint.key, endpoint.url, endpoint.secrets, ready.effect.delivery_id, ready.body, wall
        )
        try:
            await self._poster.post(call)
        except TransientProviderError as error:
            return await self._not_taken(loaded, ready, error)
        except PermanentProviderError as error:
            return await self._refused(loaded, ready, error)
        await self._end(loaded, ready, EffectState.SENT)
        return told(loaded, ready.effect)

    async def _refused(self, loaded: LoadedVisit, ready: ReadyCall, error: PermanentProviderError) -> Became:
        if error.details.get("is_gone"):
            async with self._database.transaction() as session:
                await disable_gone(session, ready.endpoint.key, self._clock.wall_now())
        await self._end(loaded, ready, EffectState.FAILED, str(error))
        return failed("endpoint_refused", str(error))

    async def _end(
        self, loaded: LoadedVisit, ready: ReadyCall, state: EffectState, error: str | None = None
    ) -> None:
        wall = self._clock.wall_now()
        async with self._database.transaction() as session:
            await end_attempt(session, loaded.customer_id, ready.effect, state, wall, error=error)

    async def _not_taken(
        self, loaded: LoadedVisit, ready: ReadyCall, error: TransientProviderError
    ) -> Became:
        """Try again soon, a few times; then put the call off by business time, and some day give up."""
        if ready.effect.attempts >= MOST_ATTEMPTS:
            await self._end(loaded, ready, EffectState.UNCERTAIN, str(error))
            return failed("endpoint_unreachable", f"Given up after {MOST_ATTEMPTS} attempts: {error}")
        async with self._database.transaction() as session:
            await give_back(session, ready.effect, str(error))
        ask_again_soon(error, NOT_TAKEN, activity.info().attempt)
        until = after(self._clock.now(), PUT_OFF)
        return put_off(loaded, Defer(until, "endpoint_unavailable"), str(error).rstrip("."))
