"""Our own users, their sessions and keys."""

import uuid
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.notifications import MailChoice
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import Role
from models.tables.base import Base


class UserRow(Base):
    """One of ours. `password_hash` is argon2; absent until a password is set."""

    __tablename__ = "users"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[Role]
    title: Mapped[str] = mapped_column(default="", server_default="")
    team: Mapped[str | None]
    manager_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    time_zone: Mapped[str] = mapped_column(default="UTC", server_default="UTC")
    password_hash: Mapped[str | None]
    disabled_at: Mapped[WallInstant | None]
    created_at: Mapped[WallInstant]

    __table_args__ = (Index("uq_users_email", text("lower(email)"), unique=True),)


class NotificationPreferenceRow(Base):
    """When one of ours wants warnings by e-mail, and until when they are away. No row means the defaults."""

    __tablename__ = "notification_preferences"
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    critical: Mapped[MailChoice]
    high: Mapped[MailChoice]
    medium: Mapped[MailChoice]
    info: Mapped[MailChoice]
    away_until: Mapped[BusinessInstant | None]
    updated_at: Mapped[WallInstant]


class SessionRow(Base):
    """A signed-in browser. The id is a hash, so a copy of the table opens nothing."""

    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[WallInstant]
    seen_at: Mapped[WallInstant]
    expires_at: Mapped[WallInstant] = mapped_column(index=True)


class SignInAttemptRow(Base):
    """One try to sign in with a password, until it succeeds or grows old: what the rate limit counts."""

    __tablename__ = "sign_in_attempts"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    address: Mapped[str]
    account_hash: Mapped[str]
    attempted_at: Mapped[WallInstant] = mapped_column(index=True)

    __table_args__ = (Index("ix_sign_in_attempts_address_account_hash", "address", "account_hash"),)


class SignInLinkRow(Base):
    """A single-use sign-in link; `local_only` ones work from this machine alone."""

    __tablename__ = "sign_in_links"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    local_only: Mapped[bool]
    expires_at: Mapped[WallInstant]
    used_at: Mapped[WallInstant | None]


class ApiKeyRow(Base):
    """A write key (tracking) or a scoped API key; only the hash is kept."""

    __tablename__ = "api_keys"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    source_id: Mapped[str | None] = mapped_column(ForeignKey("sources.id"))
    created_at: Mapped[WallInstant]
    last_used_at: Mapped[WallInstant | None]
    revoked_at: Mapped[WallInstant | None]


class IdempotentRequestRow(Base):
    """A write that carried an Idempotency-Key, with the answer that a repeat gets again."""

    __tablename__ = "idempotent_requests"
    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    answer: Mapped[dict[str, Any] | None]
    created_at: Mapped[WallInstant] = mapped_column(index=True)
