"""A customer's story: facts, signals, decisions, e-mails, tasks and runs in one line of time."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Text, Uuid, and_, cast, func, literal, null, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import AttemptResult
from domain.time import BusinessInstant
from domain.vocabulary import InterventionState, TaskState
from models.tables.cases import CaseRow, PaymentAttemptRow
from models.tables.customers import ContactRow
from models.tables.facts import CancellationRow, InvoiceRow, MeetingRow, SubscriptionRow, SurveyRow, TicketRow
from models.tables.ledger import DecisionRow, TouchpointRow
from models.tables.playbooks import InterventionRow, PlaybookRow
from models.tables.scoring import AssessmentRow, SignalRow
from models.tables.work import TaskRow

PAGE_SIZE = 30


class EntryKind(StrEnum):
    """What a line is about: the filter of the timeline."""

    FACT = "fact"
    SIGNAL = "signal"
    CONTACT = "contact"
    DECISION = "decision"
    TASK = "task"
    RUN = "run"
    CASE = "case"
    ASSESSMENT = "assessment"


@dataclass(frozen=True)
class Entry:
    """One line. `what` says of which sort, `state` what became of it, `run_id` and `case_id` whose it is."""

    at: BusinessInstant
    kind: EntryKind
    what: str
    title: str
    state: str | None
    detail: str | None
    run_id: uuid.UUID | None
    case_id: uuid.UUID | None
    id: uuid.UUID


@dataclass(frozen=True)
class Timeline:
    """One page, newest first; `before` is the key of the page after it."""

    entries: tuple[Entry, ...]
    before: str | None


def _line(  # noqa: PLR0913  the columns of a line
    at: Any,
    kind: EntryKind,
    what: Any,
    title: Any,
    key: Any,
    *,
    state: Any = None,
    detail: Any = None,
    run: Any = None,
    case: Any = None,
) -> Any:
    texts = [cast(null() if each is None else each, Text) for each in (state, detail)]
    columns = (
        at.label("at"),
        literal(kind.value).label("kind"),
        cast(what, Text).label("what"),
        cast(title, Text).label("title"),
        texts[0].label("state"),
        texts[1].label("detail"),
        cast(null() if run is None else run, Uuid).label("run_id"),
        cast(null() if case is None else case, Uuid).label("case_id"),
        key.label("id"),
    )
    return select(*columns)


def _facts(customer_id: uuid.UUID, now: BusinessInstant) -> list[Any]:
    t, s, m, i, c, u = TicketRow, SurveyRow, MeetingRow, InvoiceRow, CancellationRow, SubscriptionRow
    subject = func.coalesce(t.subject, literal("Ticket"))
    owed = func.concat(i.amount_due_minor, " ", i.currency)
    told: list[tuple[Any, Any, Any, Any, Any, Any]] = [
        (t, t.opened_at, literal("ticket_opened"), subject, t.priority, None),
        (t, t.resolved_at, literal("ticket_resolved"), subject, None, None),
        (s, s.responded_at, func.concat("survey_", s.kind), s.score, None, s.comment),
        (m, m.scheduled_at, func.concat("meeting_", m.kind), m.title, m.answer, None),
        (i, i.issued_at, literal("invoice_issued"), owed, i.status, i.number),
        (i, i.paid_at, literal("invoice_paid"), owed, None, i.number),
        (c, c.occurred_at, literal("cancelled"), c.reason, None, c.comment),
        (u, u.started_at, literal("subscription_started"), u.product, None, u.plan),
        (u, u.ended_at, literal("subscription_ended"), u.product, None, u.plan),
    ]
    return [
        _line(at, EntryKind.FACT, what, title, table.id, state=state, detail=detail).where(
            table.customer_id == customer_id, at <= now
        )
        for table, at, what, title, state, detail in told
    ]


def _signals(customer_id: uuid.UUID) -> list[Any]:
    row, kind = SignalRow, EntryKind.SIGNAL
    opened = _line(row.opened_at, kind, row.kind, row.title, row.id, state=row.severity)
    resolved = _line(row.resolved_at, kind, row.kind, row.title, row.id, state=literal("resolved"))
    mine = row.customer_id == customer_id
    return [opened.where(mine), resolved.where(mine, row.resolved_at.is_not(None))]


def _contacts(customer_id: uuid.UUID) -> list[Any]:
    row = TouchpointRow
    what = func.concat(row.channel, "_", row.direction)
    title = func.coalesce(row.subject, literal("Contact"))
    line = _line(
        row.occurred_at, EntryKind.CONTACT, what, title, row.id,
        state=row.state, detail=ContactRow.name, run=row.intervention_id, case=row.case_id,
    )  # fmt: skip
    joined = line.select_from(row).outerjoin(ContactRow, ContactRow.id == row.contact_id)
    return [joined.where(row.customer_id == customer_id)]


def _work(customer_id: uuid.UUID) -> list[Any]:
    task, decision = TaskRow, DecisionRow
    created = _line(
        task.created_at, EntryKind.TASK, literal("task_created"), task.title, task.id,
        state=task.state, run=task.intervention_id, case=task.case_id,
    )  # fmt: skip
    closed = _line(
        task.closed_at, EntryKind.TASK, literal("task_closed"), task.title, task.id,
        state=func.coalesce(task.outcome, task.state), detail=task.note,
        run=task.intervention_id, case=task.case_id,
    )  # fmt: skip
    decided = _line(
        decision.decided_at, EntryKind.DECISION, func.concat(decision.action, " ", decision.subject),
        decision.sentence, decision.id,
        state=decision.kind, detail=decision.reason,
        run=decision.intervention_id, case=decision.case_id,
    )  # fmt: skip
    return [
        created.where(task.customer_id == customer_id),
        closed.where(task.customer_id == customer_id, task.state.in_((TaskState.DONE, TaskState.CANCELLED))),
        decided.where(decision.customer_id == customer_id),
    ]


def _runs(customer_id: uuid.UUID) -> list[Any]:
    run, book, verdict = InterventionRow, PlaybookRow, AssessmentRow
    began = func.coalesce(run.started_at, run.planned_at)
    what = func.replace(run.state, InterventionState.ENDED.value, InterventionState.RUNNING.value)
    started = _line(began, EntryKind.RUN, what, book.name, run.id, run=run.id)
    ended = _line(
        run.ended_at, EntryKind.RUN, literal("ended"), book.name, run.id,
        state=run.outcome, detail=run.outcome_reason, run=run.id,
    )  # fmt: skip
    assessed = _line(
        verdict.assessed_at, EntryKind.ASSESSMENT, literal("assessed"), verdict.reason, verdict.id,
        state=verdict.health_status,
    )  # fmt: skip
    mine = run.customer_id == customer_id
    return [
        started.select_from(run).join(book, book.key == run.playbook_key).where(mine),
        ended.select_from(run)
        .join(book, book.key == run.playbook_key)
        .where(mine, run.ended_at.is_not(None)),
        assessed.where(verdict.customer_id == customer_id),
    ]


def _cases(customer_id: uuid.UUID) -> list[Any]:
    row, attempt, invoice = CaseRow, PaymentAttemptRow, InvoiceRow
    begun = _line(row.opened_at, EntryKind.CASE, literal("case_opened"), row.kind, row.id, case=row.id)
    ended = _line(
        row.ended_at, EntryKind.CASE, literal("case_ended"), row.kind, row.id,
        state=row.outcome, detail=row.outcome_reason, case=row.id,
    )  # fmt: skip
    amount = func.concat(attempt.amount_minor, " ", attempt.currency)
    what = func.concat("payment_by_", attempt.by)
    tried = _line(
        attempt.made_at, EntryKind.CASE, what, amount, attempt.id,
        state=attempt.result, detail=attempt.decline_code, case=attempt.case_id,
    )  # fmt: skip
    mine = row.customer_id == customer_id
    return [
        begun.where(mine),
        ended.where(mine, row.ended_at.is_not(None)),
        tried.select_from(attempt)
        .join(invoice, invoice.id == attempt.invoice_id)
        .where(invoice.customer_id == customer_id, attempt.result != AttemptResult.NOT_MADE),
    ]


def _parts(customer_id: uuid.UUID, kinds: Sequence[EntryKind], now: BusinessInstant) -> list[Any]:
    work, runs = _work(customer_id), _runs(customer_id)
    parts = {
        EntryKind.FACT: _facts(customer_id, now),
        EntryKind.SIGNAL: _signals(customer_id),
        EntryKind.CONTACT: _contacts(customer_id),
        EntryKind.DECISION: work[2:],
        EntryKind.TASK: work[:2],
        EntryKind.RUN: runs[:2],
        EntryKind.CASE: _cases(customer_id),
        EntryKind.ASSESSMENT: runs[2:],
    }
    return [part for kind in (kinds or tuple(EntryKind)) for part in parts[kind]]


def key_of(entry: Entry) -> str:
    """Return the key from which the next page goes on."""
    return f"{entry.at.isoformat()}~{entry.id}"


def _older(lines: Any, before: str | None) -> ColumnElement[bool] | None:
    if before is None:
        return None
    text, _, last = before.partition("~")
    try:
        at, key = BusinessInstant(_parsed(text)), uuid.UUID(last)
    except ValueError:
        return None
    return or_(lines.c.at < at, and_(lines.c.at == at, lines.c.id < key))


def _parsed(text: str) -> dt.datetime:
    value = dt.datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError(text)
    return value


async def load_timeline(
    session: AsyncSession,
    customer_id: uuid.UUID,
    kinds: Sequence[EntryKind],
    before: str | None,
    now: BusinessInstant,
) -> Timeline:
    """Return one page of the story in one query, newest first."""
    lines = union_all(*_parts(customer_id, kinds, now)).subquery("lines")
    query = select(lines).order_by(lines.c.at.desc(), lines.c.id.desc()).limit(PAGE_SIZE + 1)
    older = _older(lines, before)
    rows = (await session.execute(query if older is None else query.where(older))).all()
    entries = tuple(Entry(row.at, EntryKind(row.kind), *row[2:]) for row in rows[:PAGE_SIZE])
    return Timeline(entries, key_of(entries[-1]) if len(rows) > PAGE_SIZE else None)
