"""What clients sent through the tracking API, and who their users and groups turned out to be."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant, WallInstant
from models.tables.base import Base


class TrackingBatchRow(Base):
    """What one transaction of the tracking API stored; the second stage takes batches, each exactly once.

    Marking batches instead of keeping a cursor over events is what makes a batch that commits late safe.
    """

    __tablename__ = "tracking_batches"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    received_at: Mapped[WallInstant]
    events: Mapped[int]
    processed_at: Mapped[WallInstant | None]

    __table_args__ = (
        Index("ix_tracking_batches_waiting", "id", postgresql_where=text("processed_at IS NULL")),
    )


class TrackedSeenRow(Base):
    """Which messages have arrived: unpartitioned, since a key over partitions cannot be unique."""

    __tablename__ = "tracked_seen"
    source_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    received_on: Mapped[dt.date]


class TrackedEventRow(Base):
    """One message as the client sent it, partitioned by the day it was received.

    Its keys are the source's own ids (userId, anonymousId, groupId); who they are is decided later, and
    again when we learn better. `occurred_at` is corrected for the client's clock.
    """

    __tablename__ = "tracked_events"
    received_at: Mapped[WallInstant] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source_id: Mapped[str]
    message_id: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str | None]
    user_key: Mapped[str | None]
    anonymous_key: Mapped[str | None]
    group_key: Mapped[str | None]
    occurred_at: Mapped[BusinessInstant]
    known_at: Mapped[BusinessInstant]
    properties: Mapped[dict[str, Any] | None]

    __table_args__ = ({"postgresql_partition_by": "RANGE (received_at)"},)


class HeldEventRow(Base):
    """A tracked event that nobody can be named for yet; it waits here until somebody can."""

    __tablename__ = "held_events"
    received_at: Mapped[WallInstant] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    reason: Mapped[str]
    """unknown_group, unknown_user, no_group or ambiguous_group."""
    user_key: Mapped[str | None]
    anonymous_key: Mapped[str | None]
    group_key: Mapped[str | None]
    name: Mapped[str | None]
    occurred_at: Mapped[BusinessInstant]

    __table_args__ = (
        Index("ix_held_events_source_id_group_key", "source_id", "group_key"),
        Index("ix_held_events_source_id_user_key", "source_id", "user_key"),
        Index("ix_held_events_source_id_anonymous_key", "source_id", "anonymous_key"),
    )


class IdentityRow(Base):
    """Who a source's key stands for: a user or an anonymous visitor is a contact, a group a customer."""

    __tablename__ = "identities"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    kind: Mapped[str]
    key: Mapped[str]
    contact_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("contacts.id"), index=True)
    customer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    since: Mapped[BusinessInstant]
    until: Mapped[BusinessInstant | None]
    made_by: Mapped[str]
    """call (a client said so), match (by id, domain or e-mail), or the id of the user who linked it."""

    __table_args__ = (
        Index(
            "uq_identities_current",
            "source_id",
            "kind",
            "key",
            unique=True,
            postgresql_where=text("until IS NULL"),
        ),
    )


class TrackedTraitRow(Base):
    """What a source last said of one of its users or groups, until it can become a contact or a customer."""

    __tablename__ = "tracked_traits"
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    traits: Mapped[dict[str, Any]]
    group_key: Mapped[str | None]
    """Of a user: the group that it was last put into."""
    stands_for: Mapped[str | None]
    """Of an anonymous visitor or a former id: the user that it turned out to be."""
    is_news: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Something was learnt of this key, so that held events of it may now belong to somebody."""
    told_at: Mapped[BusinessInstant]

    __table_args__ = (
        Index("ix_tracked_traits_source_id_group_key", "source_id", "group_key"),
        Index("ix_tracked_traits_source_id_stands_for", "source_id", "stands_for"),
        Index("ix_tracked_traits_news", "source_id", "kind", "key", postgresql_where=text("is_news")),
    )


class SeenEventRow(Base):
    """What a source's events look like: names, properties with their types, how many and when."""

    __tablename__ = "seen_events"
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[int]
    first_at: Mapped[BusinessInstant]
    last_at: Mapped[BusinessInstant]
    properties: Mapped[dict[str, Any]]
    """Per property: the JSON types seen, and one example without personal data."""


class MetricRow(Base):
    """How the uses of a feature add up: a counter by its sum, a gauge (seats, storage) by last and most."""

    __tablename__ = "metrics"
    feature: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    unit: Mapped[str | None]
    description: Mapped[str | None]
    property: Mapped[str | None]
    """The property of the event that holds the quantity; none counts events."""


class UsageContactDailyRow(Base):
    """Usage per contact, customer, day and feature, beside the sums per customer in usage_daily."""

    __tablename__ = "usage_contact_daily"
    contact_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("contacts.id"), primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    feature: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[int]
    quantity: Mapped[float]

    __table_args__ = (
        Index("ix_usage_contact_daily_customer_id_day_feature", "customer_id", "day", "feature"),
    )


class UsageWindowRow(Base):
    """Rolling sums of the last 7, 28 and 90 days up to and with `as_of`, kept as facts arrive and days pass.

    Of a gauge: its last value, and the most within each window.
    """

    __tablename__ = "usage_windows"
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    feature: Mapped[str] = mapped_column(primary_key=True)
    as_of: Mapped[dt.date]
    events_7: Mapped[int]
    events_28: Mapped[int]
    events_90: Mapped[int]
    value_7: Mapped[float]
    value_28: Mapped[float]
    value_90: Mapped[float]
    days_7: Mapped[int]
    days_28: Mapped[int]
    days_90: Mapped[int]
    last_value: Mapped[float | None]

    __table_args__ = (Index("ix_usage_windows_as_of", "as_of"),)


class RescoreRow(Base):
    """A customer whose facts changed since it was scored; written with the facts, taken by the scorer."""

    __tablename__ = "rescore_queue"
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    asked_at: Mapped[WallInstant]
    reason: Mapped[str]

    __table_args__ = (Index("ix_rescore_queue_asked_at", "asked_at"),)


class SourceDayRow(Base):
    """How much a source told on one day of receipt: the rows per day of the data page."""

    __tablename__ = "source_days"
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    received: Mapped[int]
    stored: Mapped[int]
    duplicates: Mapped[int]
    quarantined: Mapped[int]
