"""What the demo's people see: e-mails that reached a customer, and tasks that wait for one of ours."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseKind
from domain.time import BusinessInstant
from domain.vocabulary import EffectState, TaskState
from models.demo_report import OUR_MAIL
from models.tables.cases import CaseRow
from models.tables.customers import ContactRow, CustomerRow
from models.tables.ledger import EffectRow, TouchpointRow
from models.tables.playbooks import InterventionRow
from models.tables.work import TaskRow


@dataclass(frozen=True)
class ReceivedMail:
    """One e-mail of ours that a provider has taken."""

    touchpoint_id: uuid.UUID
    delivery_id: str
    customer: str
    contact: str | None
    subject: str | None
    occurred_at: BusinessInstant
    template: str | None
    case: CaseKind | None
    """Of a letter of a case, what it is about."""


@dataclass(frozen=True)
class WaitingTask:
    """One open task."""

    id: uuid.UUID
    effect_key: str
    customer: str
    kind: str
    playbook_key: str | None
    assignee_id: uuid.UUID | None
    created_at: BusinessInstant

    @property
    def is_executive(self) -> bool:
        """An executive speaks with the customer."""
        return "executive" in f"{self.kind} {self.playbook_key}"


async def received_mails(session: AsyncSession, since: BusinessInstant) -> Sequence[ReceivedMail]:
    """Return what was sent since an instant, in order."""
    taken = (EffectRow.key == TouchpointRow.effect_key) & EffectRow.state.in_(
        (EffectState.SENT, EffectState.CONFIRMED)
    )
    query = (
        select(
            TouchpointRow.id,
            EffectRow.delivery_id,
            CustomerRow.external_id,
            ContactRow.external_id,
            TouchpointRow.subject,
            TouchpointRow.occurred_at,
            TouchpointRow.template,
            CaseRow.kind,
        )
        .join(EffectRow, taken)
        .join(CustomerRow, CustomerRow.id == TouchpointRow.customer_id)
        .outerjoin(ContactRow, ContactRow.id == TouchpointRow.contact_id)
        .outerjoin(CaseRow, CaseRow.id == TouchpointRow.case_id)
        .where(*OUR_MAIL, TouchpointRow.occurred_at >= since)
        .order_by(TouchpointRow.occurred_at, TouchpointRow.id)
    )
    return [ReceivedMail(*row) for row in await session.execute(query)]


async def waiting_tasks(session: AsyncSession) -> Sequence[WaitingTask]:
    """Return the open tasks, oldest first."""
    query = (
        select(
            TaskRow.id,
            TaskRow.effect_key,
            CustomerRow.external_id,
            TaskRow.kind,
            InterventionRow.playbook_key,
            TaskRow.assignee_id,
            TaskRow.created_at,
        )
        .join(CustomerRow, CustomerRow.id == TaskRow.customer_id)
        .outerjoin(InterventionRow, InterventionRow.id == TaskRow.intervention_id)
        .where(TaskRow.state == TaskState.OPEN)
        .order_by(TaskRow.created_at, TaskRow.id)
    )
    return [WaitingTask(*row) for row in await session.execute(query)]
