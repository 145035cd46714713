"""Decisions on customers: load, decide, write, in one transaction."""

from typing import Any

from pydantic import TypeAdapter
from temporalio import activity

from activities.contracts import DecideInput, DecideResult, LifecycleContract, RunToStart
from activities.wakes import sit_out, wake_at
from domain.directives import Ruling
from domain.director import decide
from domain.ports import Clock
from domain.vocabulary import CustomerStatus
from models.case_rings import ring_cases_for
from models.customer_state import lock_customer
from models.database import Database
from models.director_inputs import DirectorInputs, hear, load_director_inputs
from models.lifecycles import DecisionMade, store_lifecycle
from models.playbooks import PlaybookShelf
from models.rulings import Started, Written, write_ruling
from models.wakes import record_wake

RESULT: TypeAdapter[DecideResult] = TypeAdapter(DecideResult)
EXECUTION = "execution"
"""Where a stored result names the workflow execution that it was made for."""


class LifecycleActivities(LifecycleContract):
    """Carries out `decide` on the system of record."""

    def __init__(self, database: Database, clock: Clock, shelf: PlaybookShelf) -> None:
        """Take the database, the clock, and the parsed playbooks of this process."""
        self._database = database
        self._clock = clock
        self._shelf = shelf

    @activity.defn(name="decide")
    async def decide(self, request: DecideInput) -> DecideResult:
        """Rule on one customer; a retried attempt returns what the first one stored."""
        now, wall = self._clock.now(), self._clock.wall_now()
        async with self._database.transaction() as session:
            await lock_customer(session, request.customer_id)
            inputs = await load_director_inputs(session, request.customer_id, self._shelf, now)
            stored = inputs.lifecycle
            if stored.decide_seq == request.seq and _is_mine(stored.last_result):
                return RESULT.validate_python(stored.last_result)
            inputs = await hear(session, inputs, now, wall)
            has_left = inputs.state.status is CustomerStatus.CHURNED
            await ring_cases_for(session, request.customer_id, inputs.unheard, wall, has_left=has_left)
            await record_wake(session, "customer", request.woken_for, self._clock)
            ruling = decide(inputs.state, inputs.notices, inputs.policy, stored.memory, now)
            written = await write_ruling(session, request.customer_id, ruling, now, wall)
            result = self._result(inputs, ruling, written)
            await store_lifecycle(session, _made(request, ruling, result), now)
        await sit_out(self._clock, result.wake)
        return result

    def _result(self, inputs: DirectorInputs, ruling: Ruling, written: Written) -> DecideResult:
        tier = inputs.state.tier
        return DecideResult(
            phase=ruling.memory.phase,
            risk_tier=tier.value if tier is not None else "",
            starts=tuple(map(self._start, written.starts)),
            rings=tuple(written.rings),
            wake=wake_at(self._clock, ruling.next_look),
            begins_term=ruling.begins_term,
        )

    def _start(self, started: Started) -> RunToStart:
        wake = wake_at(self._clock, started.opens_at, then=started.opens_with)
        return RunToStart(started.intervention_id, started.motion, started.opens_with, wake)


def _is_mine(stored: dict[str, Any] | None) -> bool:
    """Tell whether a stored result is of this very execution: one that began anew counts from 1 again."""
    return stored is not None and stored.get(EXECUTION) == _execution()


def _execution() -> str:
    return str(activity.info().workflow_run_id) if activity.in_activity() else ""


def _made(request: DecideInput, ruling: Ruling, result: DecideResult) -> DecisionMade:
    stored = RESULT.dump_python(result, mode="json") | {EXECUTION: _execution()}
    return DecisionMade(
        request.customer_id, ruling.memory, request.seq, stored, ruling.next_look, ruling.silence
    )
