"""One case as its page shows it, and the cases of one customer."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import FinalAction
from domain.case_holds import PersonsHold, hold_in
from domain.case_vocabulary import AttemptResult, CaseKind, CaseOutcome, CaseState, PaidBy
from domain.errors import NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import StepState, TaskOutcome, TaskState, TouchpointState
from models.tables.cases import CaseRow, CaseStepRow, DunningRow, PaymentAttemptRow, WinBackRow
from models.tables.customers import ContactRow
from models.tables.data import SourceRow
from models.tables.facts import InvoiceRow
from models.tables.ledger import TouchpointRow
from models.tables.people import UserRow
from models.tables.work import TaskRow
from models.views.dunning import DunningCard, card_query
from models.views.win_backs import WinBackLine, line_query


@dataclass(frozen=True)
class AttemptLine:
    """One attempt to collect. Of the card nothing is stored but its brand."""

    number: int
    by: PaidBy
    card_brand: str
    amount_minor: int
    currency: str
    result: AttemptResult
    decline_code: str | None
    advice_code: str | None
    made_at: BusinessInstant


@dataclass(frozen=True)
class CaseStepLine:
    """One letter or deed, with what became of the letter once it had left."""

    step: str
    occurrence: int
    kind: str
    state: StepState
    reason: str | None
    due_at: BusinessInstant | None
    started_at: BusinessInstant
    finished_at: BusinessInstant | None
    subject: str | None
    contact: str | None
    touch: TouchpointState | None


@dataclass(frozen=True)
class CaseTask:
    """What a person was asked about it."""

    id: uuid.UUID
    title: str
    state: TaskState
    assignee: str | None
    created_at: BusinessInstant
    due_at: BusinessInstant
    outcome: TaskOutcome | None
    note: str | None


@dataclass(frozen=True)
class CaseHead:
    """What every case has, beside what is of its kind."""

    id: uuid.UUID
    kind: CaseKind
    workflow_id: str
    memory: Mapping[str, Any]
    outcome_reason: str | None

    @property
    def hold(self) -> PersonsHold | None:
        """The hold of a person."""
        return hold_in(self.memory)


@dataclass(frozen=True)
class InvoiceOfCase:
    """The invoice as it was last told, and how it is collected."""

    issued_at: BusinessInstant
    status: str
    amount_due_minor: int
    amount_paid_minor: int
    paid_at: BusinessInstant | None
    source: str
    anchored_at: BusinessInstant
    final_action: FinalAction


@dataclass(frozen=True)
class CasePage:
    """One case with everything that was done for it."""

    head: CaseHead
    steps: tuple[CaseStepLine, ...]
    tasks: tuple[CaseTask, ...]


@dataclass(frozen=True)
class CaseOfCustomer:
    """One case as the page of its customer shows it. Money is what is owed, or ARR that was lost."""

    id: uuid.UUID
    kind: CaseKind
    state: CaseState
    stage: str
    held_reason: str | None
    next_action: str | None
    expected_wake_at: BusinessInstant | None
    opened_at: BusinessInstant
    ended_at: BusinessInstant | None
    outcome: CaseOutcome | None
    outcome_reason: str | None
    minor: int
    currency: str
    is_held_out: bool


async def load_case_page(session: AsyncSession, case_id: uuid.UUID) -> CasePage:
    """Return what every case has, in three queries; raises NotFoundError."""
    columns = (CaseRow.id, CaseRow.kind, CaseRow.workflow_id, CaseRow.memory, CaseRow.outcome_reason)
    head = (await session.execute(select(*columns).where(CaseRow.id == case_id))).one_or_none()
    if head is None:
        raise NotFoundError(what="case", key=case_id)
    return CasePage(CaseHead(*head), await _steps(session, case_id), await _tasks(session, case_id))


async def load_dunning_case(
    session: AsyncSession, case_id: uuid.UUID
) -> tuple[DunningCard, InvoiceOfCase, Sequence[AttemptLine]]:
    """Return the card of a case, its invoice, and the attempts at it, whoever made them."""
    card = (await session.execute(card_query().where(CaseRow.id == case_id))).mappings().one()
    columns = (
        InvoiceRow.issued_at,
        InvoiceRow.status,
        InvoiceRow.amount_due_minor,
        InvoiceRow.amount_paid_minor,
        InvoiceRow.paid_at,
        SourceRow.name,
        DunningRow.anchored_at,
        DunningRow.final_action,
    )
    query = (
        select(*columns)
        .join(DunningRow, DunningRow.invoice_id == InvoiceRow.id)
        .join(SourceRow, SourceRow.id == DunningRow.source_id)
        .where(DunningRow.case_id == case_id)
    )
    invoice = InvoiceOfCase(*(await session.execute(query)).one())
    return DunningCard(**card), invoice, await _attempts(session, case_id)


async def load_win_back_case(session: AsyncSession, case_id: uuid.UUID) -> WinBackLine:
    """Return the line of a case."""
    return WinBackLine(**(await session.execute(line_query().where(CaseRow.id == case_id))).mappings().one())


async def _attempts(session: AsyncSession, case_id: uuid.UUID) -> tuple[AttemptLine, ...]:
    row = PaymentAttemptRow
    invoice = select(DunningRow.invoice_id).where(DunningRow.case_id == case_id).scalar_subquery()
    query = select(
        row.number,
        row.by,
        row.card_brand,
        row.amount_minor,
        row.currency,
        row.result,
        row.decline_code,
        row.advice_code,
        row.made_at,
    ).where(row.invoice_id == invoice)
    return tuple(AttemptLine(*each) for each in await session.execute(query.order_by(row.made_at, row.id)))


async def _steps(session: AsyncSession, case_id: uuid.UUID) -> tuple[CaseStepLine, ...]:
    row, touch = CaseStepRow, TouchpointRow
    origin = func.concat("case/", row.case_id, "/", row.step, "/", row.occurrence, "/")
    letter = (touch.case_id == row.case_id) & func.starts_with(touch.effect_key, origin)
    query = (
        select(
            row.step,
            row.occurrence,
            row.kind,
            row.state,
            row.reason,
            row.due_at,
            row.started_at,
            row.finished_at,
            touch.subject,
            ContactRow.name,
            touch.state,
        )
        .outerjoin(touch, letter)
        .outerjoin(ContactRow, ContactRow.id == touch.contact_id)
        .where(row.case_id == case_id)
        .order_by(row.started_at, row.step, row.occurrence, touch.id)
    )
    return tuple(CaseStepLine(*each) for each in await session.execute(query))


async def _tasks(session: AsyncSession, case_id: uuid.UUID) -> tuple[CaseTask, ...]:
    row = TaskRow
    columns = (row.id, row.title, row.state, UserRow.name, row.created_at, row.due_at, row.outcome, row.note)
    query = select(*columns).outerjoin(UserRow, UserRow.id == row.assignee_id).where(row.case_id == case_id)
    return tuple(CaseTask(*each) for each in await session.execute(query.order_by(row.created_at, row.id)))


async def load_cases_of(session: AsyncSession, customer_id: uuid.UUID) -> tuple[CaseOfCustomer, ...]:
    """Return the cases of a customer, open ones first, then the newest."""
    row = CaseRow
    query: Any = (
        select(
            row.id,
            row.kind,
            row.state,
            row.stage,
            row.held_reason,
            row.next_action,
            row.expected_wake_at,
            row.opened_at,
            row.ended_at,
            row.outcome,
            row.outcome_reason,
            func.coalesce(DunningRow.remaining_minor, WinBackRow.lost_arr_minor, 0),
            func.coalesce(DunningRow.currency, WinBackRow.currency, ""),
            func.coalesce(WinBackRow.is_held_out, False),
        )
        .outerjoin(DunningRow, DunningRow.case_id == row.id)
        .outerjoin(WinBackRow, WinBackRow.case_id == row.id)
        .where(row.customer_id == customer_id)
        .order_by(row.state == CaseState.ENDED, row.opened_at.desc(), row.id)
    )
    return tuple(CaseOfCustomer(*each) for each in await session.execute(query))
