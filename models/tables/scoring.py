"""What we think of a customer, and when we thought it."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant
from domain.vocabulary import HealthStatus, RiskTier, Severity, SignalKind, SignalState
from models.tables.base import Base


class ScoreRow(Base):
    """One score of one customer as of one business day; the newest run of a day replaces it."""

    __tablename__ = "scores"
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    as_of: Mapped[dt.date] = mapped_column(primary_key=True)
    scored_at: Mapped[BusinessInstant]
    churn_probability: Mapped[float]
    churn_risk_score: Mapped[int]
    churn_risk_tier: Mapped[RiskTier]
    health_score: Mapped[int]
    components: Mapped[dict[str, Any]]
    drivers: Mapped[list[dict[str, Any]]]
    horizon_days: Mapped[int]
    model_version: Mapped[str]
    data_on: Mapped[dt.date | None]
    renewal_probability: Mapped[float | None]
    expansion_probability: Mapped[float | None]
    outlook_missing: Mapped[str | None]
    """Why one of the two is not foretold."""

    __table_args__ = (Index("ix_scores_as_of", "as_of"),)


class AssessmentRow(Base):
    """The verdict in words, stored whenever its inputs change."""

    __tablename__ = "assessments"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    assessed_at: Mapped[BusinessInstant]
    health_status: Mapped[HealthStatus]
    limited_since: Mapped[dt.date | None]
    reason: Mapped[str]
    changes: Mapped[list[dict[str, Any]]]
    next_best_action: Mapped[str]
    components: Mapped[dict[str, Any]]
    data_on: Mapped[dt.date | None]
    inputs_hash: Mapped[str]
    renewal_probability: Mapped[float | None]
    expansion_probability: Mapped[float | None]
    outlook_missing: Mapped[str | None]

    __table_args__ = (Index("ix_assessments_customer_id_assessed_at", "customer_id", "assessed_at"),)


class SignalRow(Base):
    """One observed change that matters, with evidence; at most one open per customer and dedupe key."""

    __tablename__ = "signals"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[SignalKind]
    dedupe_key: Mapped[str]
    severity: Mapped[Severity]
    state: Mapped[SignalState]
    title: Mapped[str]
    evidence: Mapped[dict[str, Any]]
    is_baseline: Mapped[bool]
    """Rests only on facts older than its source's connection: it sets state and triggers nothing."""
    opened_at: Mapped[BusinessInstant]
    updated_at: Mapped[BusinessInstant]
    resolved_at: Mapped[BusinessInstant | None]
    first_human_action_at: Mapped[BusinessInstant | None]
    mass_alert_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("mass_alerts.id"), index=True)
    """Held back, as one of many that opened at once: it triggers nothing until that alert is released."""

    __table_args__ = (
        Index(
            "uq_signals_open",
            "customer_id",
            "dedupe_key",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_signals_state_kind", "state", "kind"),
    )


class MassAlertRow(Base):
    """Many customers would have shown the same signal at once: more likely one cause of ours than theirs."""

    __tablename__ = "mass_alerts"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[SignalKind]
    state: Mapped[str]
    """held, released (by a person, or since it persisted) or settled (nothing of it is open any more)."""
    expected: Mapped[int]
    """Customers that were about to show it, of `active` looked at, when it was held."""
    active: Mapped[int]
    opened_at: Mapped[BusinessInstant]
    settled_at: Mapped[BusinessInstant | None]
    reason: Mapped[str | None]
    settled_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))

    __table_args__ = (
        Index("uq_mass_alerts_held", "kind", unique=True, postgresql_where=text("state = 'held'")),
    )


class KindSilenceRow(Base):
    """From when to when nobody told a kind of fact: what rests on it abstains, and for a while after."""

    __tablename__ = "kind_silences"
    kind: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[BusinessInstant] = mapped_column(primary_key=True)
    until: Mapped[BusinessInstant | None]
    sources: Mapped[list[str]]
    noticed_at: Mapped[BusinessInstant]


class DigestRow(Base):
    """A figure about the whole portfolio that is dear to compute, kept until it is too old."""

    __tablename__ = "digests"
    key: Mapped[str] = mapped_column(primary_key=True)
    as_of: Mapped[BusinessInstant]
    document: Mapped[dict[str, Any]]


class OwnSignalRow(Base):
    """A signal that the tenant declared: a condition over the declared fields, with its wording."""

    __tablename__ = "own_signals"
    key: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    condition: Mapped[dict[str, Any]]
    severity: Mapped[Severity]
    enabled: Mapped[bool]
    created_at: Mapped[BusinessInstant]
    updated_at: Mapped[BusinessInstant]
    updated_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))


class CustomerValuesRow(Base):
    """What conditions may ask of a customer and no other row holds: the measured fields as last scored."""

    __tablename__ = "customer_values"
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    scored_at: Mapped[BusinessInstant]
    fields: Mapped[dict[str, Any]]
    """By the name of the field; empty where nobody tells the facts that it rests on."""


class FieldPointRow(Base):
    """Since when a field of a customer is what it is: one row per change, as text."""

    __tablename__ = "field_points"
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[BusinessInstant] = mapped_column(primary_key=True)
    value: Mapped[str | None]
