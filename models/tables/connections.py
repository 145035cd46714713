"""Connected providers: how to reach them, what they told us, and how far we have read."""

import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.time import WallInstant
from models.tables.base import Base


class ConnectionRow(Base):
    """One provider account that a source reads: address and options in the clear, secrets encrypted."""

    __tablename__ = "connections"
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"), primary_key=True)
    provider: Mapped[str]
    options: Mapped[dict[str, Any]]
    secrets: Mapped[bytes]
    """A JSON object (token, webhook_secret …), encrypted with a key derived from EVERSTAY_SECRET_KEY."""
    pull_every_seconds: Mapped[float | None]
    """None: the provider only pushes."""
    paused_at: Mapped[WallInstant | None]
    problem: Mapped[str | None]
    """Why the last pass ended before its time, as a sentence."""
    created_at: Mapped[WallInstant]


class WebhookDeliveryRow(Base):
    """One delivery of a provider, its raw body stored before anything reads it."""

    __tablename__ = "webhook_deliveries"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    delivery_id: Mapped[str]
    topic: Mapped[str | None]
    content_type: Mapped[str | None]
    body: Mapped[bytes]
    received_at: Mapped[WallInstant]
    state: Mapped[str]
    """received, processed, ignored (nothing in it concerns us) or failed (shown, and can be replayed)."""
    attempts: Mapped[int]
    stored: Mapped[int]
    duplicates: Mapped[int]
    quarantined: Mapped[int]
    error: Mapped[str | None]
    due_at: Mapped[WallInstant]
    settled_at: Mapped[WallInstant | None]

    __table_args__ = (
        UniqueConstraint("source_id", "delivery_id"),
        Index("ix_webhook_deliveries_state_due_at", "state", "due_at"),
    )


class PullCursorRow(Base):
    """How far one stream of a source has been read; moved in the transaction that stored what was read."""

    __tablename__ = "pull_cursors"
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"), primary_key=True)
    stream: Mapped[str] = mapped_column(primary_key=True)
    cursor: Mapped[dict[str, Any]]
    moved_at: Mapped[WallInstant]


class PullRunRow(Base):
    """One pass over one stream: what it read, what became of it, and how it ended."""

    __tablename__ = "pull_runs"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    stream: Mapped[str]
    state: Mapped[str]
    read: Mapped[int]
    stored: Mapped[int]
    duplicates: Mapped[int]
    quarantined: Mapped[int]
    error: Mapped[str | None]
    started_at: Mapped[WallInstant]
    finished_at: Mapped[WallInstant | None]

    __table_args__ = (Index("ix_pull_runs_source_id_started_at", "source_id", "started_at"),)


class UploadRow(Base):
    """A file that a person dropped into the browser: its columns, how they were mapped, and its import."""

    __tablename__ = "uploads"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source_id: Mapped[str | None] = mapped_column(ForeignKey("sources.id"))
    """`upload/<id>`, a source of its own: what it told is found by it, and can be taken back."""
    import_run_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("import_runs.id"))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    """None: it came through the API with a key."""
    filename: Mapped[str]
    folder: Mapped[str]
    content_hash: Mapped[str] = mapped_column(index=True)
    rows: Mapped[int]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    """How the file is written: format, encoding, delimiter, size; and what its kind was guessed by."""
    columns: Mapped[list[dict[str, Any]]]
    choices: Mapped[dict[str, Any] | None]
    mapping: Mapped[dict[str, Any] | None]
    checked: Mapped[dict[str, Any] | None]
    """What an import would store and what it would quarantine, as far as the file was read."""
    undo: Mapped[dict[str, Any] | None]
    """What was taken back, what stayed and why, and whose workflows have to end."""
    state: Mapped[str] = mapped_column(index=True)
    """mapping, previewed, importing, done, failed, undoing, undone."""
    created_at: Mapped[WallInstant]
    undone_at: Mapped[WallInstant | None]


class UploadEditRow(Base):
    """What an upload changed of a customer that was there before, so that it can be put back."""

    __tablename__ = "upload_edits"
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"), primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True, index=True)
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]


class SavedMappingRow(Base):
    """What a person chose for the columns of one file, for the next one like it."""

    __tablename__ = "saved_mappings"
    name: Mapped[str] = mapped_column(primary_key=True)
    choices: Mapped[dict[str, Any]]
    header: Mapped[list[str]]
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    saved_at: Mapped[WallInstant]
