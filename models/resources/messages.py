"""The message log: every e-mail that left or was meant to, what waits, and what was not sent."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from domain.errors import NotFoundError
from domain.message_log import MESSAGE_ACTION
from domain.vocabulary import Channel, DecisionKind, Direction, Purpose, StepState, TouchpointState
from models.database import Session
from models.reactions import by_programs_of
from models.resources.keyset import Order, Row, Slice, only, read_row, read_rows, read_slice
from models.tables.customers import ContactRow, CustomerRow
from models.tables.ledger import DecisionRow, EffectRow, ProviderEventRow, TouchpointRow
from models.tables.playbooks import InterventionRow, InterventionStepRow

MOST = 200
SENDING_STEPS = ("send_email", "schedule_meeting")
Column = InstrumentedAttribute[Any]


@dataclass(frozen=True)
class MessageFilter:
    """What to look for. `search` is a part of a customer, person, subject, template or playbook."""

    search: str = ""
    states: Sequence[TouchpointState] = ()
    purposes: Sequence[Purpose] = ()
    customer_id: uuid.UUID | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


_SENT = (
    select(
        TouchpointRow.id,
        TouchpointRow.customer_id,
        CustomerRow.name.label("customer"),
        TouchpointRow.contact_id,
        ContactRow.name.label("contact"),
        ContactRow.email.label("email"),
        TouchpointRow.intervention_id,
        TouchpointRow.case_id,
        InterventionRow.playbook_key,
        TouchpointRow.source_id,
        TouchpointRow.effect_key,
        TouchpointRow.subject,
        TouchpointRow.template,
        TouchpointRow.purpose,
        TouchpointRow.state,
        TouchpointRow.occurred_at,
        EffectRow.delivery_id,
        EffectRow.state.label("effect_state"),
        EffectRow.provider,
        EffectRow.attempts,
        EffectRow.error,
    )
    .join(CustomerRow, CustomerRow.id == TouchpointRow.customer_id)
    .outerjoin(ContactRow, ContactRow.id == TouchpointRow.contact_id)
    .outerjoin(InterventionRow, InterventionRow.id == TouchpointRow.intervention_id)
    .outerjoin(EffectRow, EffectRow.key == TouchpointRow.effect_key)
    .where(TouchpointRow.direction == Direction.OUT, TouchpointRow.channel == Channel.EMAIL)
)


async def list_messages(session: Session, wanted: MessageFilter, cursor: str | None, limit: int) -> Slice:
    """Return messages that were claimed, by us or by other systems, the latest first."""
    row = TouchpointRow
    query = _SENT.where(
        *only(
            state=(row.state.expression, list(wanted.states)),
            purpose=(row.purpose.expression, list(wanted.purposes)),
            customer=(row.customer_id.expression, wanted.customer_id),
        ),
        *_between(row.occurred_at, wanted),
    )
    told = (CustomerRow.name, ContactRow.name, ContactRow.email, row.subject, row.template)
    order = Order("occurred_at", row.occurred_at.expression, row.id.expression, descending=True)
    return await read_slice(session, _searched(query, wanted, told), order, cursor, limit)


async def list_not_sent(session: Session, wanted: MessageFilter, cursor: str | None, limit: int) -> Slice:
    """Return what was put off or refused, the latest first, in the words of the decision ledger."""
    row = DecisionRow
    query = (
        select(
            row.id,
            row.customer_id,
            CustomerRow.name.label("customer"),
            row.intervention_id,
            row.case_id,
            row.subject.label("playbook_key"),
            row.evidence["step"].astext.label("step_id"),
            row.kind,
            row.reason,
            row.sentence,
            row.decided_at,
        )
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .where(
            row.action == MESSAGE_ACTION,
            row.kind.in_([DecisionKind.REFUSAL, DecisionKind.DEFERRAL]),
            *only(customer=(row.customer_id.expression, wanted.customer_id)),
            *_between(row.decided_at, wanted),
        )
    )
    told = (CustomerRow.name, row.subject, row.reason, row.sentence)
    order = Order("decided_at", row.decided_at.expression, row.id.expression, descending=True)
    return await read_slice(session, _searched(query, wanted, told), order, cursor, limit)


async def list_late(session: Session, wanted: MessageFilter, cursor: str | None, limit: int) -> Slice:
    """Return messages that wait now, those that are due first."""
    row = InterventionStepRow
    query = (
        select(
            row.id,
            InterventionRow.customer_id,
            CustomerRow.name.label("customer"),
            row.intervention_id,
            InterventionRow.playbook_key,
            row.step_id,
            row.reason,
            row.started_at,
            row.due_at,
        )
        .join(InterventionRow, InterventionRow.id == row.intervention_id)
        .join(CustomerRow, CustomerRow.id == InterventionRow.customer_id)
        .where(
            row.state == StepState.DEFERRED,
            row.kind.in_(SENDING_STEPS),
            row.due_at.is_not(None),
            *only(customer=(InterventionRow.customer_id.expression, wanted.customer_id)),
        )
    )
    told = (CustomerRow.name, InterventionRow.playbook_key, row.step_id, row.reason)
    order = Order("due_at", row.due_at.expression, row.id.expression)
    return await read_slice(session, _searched(query, wanted, told), order, cursor, limit)


async def load_message(session: Session, message_id: uuid.UUID) -> Row:
    """Return one message; raises NotFoundError."""
    found = await read_row(session, _SENT.where(TouchpointRow.id == message_id))
    if found is None:
        raise NotFoundError(what="message", key=message_id)
    return found


async def load_events(session: Session, delivery_id: str | None) -> list[Row]:
    """Return what the provider told of a message, in the order in which it happened there."""
    row = ProviderEventRow
    at = row.body["occurred_at"].astext
    query = select(
        row.event_id,
        row.kind,
        at.label("occurred_at"),
        row.body["reason"].astext.label("reason"),
        row.body["url"].astext.label("url"),
    ).where(row.delivery_id == delivery_id)
    if delivery_id is None:
        return []
    rows = await read_rows(session, query.order_by(at, row.event_id).limit(MOST))
    programs = await by_programs_of(session, delivery_id)
    return [
        {
            **each,
            "occurred_at": dt.datetime.fromisoformat(each["occurred_at"]),
            "is_machine": each["event_id"] in programs,
        }
        for each in rows
    ]


async def load_reasons_of(session: Session, message: Row) -> list[Row]:
    """Return the decisions that led to a message: what began its run, and all about its own step."""
    row = DecisionRow
    if message["intervention_id"] is None and message["case_id"] is None:
        return []
    origin = (
        row.intervention_id == message["intervention_id"]
        if message["intervention_id"] is not None
        else row.case_id == message["case_id"]
    )
    parts = str(message["effect_key"] or "").split("/")
    step = row.evidence["step"].astext
    about = step.is_(None) if len(parts) < 4 else or_(step.is_(None), step == parts[1])  # noqa: PLR2004 - a key's parts
    query = select(row.id, row.decided_at, row.kind, row.action, row.subject, row.reason, row.sentence).where(
        origin, about, row.decided_at <= message["occurred_at"] + dt.timedelta(days=1)
    )
    return await read_rows(session, query.order_by(row.decided_at, row.id).limit(MOST))


def _between(at: Column, wanted: MessageFilter) -> list[ColumnElement[bool]]:
    bounds = [at >= wanted.since] if wanted.since is not None else []
    return [*bounds, at < wanted.until] if wanted.until is not None else bounds


def _searched(
    query: Select[*tuple[Any, ...]], wanted: MessageFilter, columns: Sequence[Column]
) -> Select[*tuple[Any, ...]]:
    """Ask that every word be a part of one of the columns."""
    for word in wanted.search.split():
        query = query.where(or_(*(each.icontains(word, autoescape=True) for each in columns)))
    return query
