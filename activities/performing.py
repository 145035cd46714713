"""Steps that do something elsewhere: one activity, and one performer per kind of step."""

from collections.abc import Mapping
from typing import Protocol

from temporalio import activity

from activities.beats import beating
from activities.contracts import PerformInput, PerformResult, StepContract
from domain.guard import STOPPED_RETRY
from domain.ports import Clock
from domain.time import after
from domain.vocabulary import DecisionKind, StepState
from models.database import Database
from models.playbooks import PlaybookShelf
from models.step_records import Became, LoadedVisit, load_visit, record_visit
from models.step_visits import Visit


class Performer(Protocol):
    """Does one kind of step. It may be asked again for the same visit after any interruption."""

    async def perform(self, loaded: LoadedVisit) -> Became:
        """Return what became of it; raises only where a later attempt may do better."""
        ...


class NotConnected:
    """Stands in for a part that this installation lacks: the step is left out, and says why."""

    def __init__(self, part: str, words: str) -> None:
        """Name what is missing: for the record, and for people."""
        self._part, self._words = part, words

    async def perform(self, loaded: LoadedVisit) -> Became:
        """Leave the step out."""
        sentence = f"Left out “{loaded.step.id}”: no {self._words} is connected."
        return Became(StepState.SKIPPED, f"no_{self._part}_connected", sentence, DecisionKind.REFUSAL)


class StepActivities(StepContract):
    """Finds the performer of a step and records what it says."""

    def __init__(
        self, database: Database, clock: Clock, shelf: PlaybookShelf, performers: Mapping[str, Performer]
    ) -> None:
        """Take the performers by the kinds of step that they do."""
        self._database, self._clock, self._shelf = database, clock, shelf
        self._performers = performers

    @activity.defn(name="perform_step")
    async def perform_step(self, request: PerformInput) -> PerformResult:
        """Do the step unless it is done, or nobody wants it any more; record what became of it."""
        visit = Visit(request.intervention_id, request.step_id, request.occurrence)
        async with self._database.transaction() as session:
            loaded = await load_visit(session, visit, self._shelf)
        if loaded.is_finished:
            return PerformResult(loaded.state.value, loaded.reason or "")
        if loaded.is_resting:
            due = after(self._clock.now(), STOPPED_RETRY)
            became = Became(StepState.DEFERRED, "resting", due_at=due)
        elif loaded.is_wanted:
            async with beating():
                became = await self._performers[request.kind].perform(loaded)
        else:
            became = Became(StepState.SKIPPED, "no_longer_wanted")
        async with self._database.transaction() as session:
            current = await load_visit(session, visit, self._shelf)
            if current.is_finished:
                return PerformResult(current.state.value, current.reason or "")
            await record_visit(session, current, became, self._clock.now())
        return PerformResult(became.state.value, became.reason or "")
