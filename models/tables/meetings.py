"""Who was invited to the meetings that runs plan."""

import uuid

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant, WallInstant
from models.tables.base import Base


class InvitationRow(Base):
    """The invitation to a meeting of our own: for whom, how long, and the newest of their answers."""

    __tablename__ = "invitations"
    meeting_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True
    )
    contact_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("contacts.id"), index=True)
    minutes: Mapped[int]
    sequence: Mapped[int]
    time_zone: Mapped[str | None]
    """The invited person's, in which the slot was chosen and is said."""
    planned_at: Mapped[BusinessInstant]
    stamp: Mapped[WallInstant | None]
    """When the newest answer that a calendar sent was given: mails overtake each other."""
