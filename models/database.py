"""The engine and the one way to a transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from models.query_tally import watch
from models.tables import registry  # noqa: F401 - a foreign key is only found where its table is known
from models.unstorable import unstorable_is_invalid

Session = AsyncSession
"""What repositories take, by a name for those above models, who know no SQLAlchemy."""


def async_url(database_url: str) -> str:
    """Return the URL with the driver that we use (psycopg 3), whatever its spelling was."""
    _scheme, rest = database_url.split("://", 1)
    return f"postgresql+psycopg://{rest}"


class Database:
    """Hands out transactions. One request or one activity attempt is one of them."""

    def __init__(self, database_url: str, *, pool_size: int = 10) -> None:
        """Connect lazily; `pool_size` bounds the connections of this process."""
        self._engine = create_async_engine(
            async_url(database_url),
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        watch(self._engine.sync_engine)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self.url = database_url

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Yield a session inside one transaction: committed at the end, rolled back on any error.

        Raises InvalidInputError for a value that no column can hold.
        """
        with unstorable_is_invalid():
            async with self._sessions() as session, session.begin():
                yield session

    async def is_up(self) -> bool:
        """Whether a query is answered now."""
        try:
            async with self._engine.connect() as connection:
                return bool(await connection.scalar(text("SELECT 1")) == 1)
        except (SQLAlchemyError, OSError):
            return False

    async def close(self) -> None:
        """Give every connection back."""
        await self._engine.dispose()
