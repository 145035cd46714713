"""`/api/messages`: every e-mail, what became of it and why; what waits, and what was not sent."""

import datetime as dt
import uuid
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter

from api.guards import needs
from api.resources.pages import STATE, Cursor, Limit, Page, page_of
from api.resources.shapes import Shape
from domain.permissions import Permission
from domain.vocabulary import DecisionKind, EffectState, Purpose, TouchpointState
from models.database import Database
from models.resources.messages import (
    MessageFilter,
    list_late,
    list_messages,
    list_not_sent,
    load_events,
    load_message,
    load_reasons_of,
)

Search = Annotated[
    str, QueryParameter(max_length=200, description="Parts of customer, person, subject or template.")
]
CustomerId = Annotated[uuid.UUID | None, QueryParameter(name="customer", description="Of this customer.")]
Since = Annotated[dt.datetime | None, QueryParameter(description="At this time or later, with a zone.")]
Until = Annotated[dt.datetime | None, QueryParameter(description="Before this time, with a zone.")]


class Message(Shape):
    """One e-mail that was claimed. `source_id` says which system sent it; only ours have a delivery id."""

    id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    contact_id: uuid.UUID | None
    contact: str | None
    email: str | None
    intervention_id: uuid.UUID | None
    case_id: uuid.UUID | None
    playbook_key: str | None
    source_id: str
    subject: str | None
    template: str | None
    purpose: Purpose
    state: TouchpointState
    occurred_at: dt.datetime
    delivery_id: str | None
    effect_state: EffectState | None
    provider: str | None
    attempts: int | None
    error: str | None


class MessageEvent(Shape):
    """What the provider told. `is_machine`: a program did it, which says nothing of the person."""

    kind: str
    occurred_at: dt.datetime
    reason: str | None
    url: str | None
    is_machine: bool


class MessageReason(Shape):
    """One decision that led to the message."""

    id: uuid.UUID
    decided_at: dt.datetime
    kind: DecisionKind
    action: str
    subject: str
    reason: str
    sentence: str


class MessageDetail(Message):
    """One e-mail with its timeline and the decisions behind it."""

    events: list[MessageEvent]
    reasons: list[MessageReason]


class LateMessage(Shape):
    """A message that waits: until when, and why."""

    id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    intervention_id: uuid.UUID
    playbook_key: str
    step_id: str
    reason: str | None
    started_at: dt.datetime
    due_at: dt.datetime


class MessageNotSent(Shape):
    """A message that was put off or refused, in the ledger's words."""

    id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    intervention_id: uuid.UUID | None
    case_id: uuid.UUID | None
    playbook_key: str
    step_id: str | None
    kind: DecisionKind
    reason: str
    sentence: str
    decided_at: dt.datetime


def _wanted(
    search: Search = "",
    states: Annotated[list[TouchpointState] | None, STATE] = None,
    purposes: Annotated[
        list[Purpose] | None, QueryParameter(name="purpose", description="Of these purposes.")
    ] = None,
    customer_id: CustomerId = None,
    since: Since = None,
    until: Until = None,
) -> MessageFilter:
    return MessageFilter(search, states or (), purposes or (), customer_id, _zoned(since), _zoned(until))


class MessageController(Controller):
    """The message log."""

    path = "/messages"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["E-mail"]  # noqa: RUF012  as Litestar declares it

    @get("/", dependencies={"wanted": Provide(_wanted, sync_to_thread=False)})
    async def list_(
        self,
        database: NamedDependency[Database],
        wanted: NamedDependency[MessageFilter],
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[Message]:
        """List e-mails that were claimed, the latest first."""
        async with database.transaction() as session:
            return page_of(Message, await list_messages(session, wanted, cursor, limit))

    @get("/late")
    async def late(
        self,
        database: NamedDependency[Database],
        search: Search = "",
        customer_id: CustomerId = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[LateMessage]:
        """List messages that wait now, those that are due first."""
        wanted = MessageFilter(search, customer_id=customer_id)
        async with database.transaction() as session:
            return page_of(LateMessage, await list_late(session, wanted, cursor, limit))

    @get("/not-sent")
    async def not_sent(
        self,
        database: NamedDependency[Database],
        search: Search = "",
        customer_id: CustomerId = None,
        since: Since = None,
        until: Until = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[MessageNotSent]:
        """List messages that were put off or refused, the latest first."""
        wanted = MessageFilter(search, customer_id=customer_id, since=_zoned(since), until=_zoned(until))
        async with database.transaction() as session:
            return page_of(MessageNotSent, await list_not_sent(session, wanted, cursor, limit))

    @get("/{message_id:uuid}")
    async def show(
        self, message_id: FromPath[uuid.UUID], database: NamedDependency[Database]
    ) -> MessageDetail:
        """Return one e-mail, what the provider told of it, and why it was sent."""
        async with database.transaction() as session:
            found = await load_message(session, message_id)
            events = await load_events(session, found["delivery_id"])
            reasons = await load_reasons_of(session, found)
        return MessageDetail.model_validate({**found, "events": events, "reasons": reasons})


def _zoned(given: dt.datetime | None) -> dt.datetime | None:
    """Take a time without a zone as UTC."""
    return given.replace(tzinfo=dt.UTC) if given is not None and given.tzinfo is None else given
