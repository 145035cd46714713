"""Playbooks, their immutable versions, and the runs of them."""

import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import InterventionState, Motion, Outcome, StepState
from models.tables.base import Base


class PlaybookRow(Base):
    """A recipe by its key. Until `released_at` is set it plans and records, and sends nothing."""

    __tablename__ = "playbooks"
    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    motion: Mapped[Motion]
    current_version: Mapped[int]
    released_at: Mapped[BusinessInstant | None]
    archived_at: Mapped[BusinessInstant | None]


class PlaybookVersionRow(Base):
    """One immutable document."""

    __tablename__ = "playbook_versions"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    playbook_key: Mapped[str] = mapped_column(ForeignKey("playbooks.key"))
    version: Mapped[int]
    document: Mapped[dict[str, Any]]
    content_hash: Mapped[str]
    published_at: Mapped[BusinessInstant]
    origin: Mapped[str] = mapped_column(default="library", server_default="library")
    """`library` for what came with Everstay, `edit` for what people published."""
    published_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    note: Mapped[str] = mapped_column(default="", server_default="")

    __table_args__ = (UniqueConstraint("playbook_key", "version"),)


class PlaybookEditRow(Base):
    """What a publication means for the runs that were open then, and how far it has been carried out."""

    __tablename__ = "playbook_edits"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    playbook_key: Mapped[str] = mapped_column(ForeignKey("playbooks.key"))
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("playbook_versions.id"), unique=True)
    choices: Mapped[dict[str, Any]]
    spreads: Mapped[bool]
    """Many waits would end at once, so that they are moved apart."""
    through: Mapped[uuid.UUID | None]
    """The last customer whose runs have heard of it: a batch that was interrupted is taken up after it."""
    counts: Mapped[dict[str, Any]]
    asked_at: Mapped[BusinessInstant]
    finished_at: Mapped[BusinessInstant | None]

    __table_args__ = (
        Index("ix_playbook_edits_open", "playbook_key", postgresql_where=text("finished_at IS NULL")),
    )


class InterventionRow(Base):
    """One run of a playbook version for one customer for one reason."""

    __tablename__ = "interventions"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    playbook_key: Mapped[str] = mapped_column(ForeignKey("playbooks.key"))
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("playbook_versions.id"))
    reason: Mapped[str]
    causes: Mapped[list[dict[str, Any]]]
    """The drivers and signals that opened it, with their values then: recalibration looks at these."""
    state: Mapped[InterventionState]
    position: Mapped[dict[str, Any]]
    """Where the interpreter stands: current step, occurrence, the wait's deadline."""
    advance_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    last_result: Mapped[dict[str, Any] | None]
    planned_at: Mapped[BusinessInstant]
    started_at: Mapped[BusinessInstant | None]
    expected_wake_at: Mapped[BusinessInstant | None]
    ended_at: Mapped[BusinessInstant | None]
    outcome: Mapped[Outcome | None]
    outcome_reason: Mapped[str | None]
    receipt: Mapped[dict[str, Any] | None]
    """What ending it cancelled."""

    __table_args__ = (
        Index(
            "uq_interventions_open",
            "customer_id",
            "playbook_key",
            "reason",
            unique=True,
            postgresql_where=text("state <> 'ended'"),
        ),
        Index("ix_interventions_state", "state"),
        Index("ix_interventions_started_at", "started_at"),
    )


class InterventionStepRow(Base):
    """One visit of one step: planned, started, done, skipped, deferred or failed, with the reason."""

    __tablename__ = "intervention_steps"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    intervention_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("interventions.id"))
    step_id: Mapped[str]
    occurrence: Mapped[int]
    kind: Mapped[str]
    state: Mapped[StepState]
    reason: Mapped[str | None]
    detail: Mapped[dict[str, Any]]
    due_at: Mapped[BusinessInstant | None]
    started_at: Mapped[BusinessInstant | None]
    finished_at: Mapped[BusinessInstant | None]

    __table_args__ = (UniqueConstraint("intervention_id", "step_id", "occurrence"),)


class LifecycleRow(Base):
    """The customer's workflow as the database knows it: what it decided last and when it will wake."""

    __tablename__ = "lifecycles"
    __table_args__ = (
        Index(
            "ix_lifecycles_silence_due_at",
            "silence_due_at",
            postgresql_where=text("silence_due_at IS NOT NULL"),
        ),
    )
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    phase: Mapped[str]
    state: Mapped[dict[str, Any]]
    decide_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    last_result: Mapped[dict[str, Any] | None]
    expected_wake_at: Mapped[BusinessInstant | None]
    rung_at: Mapped[WallInstant | None]
    """When the relay last rang; null once the ring has been answered by a decision."""
    silence_since: Mapped[BusinessInstant | None]
    silence_due_at: Mapped[BusinessInstant | None]
    """When a silence has lasted too long, as of the last decision; contacts since then move it."""
    started_at: Mapped[BusinessInstant]
    ended_at: Mapped[BusinessInstant | None]
