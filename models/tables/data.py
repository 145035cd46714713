"""Where facts come from: sources, imports, and what could not be understood."""

import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import BusinessInstant, WallInstant
from models.tables.base import Base


class SourceRow(Base):
    """One place that facts come from. Facts older than `connected_at` set state and trigger nothing."""

    __tablename__ = "sources"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    provides: Mapped[list[str]]
    """Kinds of fact it can tell (usage, tickets …): for what nobody provides, nobody is blamed."""
    connected_at: Mapped[BusinessInstant]
    rhythm_hours: Mapped[float | None]
    last_fact_at: Mapped[BusinessInstant | None]
    last_received_at: Mapped[WallInstant | None]
    """When it last told anything, repeats too: a source that only repeats itself is not silent."""
    creates_customers: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Whether an unknown group becomes a customer, or waits until a person says whose it is."""


class ImportRunRow(Base):
    """One import, its cursor and its counts per file."""

    __tablename__ = "import_runs"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    mapping: Mapped[str]
    mapping_document: Mapped[dict[str, Any]]
    folder: Mapped[str]
    state: Mapped[str]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    """What was asked for beside the mapping, such as setting the clock."""
    files: Mapped[dict[str, Any]]
    """Per file: rows read, stored, duplicates, quarantined, and the cursor to resume from."""
    error: Mapped[str | None]
    started_at: Mapped[WallInstant]
    finished_at: Mapped[WallInstant | None]


class QuarantinedRow(Base):
    """A row that could not be stored, with where it stood and why; kept until it is replayed or dismissed."""

    __tablename__ = "quarantined_rows"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    import_run_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("import_runs.id"))
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    file: Mapped[str]
    line: Mapped[int]
    kind: Mapped[str]
    field: Mapped[str]
    reason: Mapped[str]
    raw: Mapped[dict[str, Any]]
    row_hash: Mapped[str]
    state: Mapped[str]
    quarantined_at: Mapped[WallInstant]
    settled_at: Mapped[WallInstant | None]

    __table_args__ = (
        UniqueConstraint("source_id", "file", "line", "row_hash"),
        Index("ix_quarantined_rows_state", "state"),
    )
