"""Customers and the people who work there."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant
from domain.vocabulary import (
    CancellationReason,
    ContactRole,
    CustomerStatus,
    HealthStatus,
    Purpose,
    RiskTier,
    Segment,
    TouchTier,
)
from models.tables.base import Base


class CustomerRow(Base):
    """The paying company, subject of every run. The last block is the current state that lists read."""

    __tablename__ = "customers"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    external_id: Mapped[str]
    content_hash: Mapped[str]
    name: Mapped[str]
    domain: Mapped[str | None]
    industry: Mapped[str | None]
    country: Mapped[str | None]
    time_zone: Mapped[str] = mapped_column(default="UTC", server_default="UTC")
    employees: Mapped[int | None]
    segment: Mapped[Segment]
    plan: Mapped[str | None]
    arr_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    currency: Mapped[str] = mapped_column(default="USD", server_default="USD")
    touch_tier: Mapped[TouchTier]
    touch_tier_override: Mapped[TouchTier | None]
    csm_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    sales_owner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    status: Mapped[CustomerStatus] = mapped_column(index=True)
    started_at: Mapped[BusinessInstant | None]
    onboarded_at: Mapped[BusinessInstant | None]
    first_value_at: Mapped[BusinessInstant | None]
    renewal_on: Mapped[dt.date | None] = mapped_column(index=True)
    notice_days: Mapped[int] = mapped_column(default=30, server_default="30")
    churned_at: Mapped[BusinessInstant | None]
    churn_known_at: Mapped[BusinessInstant | None]
    cancellation_reason: Mapped[CancellationReason | None]
    do_not_contact: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    holdout: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    known_at: Mapped[BusinessInstant]
    told_at: Mapped[BusinessInstant | None]
    declared: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    """What the source itself said; what we derive (tier, ARR, status, renewal) starts from it."""

    acted_tier: Mapped[RiskTier | None]
    acted_tier_at: Mapped[BusinessInstant | None]
    churn_risk_tier: Mapped[RiskTier | None]
    churn_risk_score: Mapped[int | None]
    churn_probability: Mapped[float | None]
    renewal_probability: Mapped[float | None]
    expansion_probability: Mapped[float | None]
    health_score: Mapped[int | None]
    health_status: Mapped[HealthStatus | None]
    health_override: Mapped[HealthStatus | None]
    health_override_until: Mapped[BusinessInstant | None]
    watchlisted_at: Mapped[BusinessInstant | None]
    last_touch_at: Mapped[BusinessInstant | None]
    last_usage_on: Mapped[dt.date | None]

    __table_args__ = (
        UniqueConstraint("source_id", "external_id"),
        Index("ix_customers_name_search", text("lower(name)")),
    )


class ContactRow(Base):
    """A person at a customer. Consent lives here and in `consents`."""

    __tablename__ = "contacts"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    external_id: Mapped[str]
    content_hash: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(index=True)
    department: Mapped[str | None]
    locale: Mapped[str] = mapped_column(default="en", server_default="en")
    time_zone: Mapped[str | None]
    left_at: Mapped[BusinessInstant | None]
    last_active_at: Mapped[BusinessInstant | None]
    suppressed_at: Mapped[BusinessInstant | None]
    suppressed_reason: Mapped[str | None]
    known_at: Mapped[BusinessInstant]
    told_at: Mapped[BusinessInstant | None]

    __table_args__ = (UniqueConstraint("source_id", "external_id"),)


class ContactRoleRow(Base):
    """Who is what at which customer, and when: many-to-many, dated, removable."""

    __tablename__ = "contact_roles"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    contact_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("contacts.id"), index=True)
    role: Mapped[ContactRole]
    since: Mapped[BusinessInstant]
    until: Mapped[BusinessInstant | None]
    said_by: Mapped[str | None]
    """Who began or ended it by hand; no source takes it up or ends it then."""

    __table_args__ = (UniqueConstraint("customer_id", "contact_id", "role", "since"),)


class ConsentRow(Base):
    """Each grant and each withdrawal is a row; which one holds is said in models/opt_outs.py."""

    __tablename__ = "consents"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    contact_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("contacts.id"), index=True)
    purpose: Mapped[Purpose]
    granted: Mapped[bool]
    origin: Mapped[str]
    occurred_at: Mapped[BusinessInstant]
    known_at: Mapped[BusinessInstant]
