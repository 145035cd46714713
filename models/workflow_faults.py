"""What the relay hears from Temporal about workflows that should run: whom to ask about, and the answers."""

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseState
from domain.monitoring import WALL_GRACE
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import GOING_ON, WorkflowTrouble
from models.monitor import expected_at
from models.pressing import is_pressing
from models.tables.cases import CaseRow
from models.tables.ledger import OutboxRow
from models.tables.playbooks import InterventionRow, LifecycleRow
from models.tables.workflows import WorkflowFaultRow, WorkflowLookRow
from models.workflow_orders import workflow_of

MOST_ASKED = 200
"""Workflows about which Temporal is asked one by one in one look."""
MOST_RUNS = 20_000


@dataclass(frozen=True)
class Suspect:
    """A workflow to ask Temporal about."""

    customer_id: uuid.UUID
    run_id: uuid.UUID | None = None
    case_id: uuid.UUID | None = None
    case_workflow: str | None = None

    @property
    def workflow_id(self) -> str:
        """Its id in Temporal."""
        return self.case_workflow or workflow_of(self.customer_id, self.run_id)


@dataclass(frozen=True)
class Fault:
    """What is wrong with one of them."""

    suspect: Suspect
    trouble: WorkflowTrouble
    attempts: int
    detail: str


async def suspects(session: AsyncSession, late: BusinessInstant, wall: WallInstant) -> list[Suspect]:
    """Return what should have acted by now and has not, and what was found at fault before."""
    run, life = InterventionRow, LifecycleRow
    runs = select(run.customer_id, run.id).where(run.state.in_(GOING_ON), expected_at(run) < late)
    lives = select(life.customer_id).where(life.ended_at.is_(None), life.expected_wake_at < late)
    unheard = (
        select(OutboxRow.customer_id)
        .where(OutboxRow.consumed_at.is_(None), OutboxRow.created_at < wall - WALL_GRACE, is_pressing())
        .group_by(OutboxRow.customer_id)
        .order_by(func.min(OutboxRow.created_at))
    )
    fault = WorkflowFaultRow
    known = select(fault.customer_id, fault.intervention_id, fault.case_id, CaseRow.workflow_id).outerjoin(
        CaseRow, CaseRow.id == fault.case_id
    )
    found = [Suspect(*row) for row in await session.execute(known.limit(MOST_ASKED))]
    found += await _cases(session, MOST_ASKED, CaseRow.expected_wake_at < late)
    found += [Suspect(*row) for row in await session.execute(runs.order_by(run.id).limit(MOST_ASKED))]
    for query in (lives, unheard):
        found += [Suspect(customer) for customer in await session.scalars(query.limit(MOST_ASKED))]
    return list(dict.fromkeys(found))


async def runs_going(session: AsyncSession, since: BusinessInstant) -> list[Suspect]:
    """Return the runs and cases that should have a workflow, without those that have just begun."""
    run = InterventionRow
    query = select(run.customer_id, run.id).where(run.state.in_(GOING_ON), run.started_at < since)
    runs = [Suspect(*row) for row in await session.execute(query.order_by(run.id).limit(MOST_RUNS))]
    return runs + await _cases(session, MOST_RUNS, CaseRow.opened_at < since)


async def _cases(session: AsyncSession, most: int, *wanted: ColumnElement[bool]) -> list[Suspect]:
    row = CaseRow
    query = select(row.customer_id, row.id, row.workflow_id).where(row.state != CaseState.ENDED, *wanted)
    found = await session.execute(query.order_by(row.id).limit(most))
    return [Suspect(customer, None, case_id, workflow) for customer, case_id, workflow in found]


async def keep_faults(
    session: AsyncSession, asked: list[Suspect], faults: list[Fault], wall: WallInstant
) -> None:
    """Write what was found; what was asked about and is well is well again."""
    row = WorkflowFaultRow
    ill = {fault.suspect for fault in faults}
    well = [one.workflow_id for one in asked if one not in ill]
    await session.execute(delete(row).where(row.workflow_id.in_(well)))
    for fault in faults:
        told = {
            "trouble": fault.trouble,
            "attempts": fault.attempts,
            "detail": fault.detail[:500],
            "seen_at": wall,
        }
        statement = upsert(row).values(
            workflow_id=fault.suspect.workflow_id,
            customer_id=fault.suspect.customer_id,
            intervention_id=fault.suspect.run_id,
            case_id=fault.suspect.case_id,
            first_seen_at=wall,
            **told,
        )
        await session.execute(statement.on_conflict_do_update(index_elements=["workflow_id"], set_=told))


async def note_look(session: AsyncSession, looked_at: int, problem: str | None, wall: WallInstant) -> None:
    """Write when Temporal was last asked, or what kept it from answering."""
    values = {"wall_at": wall, "looked_at": looked_at, "problem": problem[:500] if problem else None}
    statement = upsert(WorkflowLookRow).values(id=1, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
