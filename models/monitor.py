"""What does not go on by itself: found in our own tables, and in what the relay has heard from Temporal."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Text, Uuid, cast, func, null, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseState
from domain.monitoring import WALL_GRACE, Finding, Look, Trouble
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import EffectState, InterventionState, WorkflowTrouble
from models.case_watch import overslept_cases
from models.pressing import is_pressing
from models.tables.cases import CaseRow
from models.tables.customers import CustomerRow
from models.tables.ledger import EffectRow, OutboxRow
from models.tables.playbooks import InterventionRow, LifecycleRow, PlaybookRow
from models.tables.workflows import WorkflowFaultRow, WorkflowLookRow

MOST = 500
"""Findings of each kind that are shown; the first are the oldest."""


@dataclass(frozen=True)
class Monitored:
    """Everything that was found, the kinds in order, and when Temporal was last asked."""

    findings: tuple[Finding, ...]
    look: Look | None

    def of(self, trouble: Trouble) -> list[Finding]:
        """Return the findings of one kind."""
        return [one for one in self.findings if one.trouble is trouble]


async def load_monitor(session: AsyncSession, late: BusinessInstant, wall: WallInstant) -> Monitored:
    """Return what has gone wrong; what should have woken before `late` has overslept."""
    faults = await _faults(session)
    known = {one.run_id or one.case_id or one.customer_id for one in faults}
    findings = [
        *[one for one in await _overslept_runs(session, late) if one.run_id not in known],
        *[
            one
            for one in await _overslept_others(session, late)
            if (one.case_id or one.customer_id) not in known
        ],
        *faults,
        *await _without_outcome(session),
        *await _uncertain(session, wall),
        *await _unheard(session, wall),
    ]
    order = list(Trouble)
    return Monitored(tuple(sorted(findings, key=lambda one: order.index(one.trouble))), await _look(session))


def expected_at(row: type[InterventionRow]) -> ColumnElement[Any]:
    """Say when a run should have looked again: its wake, else when it came to what it does now."""
    entered = cast(row.position["entered_at"].astext, DateTime(timezone=True))
    return func.coalesce(row.expected_wake_at, entered, row.started_at)


async def _overslept_runs(session: AsyncSession, late: BusinessInstant) -> list[Finding]:
    row, at = InterventionRow, expected_at(InterventionRow)
    query = (
        select(row.id, row.customer_id, CustomerRow.name, PlaybookRow.name, at)
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .join(PlaybookRow, PlaybookRow.key == row.playbook_key)
        .where(
            at < late,
            or_(
                row.state == InterventionState.RUNNING,
                (row.state == InterventionState.PAUSED) & row.expected_wake_at.is_not(None),
            ),
        )
        .order_by(at, row.id)
        .limit(MOST)
    )
    sentence = "It should have looked again by then, and has not."
    return [
        Finding(
            Trouble.OVERSLEPT_RUN, str(run), customer, name, sentence, since, run_id=run, playbook=playbook
        )
        for run, customer, name, playbook, since in (await session.execute(query)).all()
    ]


async def _overslept_others(session: AsyncSession, late: BusinessInstant) -> list[Finding]:
    """Return customers and cases that should have looked again, in one question."""
    row = LifecycleRow
    customers = (
        select(
            row.customer_id,
            CustomerRow.name,
            row.expected_wake_at.label("at"),
            cast(null(), Uuid).label("case_id"),
            cast(null(), Text).label("kind"),
        )
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .where(row.ended_at.is_(None), row.expected_wake_at < late)
    )
    both = union_all(customers, overslept_cases(late)).subquery()
    query = select(both).order_by(both.c.at, both.c.customer_id, both.c.case_id).limit(2 * MOST)
    return [_overslept(*found) for found in (await session.execute(query)).all()]


def _overslept(
    customer: uuid.UUID, name: str, since: BusinessInstant, case_id: uuid.UUID | None, kind: str | None
) -> Finding:
    trouble = Trouble.OVERSLEPT_CUSTOMER if case_id is None else Trouble.OVERSLEPT_CASE
    which = "The customer's own workflow" if case_id is None else "The case"
    sentence = f"{which} should have looked again by then, and has not."
    named = str(case_id or customer)
    return Finding(trouble, named, customer, name, sentence, since, playbook=kind, case_id=case_id)


TROUBLES = {
    WorkflowTrouble.MISSING: (Trouble.LOST_WORKFLOW, "Its workflow is gone, though it should run: {detail}."),
    WorkflowTrouble.FAILING: (
        Trouble.FAILING_WORKFLOW,
        "Its workflow fails again and again (attempt {attempts}): {detail}.",
    ),
}


async def _faults(session: AsyncSession) -> list[Finding]:
    """Return what Temporal told of workflows, as far as it still matters."""
    row, run = WorkflowFaultRow, InterventionRow
    query = (
        select(row, CustomerRow.name, func.coalesce(PlaybookRow.name, cast(CaseRow.kind, Text)))
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .outerjoin(run, run.id == row.intervention_id)
        .outerjoin(PlaybookRow, PlaybookRow.key == run.playbook_key)
        .outerjoin(CaseRow, CaseRow.id == row.case_id)
        .where(
            or_(run.id.is_(None), run.state != InterventionState.ENDED),
            or_(CaseRow.id.is_(None), CaseRow.state != CaseState.ENDED),
        )
        .order_by(row.first_seen_at, row.workflow_id)
        .limit(MOST)
    )
    found = (await session.execute(query)).all()
    return [_fault(fault, customer, playbook) for fault, customer, playbook in found]


def _fault(fault: WorkflowFaultRow, customer: str, playbook: str | None) -> Finding:
    trouble, words = TROUBLES[fault.trouble]
    sentence = words.format(detail=fault.detail.rstrip("."), attempts=fault.attempts)
    return Finding(
        trouble,
        fault.workflow_id,
        fault.customer_id,
        customer,
        sentence,
        fault.first_seen_at,
        is_wall=True,
        run_id=fault.intervention_id,
        playbook=playbook,
        case_id=fault.case_id,
    )


async def _without_outcome(session: AsyncSession) -> list[Finding]:
    row = InterventionRow
    query = (
        select(row.id, row.customer_id, CustomerRow.name, PlaybookRow.name, row.ended_at, row.planned_at)
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .join(PlaybookRow, PlaybookRow.key == row.playbook_key)
        .where(row.state == InterventionState.ENDED, row.outcome.is_(None))
        .order_by(row.ended_at, row.id)
        .limit(MOST)
    )
    sentence = "It ended, and nobody wrote down how."
    return [
        Finding(
            Trouble.NO_OUTCOME,
            str(run),
            customer,
            name,
            sentence,
            ended or planned,
            run_id=run,
            playbook=playbook,
        )
        for run, customer, name, playbook, ended, planned in (await session.execute(query)).all()
    ]


async def _uncertain(session: AsyncSession, wall: WallInstant) -> list[Finding]:
    """Return effects of which nobody knows, and those whose sender was lost and never came back."""
    row = EffectRow
    lost = (row.state == EffectState.CLAIMED) & (row.lease_until < wall - WALL_GRACE)
    query = (
        select(row.key, row.customer_id, CustomerRow.name, row.kind, row.claimed_at, row.error, row.state)
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .where(or_(row.state == EffectState.UNCERTAIN, lost))
        .order_by(row.claimed_at, row.key)
        .limit(MOST)
    )
    return [
        Finding(
            Trouble.UNCERTAIN_EFFECT,
            each.key,
            each.customer_id,
            each.name,
            f"Nobody knows whether this {each.kind} happened{f': {each.error}' if each.error else ''}.",
            each.claimed_at,
            is_wall=True,
        )
        for each in (await session.execute(query)).all()
    ]


async def _unheard(session: AsyncSession, wall: WallInstant) -> list[Finding]:
    row = OutboxRow
    first = func.min(row.created_at)
    query = (
        select(row.customer_id, CustomerRow.name, func.count(), first)
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .where(row.consumed_at.is_(None), row.created_at < wall - WALL_GRACE, is_pressing())
        .group_by(row.customer_id, CustomerRow.name)
        .order_by(first, row.customer_id)
        .limit(MOST)
    )
    return [
        Finding(
            Trouble.UNHEARD_NOTICE,
            str(customer),
            customer,
            name,
            f"{count} {'notice waits' if count == 1 else 'notices wait'} to be heard by its workflow.",
            since,
            is_wall=True,
        )
        for customer, name, count, since in (await session.execute(query)).all()
    ]


async def _look(session: AsyncSession) -> Look | None:
    row = WorkflowLookRow
    found = (await session.execute(select(row.wall_at, row.looked_at, row.problem))).one_or_none()
    return Look(*found) if found is not None else None
