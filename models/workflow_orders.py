"""Orders to workflows: written with what they belong to, carried out by the relay, which knows Temporal."""

import uuid
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import WallInstant
from domain.vocabulary import InterventionState, Motion, WorkflowAction
from models.tables.playbooks import InterventionRow, LifecycleRow, PlaybookRow
from models.tables.workflows import WorkflowFaultRow, WorkflowOrderRow

CHANNEL = "everstay_orders"
AT_ONCE = 100


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

    @property
    def workflow_id(self) -> str:
        """The workflow that it is for."""
        return workflow_of(self.customer_id, self.intervention_id)


def workflow_of(customer_id: uuid.UUID, intervention_id: uuid.UUID | None) -> str:
    """Return the id of a run's workflow, or of the customer's own."""
    return f"intervention/{intervention_id}" if intervention_id else f"customer/{customer_id}"


async def order_workflow(
    session: AsyncSession,
    action: WorkflowAction,
    customer_id: uuid.UUID,
    intervention_id: uuid.UUID | None,
    wall: WallInstant,
) -> uuid.UUID:
    """Write an order in this transaction and wake the relay when it commits."""
    order_id = uuid.uuid4()
    await session.execute(
        insert(WorkflowOrderRow).values(
            id=order_id,
            customer_id=customer_id,
            intervention_id=intervention_id,
            action=action,
            asked_at=wall,
        )
    )
    await session.execute(text(f"NOTIFY {CHANNEL}"))
    return order_id


async def open_orders(session: AsyncSession) -> list[WorkflowOrder]:
    """Return what is to be carried out, the oldest first. Carrying it out twice does no harm."""
    order, run, life = WorkflowOrderRow, InterventionRow, LifecycleRow
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
        )
        .outerjoin(run, run.id == order.intervention_id)
        .outerjoin(PlaybookRow, PlaybookRow.key == run.playbook_key)
        .outerjoin(life, life.customer_id == order.customer_id)
        .where(order.done_at.is_(None))
        .order_by(order.asked_at, order.id)
        .limit(AT_ONCE)
    )
    rows = (await session.execute(query)).all()
    return [
        WorkflowOrder(*row[:6], (row.decide_seq if row.intervention_id is None else row.advance_seq) or 0)
        for row in rows
    ]


async def finish_order(session: AsyncSession, order: WorkflowOrder, answer: str, wall: WallInstant) -> None:
    """Write what came of an order; what was wrong with the workflow is looked for anew."""
    row, fault = WorkflowOrderRow, WorkflowFaultRow
    await session.execute(update(row).where(row.id == order.id).values(done_at=wall, answer=answer[:500]))
    await session.execute(delete(fault).where(fault.workflow_id == order.workflow_id))
