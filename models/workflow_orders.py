"""Orders to workflows: written with what they belong to, carried out by the relay, which knows Temporal."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseKind, CaseState
from domain.time import WallInstant
from domain.vocabulary import InterventionState, Motion, WorkflowAction
from models.tables.cases import CaseRow
from models.tables.playbooks import InterventionRow, LifecycleRow, PlaybookRow
from models.tables.workflows import WorkflowFaultRow, WorkflowOrderRow

CHANNEL = "everstay_orders"
AT_ONCE = 100


@dataclass(frozen=True)
class CaseWorkflowOf:
    """What a start of a case's workflow needs."""

    id: uuid.UUID
    kind: CaseKind
    state: CaseState
    workflow_id: str


@dataclass(frozen=True)
class WorkflowOrder:
    """One order with what a start of the workflow needs."""

    id: uuid.UUID
    customer_id: uuid.UUID
    intervention_id: uuid.UUID | None
    action: WorkflowAction
    run_state: InterventionState | None
    motion: Motion | None
    seq: int
    """The last call that the database has an answer to: a workflow that starts anew counts on from it."""
    case: CaseWorkflowOf | None = None

    @property
    def workflow_id(self) -> str:
        """The workflow that it is for."""
        return self.case.workflow_id if self.case else workflow_of(self.customer_id, self.intervention_id)

    @property
    def is_over(self) -> bool:
        """Whether what the workflow was for has ended: it is rung, and not started again."""
        ended_case = self.case is not None and self.case.state is CaseState.ENDED
        return self.run_state is InterventionState.ENDED or ended_case


def workflow_of(customer_id: uuid.UUID, intervention_id: uuid.UUID | None) -> str:
    """Return the id of a run's workflow, or of the customer's own."""
    return f"intervention/{intervention_id}" if intervention_id else f"customer/{customer_id}"


async def order_workflow(
    session: AsyncSession,
    action: WorkflowAction,
    customer_id: uuid.UUID,
    intervention_id: uuid.UUID | None,
    wall: WallInstant,
    *,
    case_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Write an order in this transaction and wake the relay when it commits."""
    order_id = uuid.uuid4()
    await session.execute(
        insert(WorkflowOrderRow).values(
            id=order_id,
            customer_id=customer_id,
            intervention_id=intervention_id,
            case_id=case_id,
            action=action,
            asked_at=wall,
        )
    )
    await session.execute(text(f"NOTIFY {CHANNEL}"))
    return order_id


async def open_orders(session: AsyncSession) -> list[WorkflowOrder]:
    """Return what is to be carried out, the oldest first. Carrying it out twice does no harm."""
    order, run, life, case = WorkflowOrderRow, InterventionRow, LifecycleRow, CaseRow
    query = (
        select(
            order.id,
            order.customer_id,
            order.intervention_id,
            order.action,
            run.state,
            PlaybookRow.motion,
            run.advance_seq,
            life.decide_seq,
            case.id,
            case.kind,
            case.state,
            case.workflow_id,
            case.advance_seq,
        )
        .outerjoin(run, run.id == order.intervention_id)
        .outerjoin(PlaybookRow, PlaybookRow.key == run.playbook_key)
        .outerjoin(life, life.customer_id == order.customer_id)
        .outerjoin(case, case.id == order.case_id)
        .where(order.done_at.is_(None))
        .order_by(order.asked_at, order.id)
        .limit(AT_ONCE)
    )
    return [_order(row) for row in (await session.execute(query)).all()]


def _order(row: Any) -> WorkflowOrder:
    order_id, customer, run, action, run_state, motion, run_seq, customer_seq, *case, case_seq = row
    seq = case_seq if case[0] is not None else customer_seq if run is None else run_seq
    known = CaseWorkflowOf(*case) if case[0] is not None else None
    return WorkflowOrder(order_id, customer, run, action, run_state, motion, seq or 0, known)


async def finish_order(session: AsyncSession, order: WorkflowOrder, answer: str, wall: WallInstant) -> None:
    """Write what came of an order; what was wrong with the workflow is looked for anew."""
    row, fault = WorkflowOrderRow, WorkflowFaultRow
    await session.execute(update(row).where(row.id == order.id).values(done_at=wall, answer=answer[:500]))
    await session.execute(delete(fault).where(fault.workflow_id == order.workflow_id))
