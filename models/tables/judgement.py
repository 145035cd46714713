"""What people and models think beside the score: overrides, forecasts, disagreements, weights."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.stances import Forecast, OverrideEnd, Stance
from domain.time import BusinessInstant
from domain.vocabulary import HealthStatus
from models.tables.base import Base


class HealthOverrideRow(Base):
    """A person's own verdict on health: who, why, until when, how it ended; the customer has the open one."""

    __tablename__ = "health_overrides"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    status: Mapped[HealthStatus]
    reason: Mapped[str]
    by: Mapped[str]
    by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    set_at: Mapped[BusinessInstant]
    until: Mapped[BusinessInstant]
    rules_status: Mapped[HealthStatus | None]
    rules_score: Mapped[int | None]
    """What the rules said at that moment."""
    ended_at: Mapped[BusinessInstant | None]
    ended_how: Mapped[OverrideEnd | None]
    ended_by: Mapped[str | None]

    __table_args__ = (
        Index("ix_health_overrides_customer_id_set_at", "customer_id", "set_at"),
        Index(
            "uq_health_overrides_open", "customer_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
    )


class ForecastRow(Base):
    """What a CSM expects of a customer; the newest counts, until it is too old."""

    __tablename__ = "forecasts"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    forecast: Mapped[Forecast]
    reason: Mapped[str]
    by: Mapped[str]
    by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    said_at: Mapped[BusinessInstant]

    __table_args__ = (Index("ix_forecasts_customer_id_said_at", "customer_id", "said_at"),)


class DisagreementRow(Base):
    """Health, risk and the CSM's forecast do not say the same of a customer: from first sight to the end.

    `opened_at` is when people were asked, `decided_at` when somebody (or the policy) said what holds, and
    `judged_at` when it was known who was right.
    """

    __tablename__ = "disagreements"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    health: Mapped[Stance]
    risk: Mapped[Stance]
    csm: Mapped[Stance]
    began_at: Mapped[BusinessInstant]
    quiet_since: Mapped[BusinessInstant | None]
    """Since when they agree again."""
    task_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tasks.id"))
    opened_at: Mapped[BusinessInstant | None]
    due_at: Mapped[BusinessInstant | None]
    decided: Mapped[Stance | None]
    decided_at: Mapped[BusinessInstant | None]
    decided_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    by_policy: Mapped[str | None]
    """The rule that settled it, where nobody answered in time."""
    ended_at: Mapped[BusinessInstant | None]
    left: Mapped[bool | None]
    judged_at: Mapped[BusinessInstant | None]

    __table_args__ = (
        Index("ix_disagreements_customer_id_began_at", "customer_id", "began_at"),
        Index(
            "uq_disagreements_current", "customer_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
    )


class WeightProposalRow(Base):
    """Weights of health as outcomes propose them once a quarter, or as a person set them, with evidence."""

    __tablename__ = "weight_proposals"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    quarter: Mapped[str | None] = mapped_column(unique=True)
    """None: set by a person without a proposal."""
    proposed_at: Mapped[BusinessInstant]
    present: Mapped[dict[str, Any]]
    proposed: Mapped[dict[str, Any]]
    evidence: Mapped[dict[str, Any]]
    """By segment."""
    answer: Mapped[str | None]
    """accepted, edited or declined; none while it waits, and where there was nothing to decide."""
    is_open: Mapped[bool]
    answered_at: Mapped[BusinessInstant | None]
    answered_by: Mapped[str | None]
    answered_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    note: Mapped[str | None]


class ModelHealthRow(Base):
    """How a model does on a date: what it reads has changed so much, and it was right so often."""

    __tablename__ = "model_health"
    model_version: Mapped[str] = mapped_column(primary_key=True)
    as_of: Mapped[dt.date] = mapped_column(primary_key=True)
    measured_at: Mapped[BusinessInstant]
    customers: Mapped[int]
    reference_on: Mapped[dt.date]
    score_psi: Mapped[float | None]
    columns: Mapped[list[dict[str, Any]]]
    outcomes: Mapped[dict[str, Any]]
    alerts: Mapped[list[dict[str, Any]]]

    __table_args__ = (Index("ix_model_health_as_of", "as_of"),)
