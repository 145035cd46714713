"""What people order of workflows, and what is known of workflows that do not run as they should."""

import uuid

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import WallInstant
from domain.vocabulary import WorkflowAction, WorkflowTrouble
from models.tables.base import Base


class WorkflowOrderRow(Base):
    """A person's order, which the relay carries out. Without a run it is for the customer's own workflow."""

    __tablename__ = "workflow_orders"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    intervention_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("interventions.id"))
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"))
    action: Mapped[WorkflowAction]
    asked_at: Mapped[WallInstant]
    done_at: Mapped[WallInstant | None]
    answer: Mapped[str | None]

    __table_args__ = (Index("ix_workflow_orders_open", "asked_at", postgresql_where=text("done_at IS NULL")),)


class WorkflowFaultRow(Base):
    """A workflow that is gone although it should run, or fails at what it does."""

    __tablename__ = "workflow_faults"
    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"))
    intervention_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("interventions.id"))
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"))
    trouble: Mapped[WorkflowTrouble]
    attempts: Mapped[int]
    detail: Mapped[str]
    first_seen_at: Mapped[WallInstant]
    seen_at: Mapped[WallInstant]


class WorkflowLookRow(Base):
    """One row: when Temporal was last asked about workflows."""

    __tablename__ = "workflow_looks"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wall_at: Mapped[WallInstant]
    looked_at: Mapped[int]
    problem: Mapped[str | None]
