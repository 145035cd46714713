"""The accounts through which invoices are collected: opened by source, for as long as one call needs."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from domain.billing import BillingProvider
from domain.errors import PermanentProviderError
from models.ciphers import Cipher
from models.connections import Connection, load_connection
from models.database import Database

Opener = Callable[[Connection], AbstractAsyncContextManager[BillingProvider]]
OPENERS: Mapping[str, Opener] = {}
"""How the account of a connection is opened, by provider."""


class BillingAccounts:
    """Opens the billing provider behind a source."""

    def __init__(self, database: Database, cipher: Cipher, openers: Mapping[str, Opener] = OPENERS) -> None:
        """Take where connections are kept, and who opens which provider."""
        self._database, self._cipher, self._openers = database, cipher, openers

    @asynccontextmanager
    async def open(self, source_id: str) -> AsyncIterator[BillingProvider]:
        """Open an account; NotFoundError without a connection, PermanentProviderError without an adapter."""
        async with self._database.transaction() as session:
            connection = await load_connection(session, source_id, self._cipher)
        opener = self._openers.get(connection.provider)
        if opener is None:
            reason = "invoices of this connection can be read, and not collected"
            raise PermanentProviderError(provider=connection.provider, reason=reason)
        async with opener(connection) as provider:
            yield provider
