"""One customer over time: everything that happened, and everything that was decided or refused."""

import uuid
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, String, cast, func, literal, select, union_all

from domain.vocabulary import DecisionKind
from models.database import Session
from models.resources.customers import check_customer
from models.resources.keyset import Order, Row, Slice, only, read_rows, read_slice
from models.tables.cases import CaseRow
from models.tables.facts import InvoiceRow, MeetingRow, SurveyRow, TicketRow
from models.tables.ledger import DecisionRow, TouchpointRow
from models.tables.playbooks import InterventionRow
from models.tables.scoring import AssessmentRow, SignalRow
from models.tables.work import TaskRow

_DECISION = select(
    DecisionRow.id,
    DecisionRow.customer_id,
    DecisionRow.intervention_id,
    DecisionRow.case_id,
    DecisionRow.decided_at,
    DecisionRow.kind,
    DecisionRow.action,
    DecisionRow.subject,
    DecisionRow.reason,
    DecisionRow.sentence,
    DecisionRow.evidence,
)


async def read_timeline(session: Session, customer_id: uuid.UUID, cursor: str | None, limit: int) -> Slice:
    """Return facts, signals, assessments, runs, tasks, contacts and decisions, the newest first."""
    await check_customer(session, customer_id)
    events = _events(customer_id).subquery("events")
    query = select(events.c.id, events.c.kind, events.c.at, events.c.title, events.c.state)
    return await read_slice(
        session, query, Order("at", events.c.at, events.c.id, descending=True), cursor, limit
    )


def _events(customer_id: uuid.UUID) -> CompoundSelect[Any]:
    run, verdict = InterventionRow, AssessmentRow
    kinds: list[tuple[str, Any, Any, Any, Any]] = [
        ("touchpoint", TouchpointRow, TouchpointRow.occurred_at, TouchpointRow.subject, TouchpointRow.state),
        ("decision", DecisionRow, DecisionRow.decided_at, DecisionRow.sentence, DecisionRow.kind),
        ("signal", SignalRow, SignalRow.opened_at, SignalRow.title, SignalRow.state),
        ("assessment", verdict, verdict.assessed_at, verdict.reason, verdict.health_status),
        ("intervention", run, run.planned_at, run.playbook_key, run.state),
        ("case", CaseRow, CaseRow.opened_at, CaseRow.kind, CaseRow.state),
        ("task", TaskRow, TaskRow.created_at, TaskRow.title, TaskRow.state),
        ("ticket", TicketRow, TicketRow.opened_at, TicketRow.subject, TicketRow.priority),
        ("survey", SurveyRow, SurveyRow.responded_at, SurveyRow.kind, cast(SurveyRow.score, String)),
        ("meeting", MeetingRow, MeetingRow.scheduled_at, MeetingRow.title, MeetingRow.answer),
        ("invoice", InvoiceRow, InvoiceRow.issued_at, InvoiceRow.number, InvoiceRow.status),
    ]  # fmt: skip
    return union_all(*(_event(customer_id, *each) for each in kinds))


def _event(customer_id: uuid.UUID, kind: str, table: Any, at: Any, title: Any, state: Any) -> Select[Any]:
    return select(
        table.id.label("id"),
        literal(kind).label("kind"),
        at.label("at"),
        func.coalesce(title, "").label("title"),
        cast(state, String).label("state"),
    ).where(table.customer_id == customer_id)


async def read_decisions(
    session: Session, customer_id: uuid.UUID, kind: DecisionKind | None, cursor: str | None, limit: int
) -> Slice:
    """Return why something was done, refused or put off, the newest first."""
    await check_customer(session, customer_id)
    about = DecisionRow.customer_id == customer_id
    return await _decisions(session, [about], kind, None, cursor, limit)


async def read_ledger(
    session: Session, kind: DecisionKind | None, reason: str | None, cursor: str | None, limit: int
) -> Slice:
    """Return the decisions of all customers, the newest first."""
    return await _decisions(session, [], kind, reason, cursor, limit)


async def decisions_of_case(session: Session, case_id: uuid.UUID) -> list[Row]:
    """Return everything that was decided of one case, in its order."""
    row = DecisionRow
    query = _DECISION.where(row.case_id == case_id).order_by(row.decided_at, row.id)
    return await read_rows(session, query)


async def _decisions(
    session: Session,
    conditions: list[ColumnElement[bool]],
    kind: DecisionKind | None,
    reason: str | None,
    cursor: str | None,
    limit: int,
) -> Slice:
    row = DecisionRow
    query = _DECISION.where(
        *conditions, *only(kind=(row.kind.expression, kind), reason=(row.reason.expression, reason))
    )
    order = Order("decided_at", DecisionRow.decided_at.expression, DecisionRow.id.expression, descending=True)
    return await read_slice(session, query, order, cursor, limit)
