"""Facts about customers. Append-only by source id; what is filled in later has its own known_at."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from domain.time import BusinessInstant, WallInstant
from models.tables.base import Base


class SourcedFact:
    """Key and provenance of a fact: same key and hash is a duplicate, other hash a conflict."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    external_id: Mapped[str]
    content_hash: Mapped[str]
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    known_at: Mapped[BusinessInstant]
    told_at: Mapped[BusinessInstant | None]
    """When we knew the newest of what was filled in or changed after the first telling."""
    received_at: Mapped[WallInstant]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805  a declared_attr gets the class
        """Make the source's own id unique within the source."""
        return (UniqueConstraint("source_id", "external_id"),)


class SubscriptionRow(SourcedFact, Base):
    """One paid (or trial) term of one product."""

    __tablename__ = "subscriptions"
    product: Mapped[str]
    plan: Mapped[str | None]
    status: Mapped[str]
    mrr_minor: Mapped[int]
    currency: Mapped[str]
    seats: Mapped[int | None]
    is_trial: Mapped[bool]
    auto_renew: Mapped[bool | None]
    discount: Mapped[float | None]
    billing_months: Mapped[int | None]
    started_at: Mapped[BusinessInstant]
    ended_at: Mapped[BusinessInstant | None]
    ended_known_at: Mapped[BusinessInstant | None]


class PlanLimitRow(Base):
    """What a plan allows: metric and ceiling, for one customer or (customer_id null) for all on the plan."""

    __tablename__ = "plan_limits"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    plan: Mapped[str]
    customer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    metric: Mapped[str]
    ceiling: Mapped[float]
    known_at: Mapped[BusinessInstant]

    __table_args__ = (UniqueConstraint("plan", "customer_id", "metric", postgresql_nulls_not_distinct=True),)


class TicketRow(SourcedFact, Base):
    """A support request with its service-level deadlines."""

    __tablename__ = "tickets"
    contact_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("contacts.id"))
    subject: Mapped[str | None]
    priority: Mapped[str]
    opened_at: Mapped[BusinessInstant] = mapped_column(index=True)
    first_response_due_at: Mapped[BusinessInstant | None]
    first_responded_at: Mapped[BusinessInstant | None]
    resolve_due_at: Mapped[BusinessInstant | None]
    resolved_at: Mapped[BusinessInstant | None]
    resolved_known_at: Mapped[BusinessInstant | None]
    reopened: Mapped[int] = mapped_column(default=0, server_default="0")
    escalated: Mapped[bool] = mapped_column(default=False, server_default="false")
    satisfaction: Mapped[float | None]
    satisfaction_known_at: Mapped[BusinessInstant | None]
    sentiment: Mapped[float | None]
    sentiment_by: Mapped[str | None]
    """Which model read it from the ticket's text; empty where the source told it."""


class SurveyRow(SourcedFact, Base):
    """An answer to NPS (0 to 10) or CSAT (1 to 5)."""

    __tablename__ = "surveys"
    contact_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("contacts.id"))
    kind: Mapped[str]
    score: Mapped[float]
    comment: Mapped[str | None]
    responded_at: Mapped[BusinessInstant]


class MeetingRow(SourcedFact, Base):
    """A meeting with the customer and the answer to its invitation."""

    __tablename__ = "meetings"
    kind: Mapped[str]
    title: Mapped[str]
    scheduled_at: Mapped[BusinessInstant]
    organiser_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    answer: Mapped[str | None]
    answered_at: Mapped[BusinessInstant | None]
    held_at: Mapped[BusinessInstant | None]
    cancelled_at: Mapped[BusinessInstant | None]


class GoalRow(SourcedFact, Base):
    """What the customer wants to reach with the product."""

    __tablename__ = "goals"
    title: Mapped[str]
    metric: Mapped[str | None]
    target: Mapped[float | None]
    due_on: Mapped[dt.date | None]
    progress: Mapped[float] = mapped_column(default=0.0, server_default="0")
    achieved_at: Mapped[BusinessInstant | None]


class InvoiceRow(SourcedFact, Base):
    """An invoice. Money is integer minor units plus currency; paid_at has its own known_at."""

    __tablename__ = "invoices"
    number: Mapped[str | None]
    currency: Mapped[str]
    amount_due_minor: Mapped[int]
    amount_paid_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    status: Mapped[str]
    issued_at: Mapped[BusinessInstant]
    due_at: Mapped[BusinessInstant]
    failed_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    paid_at: Mapped[BusinessInstant | None]
    paid_known_at: Mapped[BusinessInstant | None]


class CancellationRow(SourcedFact, Base):
    """The customer left (or, with `reactivated`, came back after leaving)."""

    __tablename__ = "cancellations"
    occurred_at: Mapped[BusinessInstant]
    reason: Mapped[str]
    comment: Mapped[str | None]
    involuntary: Mapped[bool]
    reactivated: Mapped[bool] = mapped_column(default=False, server_default="false")


class UsageSeenRow(Base):
    """Which usage facts have arrived: unpartitioned, since a key over partitions cannot be unique."""

    __tablename__ = "usage_seen"
    source_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    content_hash: Mapped[bytes]


class UsageEventRow(Base):
    """One usage fact, partitioned by the day it was received."""

    __tablename__ = "usage_events"
    received_at: Mapped[WallInstant] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID]
    contact_id: Mapped[uuid.UUID | None]
    feature: Mapped[str]
    quantity: Mapped[float]
    users: Mapped[int | None]
    value: Mapped[float | None]
    occurred_at: Mapped[BusinessInstant]
    known_at: Mapped[BusinessInstant]
    properties: Mapped[dict[str, Any] | None]

    __table_args__ = (
        Index("ix_usage_events_customer_id_occurred_at", "customer_id", "occurred_at"),
        {"postgresql_partition_by": "RANGE (received_at)"},
    )


class UsageDailyRow(Base):
    """Usage per customer, day and feature. `quantity` adds up; `users` is the most seen that day."""

    __tablename__ = "usage_daily"
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    feature: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[int]
    quantity: Mapped[float]
    users: Mapped[int | None]
    value: Mapped[float | None]
    last_value: Mapped[float | None]
    """Of a gauge: what it stood at last that day, and when; `most` is the highest of the day."""
    last_at: Mapped[BusinessInstant | None]
    most: Mapped[float | None]
    exact_quantity: Mapped[Decimal | None]
    exact_value: Mapped[Decimal | None]
    """The sums as decimals: equal whatever the order in which the day's events came."""

    __table_args__ = (Index("ix_usage_daily_day", "day"),)
