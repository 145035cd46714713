"""Other systems that we tell of things."""

import uuid

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import WallInstant
from models.tables.base import Base


class WebhookEndpointRow(Base):
    """Where a playbook's `call_webhook` posts to."""

    __tablename__ = "webhook_endpoints"
    key: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    secret: Mapped[bytes]
    """Encrypted with a key derived from EVERSTAY_SECRET_KEY; one secret, or two while one is replaced."""
    note: Mapped[str]
    created_at: Mapped[WallInstant]
    changed_at: Mapped[WallInstant]
    changed_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    disabled_at: Mapped[WallInstant | None]
    disabled_reason: Mapped[str | None]
