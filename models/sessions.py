"""Signed-in browsers. Their time is wall time: a compressed business clock signs nobody out."""

import datetime as dt
import uuid

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import WallInstant
from models.secrets import new_secret, secret_hash
from models.tables.people import SessionRow, UserRow

IDLE = dt.timedelta(hours=12)
ABSOLUTE = dt.timedelta(days=7)
TOUCH = dt.timedelta(minutes=1)
"""`seen_at` is written at most this often: a page view need not be a write."""


async def start_session(session: AsyncSession, user_id: uuid.UUID, wall: WallInstant) -> str:
    """Open a session under a fresh secret and return it; sweeps expired ones away on the way."""
    await session.execute(delete(SessionRow).where(SessionRow.expires_at <= wall))
    token = new_secret()
    values = {"id": secret_hash(token), "user_id": user_id, "created_at": wall, "seen_at": wall}
    await session.execute(insert(SessionRow).values(**values, expires_at=wall + ABSOLUTE))
    return token


async def session_user_id(session: AsyncSession, token: str, wall: WallInstant) -> uuid.UUID | None:
    """Return whose session it is, None when it expired, was ended, or its user is disabled."""
    key = secret_hash(token)
    query = select(SessionRow.user_id, SessionRow.seen_at).join(UserRow, UserRow.id == SessionRow.user_id)
    row = (
        await session.execute(
            query.where(
                SessionRow.id == key,
                SessionRow.expires_at > wall,
                SessionRow.seen_at > wall - IDLE,
                UserRow.disabled_at.is_(None),
            )
        )
    ).one_or_none()
    if row is None:
        return None
    if wall - row.seen_at > TOUCH:
        await session.execute(update(SessionRow).where(SessionRow.id == key).values(seen_at=wall))
    user_id: uuid.UUID = row.user_id
    return user_id


async def end_session(session: AsyncSession, token: str) -> None:
    """Sign one browser out."""
    await session.execute(delete(SessionRow).where(SessionRow.id == secret_hash(token)))


async def end_sessions_of(session: AsyncSession, user_id: uuid.UUID) -> None:
    """Sign a user out everywhere."""
    await session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))
