"""The step `call`: runs a developer's own step apart from ours, with a limit, and takes its result."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.own_steps import OwnStep, OwnSteps, StepContext, why_unknown
from domain.ports import Clock
from domain.vocabulary import DecisionKind, StepState
from models.customer_state import lock_customer
from models.database import Database
from models.step_context import held_by_switch, load_step_facts
from models.step_records import Became, LoadedVisit

ATTEMPTS = 4
"""What raises is tried so often, with pauses that grow; then the step has failed and the run goes on."""
SECONDS = 45.0
"""For one attempt; below the limit of the activity, so that it is we who say that it hangs."""
LONGEST_ERROR = 500
RAISED = "a step of a developer's own raised an error"
log: Any = structlog.get_logger("own_steps")


class OwnStepPerformer:
    """Calls registered steps. Whatever they do, their run goes on."""

    def __init__(self, database: Database, clock: Clock, known: OwnSteps, seconds: float = SECONDS) -> None:
        """Take the steps that were found when the worker started."""
        self._database, self._clock, self._known, self._seconds = database, clock, known, seconds

    async def perform(self, loaded: LoadedVisit) -> Became:
        """Run the step, or say why not. A repeated attempt gets the same effect key."""
        call = loaded.step.call
        assert call is not None  # noqa: S101 - performers are chosen by kind
        own = self._known.steps.get(call.step)
        if own is None:
            return _failed("own_step_unknown", f"Left out: {why_unknown(call.step, self._known)}.")
        try:
            config = own.config.model_validate(call.config)
        except ValidationError as error:
            said = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(str(part) for part in said["loc"])
            return _failed(
                "own_step_config", f"The config of “{call.step}” does not fit: {where}: {said['msg']}."
            )
        context = await self._context(loaded)
        return context if isinstance(context, Became) else await self._run(call.step, own, context, config)

    async def _context(self, loaded: LoadedVisit) -> StepContext | Became:
        now = self._clock.now()
        async with self._database.transaction() as session:
            await lock_customer(session, loaded.customer_id)
            held = await held_by_switch(session, loaded, now)
            if held is not None:
                return held
            facts = await load_step_facts(session, loaded, now)
        visit = loaded.visit
        return StepContext(
            f"{visit.origin}{loaded.customer_id}",
            visit.intervention_id,
            loaded.playbook.key,
            visit.step_id,
            visit.occurrence,
            facts.customer_id,
            facts.external_id,
            facts.name,
            now,
            facts.facts,
        )

    async def _run(self, name: str, own: OwnStep, context: StepContext, config: BaseModel) -> Became:
        try:
            result = await run_apart(own.run(context, config), self._seconds)
        except TimeoutError:
            said = f"“{name}” did not end within {self._seconds:g} seconds; it is not tried again."
            return _failed("own_step_timeout", said)
        except Exception as error:  # noqa: BLE001 - other people's code may raise anything
            return _raised(name, error)
        if result not in own.results:
            said = f"“{name}” returned {str(result)[:60]!r}, which is none of {', '.join(own.results)}."
            return _failed("own_step_result", said)
        return Became(StepState.DONE, result, f"“{name}” said: {result}.")


def _raised(name: str, error: Exception) -> Became:
    """Have it tried again, a few times; then the step has failed. Temporal hears a fixed sentence."""
    attempt = activity.info().attempt
    log.warning("an own step raised", step=name, attempt=attempt, error=type(error).__name__)
    if attempt < ATTEMPTS:
        raise ApplicationError(RAISED) from None
    said = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
    return _failed("own_step_raised", f"“{name}” failed {ATTEMPTS} times, the last time with {said}")


def _failed(reason: str, sentence: str) -> Became:
    return Became(StepState.FAILED, reason, sentence, DecisionKind.REFUSAL)


async def run_apart(work: Coroutine[Any, Any, Any], seconds: float) -> Any:
    """Run a coroutine on a thread and a loop of its own: one that blocks holds up nobody else.

    Raises TimeoutError when it has not ended in time: it is cancelled, and if it does not heed that, left.
    """
    loop, ended = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
    own = asyncio.new_event_loop()
    task = own.create_task(work)

    def tell(error: Exception | None, result: Any) -> None:
        if ended.done():
            return
        if error is not None:
            ended.set_exception(error)
        else:
            ended.set_result(result)

    def live() -> None:
        error: Exception | None = None
        result: Any = None
        try:
            result = own.run_until_complete(task)
        except asyncio.CancelledError:
            error = TimeoutError()
        except Exception as raised:  # noqa: BLE001 - it is handed on to whoever waits
            error = raised
        own.close()
        with contextlib.suppress(RuntimeError):  # the worker has stopped meanwhile
            loop.call_soon_threadsafe(tell, error, result)

    threading.Thread(target=live, name="own step", daemon=True).start()
    try:
        return await asyncio.wait_for(asyncio.shield(ended), seconds)
    finally:
        if not ended.done():
            ended.cancel()
            with contextlib.suppress(RuntimeError):  # it has ended in this very moment
                own.call_soon_threadsafe(task.cancel)
