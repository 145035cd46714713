"""What runs leave behind beside their steps, and what people say of runs."""

import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.case_vocabulary import OfferState
from domain.time import BusinessInstant
from domain.vocabulary import PauseScope, PromptState, RequestState
from models.tables.base import Base


class OfferRow(Base):
    """Something that costs us: proposed by a run or a case, granted or refused, and used or not."""

    __tablename__ = "offers"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    intervention_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("interventions.id"), index=True)
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"), index=True)
    effect_key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    title: Mapped[str]
    percent: Mapped[float | None]
    months: Mapped[int | None]
    currency: Mapped[str | None]
    cost_minor: Mapped[int | None]
    """What it costs us if it is used: revenue forgone over its months."""
    margin: Mapped[float | None]
    """Gross margin that is left on what they pay with it, as a share."""
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    """What it was chosen by: rung of the ladder, value, tenure, reason, checks against misuse."""
    source_id: Mapped[str | None] = mapped_column(ForeignKey("sources.id"))
    provider_key: Mapped[str | None]
    code: Mapped[str | None]
    """What the customer enters; the provider takes it once, from this customer only."""
    state: Mapped[OfferState]
    proposed_at: Mapped[BusinessInstant]
    decided_at: Mapped[BusinessInstant | None]
    decided_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    """None: by policy, below the limit above which a person decides."""
    expires_at: Mapped[BusinessInstant | None]
    redeemed_at: Mapped[BusinessInstant | None]


class PromptRow(Base):
    """A message shown to one person inside the product."""

    __tablename__ = "prompts"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    contact_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("contacts.id"))
    intervention_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("interventions.id"), index=True)
    effect_key: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    body: Mapped[str]
    link: Mapped[str | None]
    state: Mapped[PromptState]
    offered_at: Mapped[BusinessInstant]
    expires_at: Mapped[BusinessInstant]
    shown_at: Mapped[BusinessInstant | None]
    answered_at: Mapped[BusinessInstant | None]

    __table_args__ = (
        Index("ix_prompts_contact_id_state", "contact_id", "state"),
        Index("ix_prompts_open", "expires_at", postgresql_where=text("state IN ('offered', 'shown')")),
    )


class PauseRow(Base):
    """A rest that a person ordered. Runs that it covers go on listening, and do nothing."""

    __tablename__ = "pauses"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    scope: Mapped[PauseScope]
    key: Mapped[str] = mapped_column(server_default="")
    """A playbook's key, a segment's name, the id of a customer or a run; empty for everything."""
    reason: Mapped[str]
    since: Mapped[BusinessInstant]
    until: Mapped[BusinessInstant | None]
    ended_at: Mapped[BusinessInstant | None]
    by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    ended_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))

    __table_args__ = (
        Index("uq_pauses_open", "scope", "key", unique=True, postgresql_where=text("ended_at IS NULL")),
    )


class RunRequestRow(Base):
    """A person's or another system's wish that a run be opened; the director answers it."""

    __tablename__ = "run_requests"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    playbook_key: Mapped[str] = mapped_column(ForeignKey("playbooks.key"))
    is_urgent: Mapped[bool]
    """Open it although another run is open or one has ended lately; wishes to be left alone still hold."""
    note: Mapped[str]
    by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    state: Mapped[RequestState]
    answer: Mapped[str | None]
    intervention_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("interventions.id"))
    asked_at: Mapped[BusinessInstant]
    answered_at: Mapped[BusinessInstant | None]

    __table_args__ = (Index("ix_run_requests_open", "customer_id", postgresql_where=text("state = 'open'")),)
