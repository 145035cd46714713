"""Links that sign one user in, once."""

import datetime as dt
import uuid

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.permissions import LinkNotValidError
from domain.time import WallInstant
from models.secrets import new_secret, secret_hash
from models.tables.people import SignInLinkRow, UserRow

LIFETIME = dt.timedelta(hours=24)
PATH = "/sign-in/link/"


async def create_sign_in_link(
    session: AsyncSession, user_id: uuid.UUID, wall: WallInstant, *, local_only: bool = True
) -> str:
    """Make a link for one sign-in and return its path; only the hash of the token is kept."""
    token = new_secret()
    values = {
        "token_hash": secret_hash(token),
        "user_id": user_id,
        "local_only": local_only,
        "expires_at": wall + LIFETIME,
        "used_at": None,
    }
    await session.execute(insert(SignInLinkRow).values(**values))
    return PATH + token


async def link_owner(session: AsyncSession, token: str, wall: WallInstant, *, is_local: bool) -> str:
    """Return the name of whom the link would sign in, without using it; raises LinkNotValidError."""
    query = select(UserRow.name).join(SignInLinkRow, SignInLinkRow.user_id == UserRow.id)
    name = await session.scalar(query.where(*_is_valid(token, wall, is_local=is_local)))
    if name is None:
        raise LinkNotValidError
    return name


async def use_sign_in_link(
    session: AsyncSession, token: str, wall: WallInstant, *, is_local: bool
) -> uuid.UUID:
    """Use the link up and return its user; a second use, however close, raises LinkNotValidError."""
    statement = (
        update(SignInLinkRow)
        .where(SignInLinkRow.user_id == UserRow.id, *_is_valid(token, wall, is_local=is_local))
        .values(used_at=wall)
        .returning(SignInLinkRow.user_id)
    )
    user_id = await session.scalar(statement)
    if user_id is None:
        raise LinkNotValidError
    return user_id


def _is_valid(token: str, wall: WallInstant, *, is_local: bool) -> list[ColumnElement[bool]]:
    conditions = [
        SignInLinkRow.token_hash == secret_hash(token),
        SignInLinkRow.used_at.is_(None),
        SignInLinkRow.expires_at > wall,
        UserRow.disabled_at.is_(None),
    ]
    return conditions if is_local else [*conditions, SignInLinkRow.local_only.is_(False)]
