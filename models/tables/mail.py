"""How much mail each sender domain has sent, whom the provider holds back, and which topics people refuse."""

import uuid

from sqlalchemy import BigInteger, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from domain.suppressions import SuppressionList
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import Motion
from models.tables.base import Base


class SendingHourRow(Base):
    """What one sender domain has sent in one hour of business time, so that all workers count together."""

    __tablename__ = "sending_hours"
    domain: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[BusinessInstant] = mapped_column(primary_key=True)
    optional: Mapped[int]
    transactional: Mapped[int]
    promised: Mapped[int]
    """Messages that were put off into this hour. It spreads them; it keeps no place for any."""
    earned_per_day: Mapped[int | None]
    """What the warm-up allows on this day as it was found in this hour; None without one."""
    earned_because: Mapped[str | None]


class ProviderSuppressionRow(Base):
    """One address on one list of the mail provider's, as we last read it, and what came of it here."""

    __tablename__ = "provider_suppressions"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    provider: Mapped[str]
    list: Mapped[SuppressionList]
    group: Mapped[str]
    """Of which unsubscribe group; empty for every other list."""
    email: Mapped[str]
    reason: Mapped[str]
    listed_at: Mapped[WallInstant]
    imported_at: Mapped[WallInstant]
    people: Mapped[int]
    """Contacts with this address when it was applied."""
    lifted_at: Mapped[BusinessInstant | None]
    lifted_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    lifted_because: Mapped[str | None]

    __table_args__ = (
        Index(
            "uq_provider_suppressions_provider_list_group_email",
            "provider",
            "list",
            "group",
            "email",
            unique=True,
        ),
        Index("ix_provider_suppressions_email", "email"),
        Index("ix_provider_suppressions_listed_at_id", "listed_at", "id"),
    )


class SuppressionPullRow(Base):
    """How far one list was read: everything listed before the cursor is here."""

    __tablename__ = "suppression_pulls"
    provider: Mapped[str] = mapped_column(primary_key=True)
    list: Mapped[SuppressionList] = mapped_column(primary_key=True)
    cursor: Mapped[WallInstant | None]
    pulled_at: Mapped[WallInstant]
    problem: Mapped[str | None]


class TopicChoiceRow(Base):
    """One word of a person on one topic; the newest per topic holds."""

    __tablename__ = "topic_choices"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    contact_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("contacts.id"))
    topic: Mapped[Motion]
    wanted: Mapped[bool]
    occurred_at: Mapped[BusinessInstant]

    __table_args__ = (Index("ix_topic_choices_contact_id_occurred_at", "contact_id", "occurred_at"),)
