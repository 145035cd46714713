"""The step `write_crm`: properties of the customer's company, and a note, each done once."""

from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.delays import QUICK_RETRIES, ask_again_soon
from activities.fences import end_attempt
from activities.performing import NotConnected
from domain.crm import CrmWriter, OpenCrm
from domain.errors import PermanentProviderError, TransientProviderError, UncertainDeliveryError
from domain.guard import Defer
from domain.ports import Clock
from domain.time import after
from domain.vocabulary import EffectState
from models.crm_writes import (
    NOTE,
    PROPERTIES,
    BusyWrite,
    CrmTools,
    NoCrm,
    ReadyWrite,
    begin_write,
    failed,
)
from models.database import Database
from models.effects import LEASE, give_back, is_late
from models.step_context import put_off
from models.step_records import Became, LoadedVisit

MOST_ATTEMPTS = 40
"""Of one part, over all times that it was put off: then the step has failed."""
PUT_OFF = timedelta(hours=4)
"""Business time until a write that was put off is tried again."""
BUSY = "another attempt is writing it"
NOT_TAKEN = "the CRM cannot take the write now"
IN_DOUBT = "nobody knows yet whether the CRM took the write"
TOO_LATE = "the lease ran out before it was written"
"""What Temporal hears; the provider's own words stay in our database."""


class CrmPerformer:
    """Writes under the effect ledger. A property in doubt is set again; a note in doubt is looked for."""

    def __init__(self, database: Database, clock: Clock, tools: CrmTools, open_crm: OpenCrm) -> None:
        """Take what a write needs; `open_crm` opens a connection's writer."""
        self._database, self._clock, self._tools, self._open = database, clock, tools, open_crm
        self._none = NotConnected("crm", "CRM that knows the customer")

    async def perform(self, loaded: LoadedVisit) -> Became:
        """Do part after part, or say why not; safe to repeat at any point."""
        while True:
            now, wall = self._clock.now(), self._clock.wall_now()
            async with self._database.transaction() as session:
                begun = await begin_write(session, loaded, self._tools, now, wall)
            if isinstance(begun, BusyWrite):
                raise ApplicationError(BUSY, next_retry_delay=begun.left)
            if isinstance(begun, NoCrm):
                return await self._none.perform(loaded)
            if isinstance(begun, Became):
                return begun
            became = await self._write(loaded, begun)
            if became is not None:
                return became

    async def _write(self, loaded: LoadedVisit, ready: ReadyWrite) -> Became | None:
        """Do one part; None where it is done."""
        connection = ready.connection
        try:
            async with self._open(connection.provider, connection.options, connection.secrets) as crm:
                name = await self._do(crm, ready)
        except TransientProviderError as error:
            return await self._not_taken(loaded, ready, error)
        except UncertainDeliveryError as error:
            if activity.info().attempt < QUICK_RETRIES:
                raise ApplicationError(IN_DOUBT, next_retry_delay=LEASE) from None
            return self._put_off(loaded, str(error))
        except PermanentProviderError as error:
            await self._end(loaded, ready, EffectState.FAILED, error=str(error))
            return failed("crm_refused", str(error))
        await self._end(loaded, ready, EffectState.SENT, provider_message_id=name)
        return None

    async def _do(self, crm: CrmWriter, ready: ReadyWrite) -> str:
        """Return the provider's id of what was written."""
        if ready.part == PROPERTIES:
            await crm.set_properties(ready.company, ready.properties)
            return ready.company
        assert ready.part == NOTE  # noqa: S101 - there are two
        if ready.effect.attempts > 1:
            found = await _find(crm, ready.effect.delivery_id)
            if found is not None:
                return found
        if is_late(ready.effect, self._clock.wall_now()):
            raise ApplicationError(TOO_LATE)
        return await crm.add_note(ready.company, ready.note, ready.effect.delivery_id, self._clock.now())

    async def _not_taken(
        self, loaded: LoadedVisit, ready: ReadyWrite, error: TransientProviderError
    ) -> Became:
        """Try again soon, a few times; then put it off by business time, and some day give up."""
        if ready.effect.attempts >= MOST_ATTEMPTS:
            await self._end(loaded, ready, EffectState.FAILED, error=str(error))
            return failed("crm_unavailable", f"The CRM took it at none of {MOST_ATTEMPTS} attempts: {error}")
        async with self._database.transaction() as session:
            await give_back(session, ready.effect, str(error))
        ask_again_soon(error, NOT_TAKEN, activity.info().attempt)
        return self._put_off(loaded, str(error))

    def _put_off(self, loaded: LoadedVisit, reason: str) -> Became:
        until = after(self._clock.now(), PUT_OFF)
        return put_off(loaded, Defer(until, "crm_unavailable"), reason.rstrip("."))

    async def _end(self, loaded: LoadedVisit, ready: ReadyWrite, state: EffectState, **told: str) -> None:
        wall = self._clock.wall_now()
        async with self._database.transaction() as session:
            await end_attempt(session, loaded.customer_id, ready.effect, state, wall, **told)


async def _find(crm: CrmWriter, delivery_id: str) -> str | None:
    """Look for a note; while the CRM does not answer, the note stays in doubt."""
    try:
        return await crm.find_note(delivery_id)
    except TransientProviderError as error:
        raise UncertainDeliveryError(**error.details) from None
