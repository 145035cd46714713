"""What facts said before they were told anew."""

import uuid
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant
from models.tables.base import Base


class FactChangeRow(Base):
    """One stored fact moved forward: the values that it had until then, of the columns that moved.

    A fact as known at an instant is the stored row with every later change taken back, the latest first.
    """

    __tablename__ = "fact_changes"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    fact_table: Mapped[str]
    fact_id: Mapped[uuid.UUID]
    customer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("customers.id"))
    """None for a contact, who may belong to several."""
    source_id: Mapped[str | None]
    """Who told the change; None where it is our own."""
    known_at: Mapped[BusinessInstant]
    before: Mapped[dict[str, Any]]

    __table_args__ = (
        Index("ix_fact_changes_customer_id_known_at", "customer_id", "known_at"),
        Index("ix_fact_changes_fact_id", "fact_id"),
        Index("ix_fact_changes_source_id", "source_id"),
    )
