"""Other systems that we tell of things."""

import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import WallInstant
from domain.vocabulary import MessageState
from models.tables.base import Base


class WebhookEndpointRow(Base):
    """Where a playbook's `call_webhook` and the events of its subscription are posted to."""

    __tablename__ = "webhook_endpoints"
    key: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    secret: Mapped[bytes]
    """Encrypted with a key derived from EVERSTAY_SECRET_KEY; one secret, or two while one is replaced."""
    note: Mapped[str]
    events: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    """What it subscribes to: names of events, `run.*` for a family, `*` for all."""
    created_at: Mapped[WallInstant]
    changed_at: Mapped[WallInstant]
    changed_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    disabled_at: Mapped[WallInstant | None]
    disabled_reason: Mapped[str | None]
    failing_since: Mapped[WallInstant | None]
    """Since when no event that was posted there was taken."""


class WebhookMessageRow(Base):
    """One event for one endpoint, written by the trigger of what happened; its id is the `webhook-id`."""

    __tablename__ = "webhook_messages"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    endpoint: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.key", ondelete="CASCADE"))
    type: Mapped[str]
    data: Mapped[dict[str, Any]]
    state: Mapped[MessageState]
    attempts: Mapped[int]
    tried: Mapped[int]
    """Attempts since it was last sent again by hand: the delays count from there."""
    created_at: Mapped[WallInstant]
    due_at: Mapped[WallInstant]
    lease_until: Mapped[WallInstant | None]
    """Somebody posts it until then."""
    last_status: Mapped[int | None]
    last_error: Mapped[str | None]
    settled_at: Mapped[WallInstant | None]

    __table_args__ = (
        Index(
            "ix_webhook_messages_waiting", "endpoint", "due_at", postgresql_where=text("state = 'waiting'")
        ),
        Index("ix_webhook_messages_endpoint_created_at", "endpoint", "created_at", "id"),
        Index("ix_webhook_messages_created_at", "created_at"),
    )


class WebhookAttemptRow(Base):
    """One attempt to post a message. A number that is missing was begun by a process that died."""

    __tablename__ = "webhook_attempts"
    message_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("webhook_messages.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[WallInstant]
    seconds: Mapped[float]
    status: Mapped[int | None]
    error: Mapped[str | None]
