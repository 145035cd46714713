"""What a deed belongs to: one visit of a step of a case or of a run, or an offer that outlived its run."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseState
from domain.guard import STOPPED_RETRY
from domain.run_walk import FINISHED
from domain.time import BusinessInstant, after
from domain.vocabulary import DecisionKind, StepState
from models.case_steps import CaseVisit, find_record, record_visit
from models.cases import load_case
from models.customer_state import lock_customer
from models.decisions import Decision, record_decisions
from models.doubts import Asker, Question, ask_about
from models.installation import load_installation
from models.pauses import pauses_of, rests
from models.playbooks import PlaybookShelf
from models.send_ledger import Become
from models.step_context import held_by_switch
from models.step_records import Became, LoadedVisit, load_visit
from models.step_records import record_visit as record_step
from models.step_visits import Visit
from models.tables.customers import CustomerRow


@dataclass(frozen=True)
class Standing:
    """Whose deed it is, and what holds it back whatever it is."""

    customer_id: uuid.UUID
    is_over: bool = False
    """What it belongs to has ended, or stands elsewhere by now."""
    held: tuple[str, BusinessInstant] | None = None
    """Why a person holds it back, and when to ask again."""


class Place(Protocol):
    """Where a deed is begun, recorded and doubted. Each call is within a transaction."""

    @property
    def origin(self) -> str:
        """The part of the effect key before the target."""
        ...

    async def load(self, session: AsyncSession, now: BusinessInstant) -> Standing:
        """Lock the customer, and return how the deed stands."""
        ...

    async def finished(self, session: AsyncSession) -> StepState | None:
        """Return how its record was closed, None while it is open or where there is none."""
        ...

    async def record(
        self, session: AsyncSession, customer_id: uuid.UUID, become: Become, now: BusinessInstant
    ) -> None:
        """Write what became of it where it belongs; the caller holds the customer's lock."""
        ...

    async def ask(
        self, session: AsyncSession, customer_id: uuid.UUID, question: Question, now: BusinessInstant
    ) -> None:
        """Put a deed in doubt to a person, once."""
        ...


@dataclass(frozen=True)
class CasePlace:
    """One visit of one step of a case."""

    visit: CaseVisit

    @property
    def origin(self) -> str:
        """The part of the effect key before the target."""
        return self.visit.origin

    async def load(self, session: AsyncSession, now: BusinessInstant) -> Standing:
        """Lock the customer; a case that has ended or is held does nothing."""
        case = await load_case(session, self.visit.case_id)
        held = await _switched_off(session, now)
        if held is None and case.hold is not None:
            held = "paused", after(now, STOPPED_RETRY)
        if held is None:
            held = await _resting(session, case.customer_id, case.kind.value, case.id, now)
        return Standing(case.customer_id, case.state is not CaseState.OPEN, held)

    async def finished(self, session: AsyncSession) -> StepState | None:
        """Return how the record of the visit was closed."""
        record = await find_record(session, self.visit)
        return record.state if record is not None and record.state in FINISHED else None

    async def record(
        self, session: AsyncSession, customer_id: uuid.UUID, become: Become, now: BusinessInstant
    ) -> None:
        """Write it into the record of the visit."""
        await record_visit(session, customer_id, self.visit, become, now)

    async def ask(
        self, session: AsyncSession, customer_id: uuid.UUID, question: Question, now: BusinessInstant
    ) -> None:
        """Ask with a task of the case."""
        asker = Asker(self.origin, customer_id, case_id=self.visit.case_id)
        await ask_about(session, asker, question, now)


