"""The installation itself: its clock, switches and policies."""

import uuid
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant, WallInstant
from models.tables.base import Base


class ClockSegmentRow(Base):
    """From `wall_start` on, business time runs at `rate` from `business_start`; the newest segment holds."""

    __tablename__ = "clock_segments"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    wall_start: Mapped[WallInstant]
    business_start: Mapped[BusinessInstant]
    rate: Mapped[float]
    reason: Mapped[str]


class ClockHeartbeatRow(Base):
    """One row: the last second that the stack was seen alive, so that a kill closes its segment there."""

    __tablename__ = "clock_heartbeat"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wall_at: Mapped[WallInstant]


class InstallationRow(Base):
    """One row: observing until released; one switch stops every outward effect."""

    __tablename__ = "installation"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    company_name: Mapped[str]
    product_name: Mapped[str]
    released_at: Mapped[BusinessInstant | None]
    release_per_day: Mapped[int | None]
    effects_stopped_at: Mapped[BusinessInstant | None]
    effects_stopped_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    holdout_salt: Mapped[str]
    holdout_share: Mapped[float] = mapped_column(server_default="0.05")
    """So large a share of customers is left without any playbook that measures itself."""
    playbook_holdout_share: Mapped[float] = mapped_column(server_default="0.1")
    """So large a share of customers is left without a playbook that names no share of its own."""


class PolicyRow(Base):
    """An editable table of rules (attention, touch tiers, contact budget …), validated on write."""

    __tablename__ = "policies"
    key: Mapped[str] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    updated_at: Mapped[BusinessInstant]
    updated_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))


class WakeRow(Base):
    """When a workflow acted on a deadline, and when it should have."""

    __tablename__ = "wakes"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    workflow: Mapped[str]
    due_at: Mapped[BusinessInstant]
    woke_at: Mapped[BusinessInstant]
    wall_at: Mapped[WallInstant]

    __table_args__ = (Index("ix_wakes_wall_at", "wall_at"),)
