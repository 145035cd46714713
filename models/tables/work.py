"""Human work: tasks and heads-ups."""

import uuid

from sqlalchemy import ForeignKey, Index, text, true
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant
from domain.vocabulary import HeadsUpState, Severity, TaskOutcome, TaskState
from models.tables.base import Base


class TaskRow(Base):
    """Work for one of our users. `effect_key` makes a task of a step appear once."""

    __tablename__ = "tasks"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    intervention_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("interventions.id"), index=True)
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"), index=True)
    effect_key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    severity: Mapped[Severity]
    assignee_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    state: Mapped[TaskState]
    created_at: Mapped[BusinessInstant]
    due_at: Mapped[BusinessInstant]
    snoozed_until: Mapped[BusinessInstant | None]
    outcome: Mapped[TaskOutcome | None]
    note: Mapped[str | None]
    closed_at: Mapped[BusinessInstant | None]
    closed_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))

    __table_args__ = (Index("ix_tasks_assignee_id_state", "assignee_id", "state", "due_at"),)


class HeadsUpRow(Base):
    """An early warning for the owner of a customer; closed when its signal resolves."""

    __tablename__ = "heads_ups"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    signal_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("signals.id"))
    dedupe_key: Mapped[str]
    owner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    owner_since: Mapped[BusinessInstant | None]
    """When it came to this owner, where that was after it was opened."""
    follows_customer: Mapped[bool] = mapped_column(default=True, server_default=true())
    """It goes with the customer's owner, until somebody hands it over."""
    severity: Mapped[Severity]
    title: Mapped[str]
    body: Mapped[str]
    arr_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[HeadsUpState]
    opened_at: Mapped[BusinessInstant]
    snoozed_until: Mapped[BusinessInstant | None]
    closed_at: Mapped[BusinessInstant | None]
    closed_reason: Mapped[str | None]

    __table_args__ = (
        Index(
            "uq_heads_ups_open",
            "customer_id",
            "dedupe_key",
            unique=True,
            postgresql_where=text("state <> 'closed'"),
        ),
        Index("ix_heads_ups_owner_id_state", "owner_id", "state"),
    )


class HeadsUpMailRow(Base):
    """That a warning is in a mail to a person: it is in no other mail to them, ever."""

    __tablename__ = "heads_up_mails"
    heads_up_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("heads_ups.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    effect_key: Mapped[str] = mapped_column(ForeignKey("effects.key"), index=True)
    told_at: Mapped[BusinessInstant]
