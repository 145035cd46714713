"""What was decided, what was done to the world, and what the workflows must still hear."""

import uuid
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import (
    Channel,
    DecisionKind,
    Direction,
    EffectState,
    NoticeKind,
    Purpose,
    TouchpointState,
)
from models.tables.base import Base


class DecisionRow(Base):
    """One directive or one refusal, with everything that led to it."""

    __tablename__ = "decisions"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    intervention_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("interventions.id"), index=True)
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"), index=True)
    decided_at: Mapped[BusinessInstant]
    kind: Mapped[DecisionKind]
    action: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str]
    sentence: Mapped[str]
    evidence: Mapped[dict[str, Any]]

    __table_args__ = (
        Index("ix_decisions_customer_id_decided_at", "customer_id", "decided_at"),
        Index("ix_decisions_kind_reason", "kind", "reason"),
    )


def _as_claimed(context: Any) -> WallInstant:
    claimed: WallInstant = context.get_current_parameters()["claimed_at"]
    return claimed


class EffectRow(Base):
    """One effect on the world. The key says what it is; the hash, that it is still the same."""

    __tablename__ = "effects"
    key: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    payload_hash: Mapped[str]
    customer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    """None for a mail to one of ours, which is about several."""
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    """Who of ours gets it, where it is for us."""
    state: Mapped[EffectState]
    attempts: Mapped[int]
    lease_until: Mapped[WallInstant | None]
    claimed_at: Mapped[WallInstant]
    first_claimed_at: Mapped[WallInstant] = mapped_column(default=_as_claimed)
    """`claimed_at` moves with each attempt; this one does not."""
    settled_at: Mapped[WallInstant | None]
    provider: Mapped[str]
    sender_domain: Mapped[str | None]
    """Whose reputation it weighs on; None for what is no mail."""
    provider_message_id: Mapped[str | None]
    error: Mapped[str | None]

    __table_args__ = (
        Index("ix_effects_state", "state"),
        Index("ix_effects_sender_domain_claimed_at", "sender_domain", "claimed_at"),
    )


class TouchpointRow(Base):
    """One contact with one person on one channel, in either direction and from any source."""

    __tablename__ = "touchpoints"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    external_id: Mapped[str]
    content_hash: Mapped[str]
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    contact_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("contacts.id"), index=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    intervention_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("interventions.id"), index=True)
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"), index=True)
    effect_key: Mapped[str | None] = mapped_column(ForeignKey("effects.key"), index=True)
    direction: Mapped[Direction]
    channel: Mapped[Channel]
    purpose: Mapped[Purpose]
    state: Mapped[TouchpointState]
    subject: Mapped[str | None]
    template: Mapped[str | None]
    occurred_at: Mapped[BusinessInstant]
    known_at: Mapped[BusinessInstant]

    __table_args__ = (
        Index("uq_touchpoints_source_id_external_id", "source_id", "external_id", unique=True),
        Index("ix_touchpoints_customer_id_occurred_at", "customer_id", "occurred_at"),
        Index("ix_touchpoints_out", "occurred_at", "id", postgresql_where=text("direction = 'out'")),
    )


class ProviderEventRow(Base):
    """A provider's event webhook, stored first and applied after; its id makes a repeat harmless."""

    __tablename__ = "provider_events"
    provider: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str | None] = mapped_column(index=True)
    kind: Mapped[str]
    body: Mapped[dict[str, Any]]
    received_at: Mapped[WallInstant]
    applied_at: Mapped[WallInstant | None]


class OutboxRow(Base):
    """Something a customer's workflow must hear, written in the transaction that caused it."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    kind: Mapped[NoticeKind]
    payload: Mapped[dict[str, Any]]
    occurred_at: Mapped[BusinessInstant]
    created_at: Mapped[WallInstant]
    consumed_at: Mapped[WallInstant | None]

    __table_args__ = (
        Index(
            "ix_outbox_unconsumed",
            "customer_id",
            "id",
            postgresql_where=text("consumed_at IS NULL"),
        ),
    )
