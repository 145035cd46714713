"""How often someone tried to sign in: counted before the password is looked at, per address and account."""

import datetime as dt

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.permissions import TooManyAttemptsError
from domain.time import WallInstant
from models.secrets import secret_hash
from models.tables.people import SignInAttemptRow

WINDOW = dt.timedelta(minutes=15)
PER_ACCOUNT = 5
PER_ADDRESS = 50


def _account(email: str) -> str:
    """People type passwords into the wrong field: what they typed is kept as a hash only."""
    return secret_hash(email.strip().lower())


async def count_attempt(session: AsyncSession, address: str, email: str, wall: WallInstant) -> None:
    """Record an attempt; commit before `refuse_too_many` counts, so that parallel guesses see each other."""
    await session.execute(delete(SignInAttemptRow).where(SignInAttemptRow.attempted_at < wall - WINDOW))
    values = {"address": address, "account_hash": _account(email), "attempted_at": wall}
    await session.execute(insert(SignInAttemptRow).values(**values))


async def refuse_too_many(session: AsyncSession, address: str, email: str, wall: WallInstant) -> None:
    """Raise TooManyAttemptsError when this address tried too often, this account or any."""
    is_same = SignInAttemptRow.account_hash == _account(email)
    query = select(func.count(), func.count().filter(is_same)).where(
        SignInAttemptRow.address == address, SignInAttemptRow.attempted_at >= wall - WINDOW
    )
    of_address, of_account = (await session.execute(query)).one()
    if of_account > PER_ACCOUNT or of_address > PER_ADDRESS:
        raise TooManyAttemptsError(minutes=int(WINDOW.total_seconds() // 60))


async def forget_attempts(session: AsyncSession, address: str, email: str) -> None:
    """Start the count anew after a success."""
    await session.execute(
        delete(SignInAttemptRow).where(
            SignInAttemptRow.address == address, SignInAttemptRow.account_hash == _account(email)
        )
    )
