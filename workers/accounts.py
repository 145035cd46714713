"""What `everstay user` does, apart from reading the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import available_timezones

from domain.errors import InvalidInputError
from domain.vocabulary import Role
from models.clock import wall_now
from models.database import Session
from models.passwords import PasswordHashing
from models.users import User, add_user, create_sign_in_link, find_user_by_email, set_password_hash


@dataclass(frozen=True)
class NewUser:
    """Somebody to add."""

    email: str
    name: str
    role: Role
    title: str = ""
    team: str | None = None
    manager: str | None = None
    time_zone: str = "UTC"


async def add_account(session: Session, wanted: NewUser, password: str) -> User:
    """Add someone with a password; the manager is named by address."""
    if wanted.time_zone not in available_timezones():
        reason = f"{wanted.time_zone!r} is no time zone; one is Europe/Berlin"
        raise InvalidInputError(field="time_zone", reason=reason)
    manager = await find_user_by_email(session, wanted.manager) if wanted.manager else None
    return await add_user(
        session,
        wanted.email,
        wanted.name,
        wanted.role,
        wall_now(),
        title=wanted.title,
        team=wanted.team,
        time_zone=wanted.time_zone,
        manager_id=manager.id if manager else None,
        password_hash=PasswordHashing().hash(password),
    )


async def change_password(session: Session, email: str, password: str) -> None:
    """Set a new password and end the sessions that the old one opened."""
    user = await find_user_by_email(session, email)
    await set_password_hash(session, user.id, PasswordHashing().hash(password))


async def sign_in_path(session: Session, email: str, *, local_only: bool) -> str:
    """Make a sign-in link and return its path; refuses for a disabled user, whom it would not sign in."""
    user = await find_user_by_email(session, email)
    if user.disabled_at is not None:
        raise InvalidInputError(field="email", reason=f"{user.email} is disabled; enable them first")
    return await create_sign_in_link(session, user.id, wall_now(), local_only=local_only)


def as_rows(users: Sequence[User]) -> list[dict[str, object]]:
    """Return users as JSON shows them."""
    return [
        {
            "email": user.email,
            "name": user.name,
            "role": str(user.role),
            "title": user.title,
            "team": user.team,
            "disabled_at": user.disabled_at.isoformat() if user.disabled_at else None,
        }
        for user in users
    ]


def as_table(users: Sequence[User]) -> str:
    """Return users as people read them, one a line."""
    if not users:
        return "Nobody yet. Add someone: everstay user add EMAIL --role admin"
    width = max(len(user.email) for user in users)
    return "\n".join(
        f"{user.email:<{width}}  {user.role:<9}  {user.name}{' (disabled)' if user.disabled_at else ''}"
        for user in users
    )
