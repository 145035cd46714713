"""The record of one visit of a step that another activity does: what it is, and what became of it."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.playbook import Playbook
from domain.playbook_steps import Step
from domain.run_walk import FINISHED
from domain.time import BusinessInstant
from domain.vocabulary import GOING_ON, DecisionKind, InterventionState, StepState
from models.customer_state import lock_customer
from models.decisions import Decision, record_decisions
from models.playbooks import PlaybookShelf
from models.runs import customer_of
from models.step_visits import Visit, is_row_of
from models.tables.playbooks import InterventionRow, InterventionStepRow


@dataclass(frozen=True)
class LoadedVisit:
    """One visit of one step, with its run, under the customer's row lock."""

    visit: Visit
    customer_id: uuid.UUID
    playbook: Playbook
    step: Step
    state: StepState
    reason: str | None
    is_wanted: bool
    """The run goes on and stands at this step."""
    is_resting: bool = False
    """A person has ordered a rest that covers it."""
    due_at: BusinessInstant | None = None
    """When what was put off is tried again."""

    @property
    def is_finished(self) -> bool:
        """Whether it is over, so that a repeated attempt has nothing to do."""
        return self.state in FINISHED


@dataclass(frozen=True)
class Became:
    """What became of a visit, for its record and for the decision ledger."""

    state: StepState
    reason: str | None = None
    sentence: str = ""
    decision: DecisionKind = DecisionKind.DIRECTIVE
    due_at: BusinessInstant | None = None
    detail: dict[str, Any] = field(default_factory=dict)


async def load_visit(session: AsyncSession, visit: Visit, shelf: PlaybookShelf) -> LoadedVisit:
    """Return one visit; locks the customer, as every writer of a run does."""
    run, row = InterventionRow, InterventionStepRow
    query = (
        select(run.customer_id, run.version_id, row.state, row.reason, row.due_at)
        .join(row, row.intervention_id == run.id)
        .where(is_row_of(visit))
    )
    await lock_customer(session, await customer_of(session, visit.intervention_id))
    found = (await session.execute(query)).one()
    standing = select(run.state, run.position).where(run.id == visit.intervention_id)
    state, position = (await session.execute(standing)).one()
    playbook = await shelf.version(session, found.version_id)
    stands_at = (position.get("step"), position.get("visits", {}).get(visit.step_id))
    is_here = stands_at == (visit.step_id, visit.occurrence)
    goes_on = state in GOING_ON
    return LoadedVisit(
        visit,
        found.customer_id,
        playbook,
        playbook.step(visit.step_id),
        found.state,
        found.reason,
        is_wanted=goes_on and is_here,
        is_resting=state is InterventionState.PAUSED,
        due_at=found.due_at,
    )


async def record_visit(
    session: AsyncSession, loaded: LoadedVisit, became: Became, now: BusinessInstant
) -> None:
    """Write what became of a visit; what has a sentence is a decision too."""
    row, visit = InterventionStepRow, loaded.visit
    await session.execute(
        update(row)
        .where(is_row_of(visit))
        .values(
            state=became.state,
            reason=became.reason,
            due_at=became.due_at,
            detail=became.detail,
            finished_at=now if became.state in FINISHED else None,
        )
    )
    if became.sentence:
        evidence = {"step": visit.step_id, "occurrence": visit.occurrence, **became.detail}
        decision = Decision(
            loaded.customer_id,
            became.decision,
            loaded.step.kind,
            loaded.playbook.key,
            became.reason or became.state.value,
            became.sentence,
            evidence,
            visit.intervention_id,
        )
        await record_decisions(session, [decision], now)