@dataclass(frozen=True)
class RunPlace:
    """One visit of one step of a run."""

    visit: Visit
    shelf: PlaybookShelf

    @property
    def origin(self) -> str:
        """The part of the effect key before the target."""
        return self.visit.origin

    async def load(self, session: AsyncSession, now: BusinessInstant) -> Standing:
        """Lock the customer; a run that has ended or stands elsewhere wants nothing more."""
        loaded = await self._loaded(session)
        held = await held_by_switch(session, loaded, now)
        if held is not None:
            return Standing(loaded.customer_id, held=(held.reason or "", held.due_at or now))
        resting = ("paused", after(now, STOPPED_RETRY)) if loaded.is_resting else None
        return Standing(loaded.customer_id, not (loaded.is_wanted or loaded.is_resting), resting)

    async def finished(self, session: AsyncSession) -> StepState | None:
        """Return how the record of the visit was closed."""
        loaded = await self._loaded(session)
        return loaded.state if loaded.is_finished else None

    async def record(
        self, session: AsyncSession, customer_id: uuid.UUID, become: Become, now: BusinessInstant
    ) -> None:
        """Write it into the record of the visit; one that a person has closed meanwhile stays so."""
        del customer_id  # the run's own
        loaded = await self._loaded(session)
        decision = become.decision or DecisionKind.DIRECTIVE
        became = Became(
            become.state, become.reason, become.sentence, decision, become.due_at, dict(become.detail)
        )
        if not loaded.is_finished:
            await record_step(session, loaded, became, now)

    async def ask(
        self, session: AsyncSession, customer_id: uuid.UUID, question: Question, now: BusinessInstant
    ) -> None:
        """Ask with a task of the run."""
        asker = Asker(self.origin, customer_id, run_id=self.visit.intervention_id)
        await ask_about(session, asker, question, now)

    async def _loaded(self, session: AsyncSession) -> LoadedVisit:
        return await load_visit(session, self.visit, self.shelf)


@dataclass(frozen=True)
class OfferPlace:
    """An offer of a run that has ended: what is left to do is to take it back."""

    customer_id: uuid.UUID
    visit: Visit
    """The visit in which it was made."""

    @property
    def origin(self) -> str:
        """The part of the effect key before the target: a step of its own, beside the one that made it."""
        visit = self.visit
        return f"{visit.intervention_id}/{visit.step_id}.withdraw/{visit.occurrence}/"

    async def load(self, session: AsyncSession, now: BusinessInstant) -> Standing:
        """Lock the customer; only who has stopped everything holds it back."""
        await lock_customer(session, self.customer_id)
        return Standing(self.customer_id, held=await _switched_off(session, now))

    async def finished(self, session: AsyncSession) -> StepState | None:  # noqa: ARG002  it has no record
        """Return nothing: the ledger alone says what became of it."""
        return None

    async def record(
        self, session: AsyncSession, customer_id: uuid.UUID, become: Become, now: BusinessInstant
    ) -> None:
        """Write an end as a decision of the run; what is put off is tried again by itself."""
        if become.state not in FINISHED or not become.sentence:
            return
        decision = Decision(
            customer_id,
            become.decision or DecisionKind.DIRECTIVE,
            "withdraw_offer",
            "",
            become.reason or become.state.value,
            become.sentence,
            {"step": self.visit.step_id, "occurrence": self.visit.occurrence},
            self.visit.intervention_id,
        )
        await record_decisions(session, [decision], now)

    async def ask(
        self, session: AsyncSession, customer_id: uuid.UUID, question: Question, now: BusinessInstant
    ) -> None:
        """Ask with a task of the run."""
        asker = Asker(self.origin, customer_id, run_id=self.visit.intervention_id)
        await ask_about(session, asker, question, now)


async def _switched_off(session: AsyncSession, now: BusinessInstant) -> tuple[str, BusinessInstant] | None:
    installation = await load_installation(session)
    if installation.effects_stopped_at is not None:
        return "effects_stopped", after(now, STOPPED_RETRY)
    return None if installation.released_at is not None else ("observing", after(now, dt.timedelta(days=1)))


async def _resting(
    session: AsyncSession, customer_id: uuid.UUID, key: str, of: uuid.UUID, now: BusinessInstant
) -> tuple[str, BusinessInstant] | None:
    segment = select(CustomerRow.segment).where(CustomerRow.id == customer_id)
    pauses = await pauses_of(session, customer_id, (await session.execute(segment)).scalar_one(), now)
    is_resting, until = rests(pauses, key, of)
    return ("paused", until or after(now, STOPPED_RETRY)) if is_resting else None
