"""Our own users: who they are, and what an administrator may change about them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.time import WallInstant
from domain.vocabulary import Role
from models.sessions import end_sessions_of
from models.sign_in_links import create_sign_in_link
from models.tables.people import SignInLinkRow, UserRow

__all__ = [
    "User",
    "add_user",
    "create_sign_in_link",
    "disable_user",
    "enable_user",
    "find_user",
    "find_user_by_email",
    "list_users",
    "password_hash_of",
    "set_password_hash",
    "set_role",
]


@dataclass(frozen=True)
class User:
    """One of ours, without the password."""

    id: uuid.UUID
    email: str
    name: str
    role: Role
    title: str
    team: str | None
    manager_id: uuid.UUID | None
    time_zone: str
    disabled_at: WallInstant | None


COLUMNS = (
    UserRow.id,
    UserRow.email,
    UserRow.name,
    UserRow.role,
    UserRow.title,
    UserRow.team,
    UserRow.manager_id,
    UserRow.time_zone,
    UserRow.disabled_at,
)


def _is_email(email: str) -> ColumnElement[bool]:
    return func.lower(UserRow.email) == email.strip().lower()


async def _one(session: AsyncSession, condition: ColumnElement[bool]) -> User | None:
    row = (await session.execute(select(*COLUMNS).where(condition))).one_or_none()
    return User(*row) if row else None


async def find_user(session: AsyncSession, user_id: uuid.UUID) -> User | None:
    """Return the user with this id."""
    return await _one(session, UserRow.id == user_id)


async def find_user_by_email(session: AsyncSession, email: str) -> User:
    """Return the user with this address in any case; raises NotFoundError."""
    user = await _one(session, _is_email(email))
    if user is None:
        raise NotFoundError(what="user", key=email)
    return user


async def list_users(session: AsyncSession) -> Sequence[User]:
    """Return everyone, disabled ones too, by name."""
    rows = await session.execute(select(*COLUMNS).order_by(func.lower(UserRow.name), UserRow.id))
    return [User(*row) for row in rows]


async def add_user(  # noqa: PLR0913  the columns of a user, by keyword
    session: AsyncSession,
    email: str,
    name: str,
    role: Role,
    wall: WallInstant,
    *,
    title: str = "",
    team: str | None = None,
    time_zone: str = "UTC",
    manager_id: uuid.UUID | None = None,
    password_hash: str | None = None,
) -> User:
    """Add someone; raises ConflictError where the address is taken."""
    address = _checked_email(email)
    user = User(
        uuid.uuid4(), address, name.strip() or address, role, title, team, manager_id, time_zone, None
    )
    values = {**vars(user), "password_hash": password_hash, "created_at": wall}
    try:
        async with session.begin_nested():
            await session.execute(insert(UserRow).values(**values))
    except IntegrityError as error:
        raise ConflictError(what=f"the user {address}", reason="the address is taken") from error
    return user


def _checked_email(email: str) -> str:
    address = email.strip()
    name, at, host = address.rpartition("@")
    if not (name and at and "." in host) or any(each.isspace() for each in address):
        raise InvalidInputError(field="email", reason=f"{email!r} is not an e-mail address")
    return address


async def set_role(session: AsyncSession, email: str, role: Role) -> User:
    """Change what someone may do, from their next request on; the last administrator stays one."""
    user = await find_user_by_email(session, email)
    if role is not Role.ADMIN:
        await _keep_an_admin(session, user)
    await session.execute(update(UserRow).where(UserRow.id == user.id).values(role=role))
    return await find_user_by_email(session, email)


async def disable_user(session: AsyncSession, email: str, wall: WallInstant) -> User:
    """End someone's access and their sessions at once; the last administrator keeps it."""
    user = await find_user_by_email(session, email)
    await _keep_an_admin(session, user)
    await session.execute(update(UserRow).where(UserRow.id == user.id).values(disabled_at=wall))
    await end_sessions_of(session, user.id)
    await session.execute(delete(SignInLinkRow).where(SignInLinkRow.user_id == user.id))
    return await find_user_by_email(session, email)


async def enable_user(session: AsyncSession, email: str) -> User:
    """Give a disabled user their access back."""
    user = await find_user_by_email(session, email)
    await session.execute(update(UserRow).where(UserRow.id == user.id).values(disabled_at=None))
    return await find_user_by_email(session, email)


async def _keep_an_admin(session: AsyncSession, user: User) -> None:
    """Refuse to lose the last one. The rows are locked, so that two cannot demote each other at once."""
    query = select(UserRow.id).where(UserRow.role == Role.ADMIN, UserRow.disabled_at.is_(None))
    admins = set(await session.scalars(query.order_by(UserRow.id).with_for_update()))
    if admins == {user.id}:
        reason = "they are the last administrator; make someone else admin first"
        raise ConflictError(what=f"the user {user.email}", reason=reason)


async def password_hash_of(session: AsyncSession, email: str) -> tuple[User, str | None] | None:
    """Return an enabled user with the stored hash; None when there is no such one."""
    query = select(*COLUMNS, UserRow.password_hash).where(_is_email(email), UserRow.disabled_at.is_(None))
    row = (await session.execute(query)).one_or_none()
    columns: list[Any] = list(row or ())
    return (User(*columns[:-1]), columns[-1]) if columns else None


async def set_password_hash(session: AsyncSession, user_id: uuid.UUID, password_hash: str) -> None:
    """Store a new password and end every session that the old one opened."""
    await session.execute(update(UserRow).where(UserRow.id == user_id).values(password_hash=password_hash))
    await end_sessions_of(session, user_id)
