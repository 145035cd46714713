"""Endpoints that were disabled because they took nothing, and the one mail about it to each administrator."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, cast, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.heads_up_mail import MailKind, PlannedMail
from domain.notifications import MailChoice
from domain.time import WallInstant
from domain.vocabulary import MessageState, Role
from models.tables.endpoints import WebhookAttemptRow, WebhookEndpointRow, WebhookMessageRow
from models.tables.ledger import EffectRow
from models.tables.people import NotificationPreferenceRow, UserRow

PREFIX = "endpoint"


@dataclass(frozen=True)
class GivenUp:
    """An endpoint that only its own failures have disabled. Machine time."""

    key: str
    url: str
    disabled_at: WallInstant
    reason: str
    failing_since: WallInstant
    last_error: str | None
    waiting: int
    """Messages that wait until it is saved again."""


def is_given_up() -> ColumnElement[bool]:
    """Return the condition of an endpoint that no person has disabled."""
    row = WebhookEndpointRow
    return row.disabled_at.is_not(None) & row.failing_since.is_not(None)


async def load_given_up(session: AsyncSession) -> list[GivenUp]:
    """Return every endpoint that was given up, the latest first."""
    query = _given_up().order_by(WebhookEndpointRow.disabled_at.desc(), WebhookEndpointRow.key)
    return [_read(row) for row in await session.execute(query)]


async def load_told(session: AsyncSession, mail_key: str) -> GivenUp | None:
    """Return the endpoint that a mail is about, None where it is not given up any more."""
    row = (await session.execute(_given_up().where(*_named(mail_key)))).one_or_none()
    return _read(row) if row is not None else None


async def plan_given_up(session: AsyncSession) -> list[PlannedMail]:
    """Return a mail per disablement and administrator, unless they never want to hear of what is high."""
    key = func.concat(PREFIX, "/", WebhookEndpointRow.key, "/", _moment(), literal("/"), UserRow.id)
    never = NotificationPreferenceRow.high == MailChoice.NEVER
    query = (
        select(key, UserRow.id)
        .select_from(WebhookEndpointRow)
        .join(UserRow, UserRow.role == Role.ADMIN)
        .outerjoin(NotificationPreferenceRow, NotificationPreferenceRow.user_id == UserRow.id)
        .where(is_given_up(), UserRow.disabled_at.is_(None), or_(never.is_(None), ~never))
        .where(~exists().where(EffectRow.key == key))
        .order_by(WebhookEndpointRow.disabled_at, UserRow.id)
    )
    rows: Sequence[tuple[str, uuid.UUID]] = [(row[0], row[1]) for row in await session.execute(query)]
    return [PlannedMail(MailKind.ENDPOINT, each, user_id, ()) for each, user_id in rows]


async def is_still_given_up(session: AsyncSession, key: str, user_id: uuid.UUID) -> bool:
    """Tell whether that disablement still holds and its reader works here."""
    here = exists().where(UserRow.id == user_id, UserRow.disabled_at.is_(None))
    found = select(WebhookEndpointRow.key).where(is_given_up(), here, *_named(key))
    return await session.scalar(found) is not None


def _read(row: Sequence[Any]) -> GivenUp:
    return GivenUp(*row)


def _given_up() -> Select[Any]:
    row, message, attempt = WebhookEndpointRow, WebhookMessageRow, WebhookAttemptRow
    said = (
        select(attempt.error)
        .join(message, message.id == attempt.message_id)
        .where(message.endpoint == row.key, attempt.error.is_not(None))
        .order_by(attempt.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    waits = (message.endpoint == row.key, message.state == MessageState.WAITING)
    waiting = select(func.count()).where(*waits).scalar_subquery()
    columns = (row.key, row.url, row.disabled_at, row.disabled_reason, row.failing_since, said, waiting)
    return select(*columns).where(is_given_up())


def _moment() -> ColumnElement[int]:
    """Select when an endpoint was disabled, in microseconds: what tells one disablement from the next."""
    return cast(func.extract("epoch", WebhookEndpointRow.disabled_at) * 1_000_000, BigInteger)


def _named(mail_key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the condition of the disablement that a mail's key names."""
    _, endpoint, moment, _ = mail_key.split("/")
    return WebhookEndpointRow.key == endpoint, _moment() == int(moment)
