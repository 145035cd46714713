"""Slots in the contact budget that messages hold while they wait."""

import uuid

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant
from domain.vocabulary import Channel
from models.tables.base import Base


class ContactReservationRow(Base):
    """One visit of one sending step that waits for its slot; gone once it is claimed or refused.

    It counts while its step is deferred and its run goes on, until `expires_at`.
    """

    __tablename__ = "contact_reservations"
    intervention_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("interventions.id"), primary_key=True)
    step_id: Mapped[str] = mapped_column(primary_key=True)
    occurrence: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    contact_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("contacts.id", ondelete="CASCADE"), index=True
    )
    channel: Mapped[Channel]
    topic: Mapped[str]
    priority: Mapped[int]
    worth: Mapped[float]
    """As it was at the asking; who gives way is decided by the worth of the day."""
    asked_at: Mapped[BusinessInstant]
    slot_at: Mapped[BusinessInstant]
    latest_at: Mapped[BusinessInstant]
    expires_at: Mapped[BusinessInstant]
    displaced: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often it gave way."""
