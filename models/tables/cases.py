"""Cases: an unpaid invoice that is collected, a lost customer that is won back. One workflow each."""

import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.billing import Collection, FinalAction
from domain.case_vocabulary import AttemptResult, CaseKind, CaseOutcome, CaseState, PaidBy
from domain.labels import Cause
from domain.time import BusinessInstant
from domain.vocabulary import StepState
from models.tables.base import Base


class CaseRow(Base):
    """What every case has: whose it is, how far it has come, when it looks again, and how it ended."""

    __tablename__ = "cases"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[CaseKind]
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    subject: Mapped[str]
    """What there is one case of: the invoice's id, or the instant at which the customer left."""
    workflow_id: Mapped[str] = mapped_column(unique=True)
    state: Mapped[CaseState]
    stage: Mapped[str]
    """Where it stands, in a word of its kind, for boards."""
    policy: Mapped[dict[str, Any]]
    """The policy as it was when the case was opened: an edit is for cases to come."""
    memory: Mapped[dict[str, Any]]
    advance_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    last_result: Mapped[dict[str, Any] | None]
    held_reason: Mapped[str | None]
    opened_at: Mapped[BusinessInstant]
    expected_wake_at: Mapped[BusinessInstant | None]
    next_action: Mapped[str | None]
    """What it does when it wakes, as a sentence for boards."""
    ended_at: Mapped[BusinessInstant | None]
    outcome: Mapped[CaseOutcome | None]
    outcome_reason: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("kind", "subject"),
        Index("ix_cases_open", "kind", "customer_id", postgresql_where=text("state <> 'ended'")),
        Index("ix_cases_kind_ended_at", "kind", "ended_at"),
    )


class CaseStepRow(Base):
    """One visit of one step of a case: a letter or a deed, and what became of it."""

    __tablename__ = "case_steps"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    step: Mapped[str]
    occurrence: Mapped[int]
    kind: Mapped[str]
    state: Mapped[StepState]
    reason: Mapped[str | None]
    detail: Mapped[dict[str, Any]]
    due_at: Mapped[BusinessInstant | None]
    """When it is asked for again, where it was put off or is in doubt."""
    started_at: Mapped[BusinessInstant]
    finished_at: Mapped[BusinessInstant | None]

    __table_args__ = (UniqueConstraint("case_id", "step", "occurrence"),)


class DunningRow(Base):
    """One invoice that is collected."""

    __tablename__ = "dunnings"
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoices.id"), unique=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    """The connection through which it is collected."""
    collection: Mapped[Collection]
    currency: Mapped[str]
    opened_minor: Mapped[int]
    """What was owed when the case was opened."""
    remaining_minor: Mapped[int]
    recovered_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    anchored_at: Mapped[BusinessInstant]
    """From when the schedule counts: the opening, or the last payment of a part."""
    decline_code: Mapped[str | None]
    decline_advice: Mapped[str | None]
    final_action: Mapped[FinalAction]
    recovered_by: Mapped[PaidBy | None]


class PaymentAttemptRow(Base):
    """One attempt to collect an invoice, ours, the provider's or the customer's own."""

    __tablename__ = "payment_attempts"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoices.id"), index=True)
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    effect_key: Mapped[str | None] = mapped_column(ForeignKey("effects.key"), unique=True)
    provider_key: Mapped[str | None]
    by: Mapped[PaidBy]
    card_key: Mapped[str]
    card_brand: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    result: Mapped[AttemptResult]
    decline_code: Mapped[str | None]
    advice_code: Mapped[str | None]
    made_at: Mapped[BusinessInstant]

    __table_args__ = (
        Index("ix_payment_attempts_card_key_made_at", "card_key", "made_at"),
        Index("uq_payment_attempts_provider_key", "invoice_id", "provider_key", unique=True),
    )


class WinBackRow(Base):
    """One customer that has left and is to come back, or is left alone to know what came of it."""

    __tablename__ = "win_backs"
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int]
    """The how many-th of this customer."""
    cause: Mapped[Cause]
    cancelled_at: Mapped[BusinessInstant]
    reason: Mapped[str | None]
    """Why they left, in their own word."""
    lost_arr_minor: Mapped[int]
    currency: Mapped[str]
    is_held_out: Mapped[bool]
    """Left without any of it by chance: what the others are held against."""
    returned_at: Mapped[BusinessInstant | None]
    returned_arr_minor: Mapped[int | None]
    is_attributed: Mapped[bool | None]
    """They came back within the window after we wrote to them; None while they have not."""
