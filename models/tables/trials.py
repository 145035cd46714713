"""Who was treated and who was left out by chance, and what became of them."""

import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant
from domain.trial_labels import Measure, TrialLabel
from domain.vocabulary import RiskTier, Segment, TouchTier
from models.tables.base import Base


class AssignmentRow(Base):
    """One opening of a run, one omission by chance, or one deal of an experiment, with its probability."""

    __tablename__ = "assignments"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """What makes a repetition the same: the run and its step, or customer, playbook, occasion and day."""
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    playbook_key: Mapped[str]
    """Of a playbook, or `win_back`, which follows a policy and has no versions."""
    version_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("playbook_versions.id"))
    step_id: Mapped[str] = mapped_column(server_default="")
    """The step of an experiment; empty where the playbook itself is on trial."""
    intervention_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("interventions.id"), index=True)
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"), index=True)
    occasion: Mapped[str]
    arm: Mapped[str]
    """treated, holdout, global_holdout, or the name of a variant."""
    propensity: Mapped[float]
    """With which probability it came to this arm; 1 where nothing was left to chance."""
    global_share: Mapped[float]
    assigned_at: Mapped[BusinessInstant]
    segment: Mapped[Segment]
    touch_tier: Mapped[TouchTier]
    acted_tier: Mapped[RiskTier | None]
    churn_probability: Mapped[float | None]
    arr_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """More of the customer as it was then: health, renewal date, day of the score."""

    __table_args__ = (
        Index("ix_assignments_customer_id_playbook_key", "customer_id", "playbook_key"),
        Index("ix_assignments_playbook_key_assigned_at", "playbook_key", "assigned_at"),
        Index("ix_assignments_assigned_at", "assigned_at"),
    )


class TrialOutcomeRow(Base):
    """What became of an assignment by one measure, written once when its window had passed."""

    __tablename__ = "trial_outcomes"
    assignment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("assignments.id"), primary_key=True)
    measure: Mapped[Measure] = mapped_column(primary_key=True)
    label: Mapped[TrialLabel | None]
    """Empty where nothing can be said, as of a customer whose use nobody tells."""
    is_good: Mapped[bool | None]
    matured_at: Mapped[BusinessInstant]
    known_at: Mapped[BusinessInstant]

    __table_args__ = (Index("ix_trial_outcomes_known_at", "known_at"),)
