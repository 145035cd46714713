"""The accounts through which invoices are collected: opened by source, for as long as one call needs."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from domain.billing import BillingProvider
from domain.errors import PermanentProviderError
from domain.ports import Clock
from domain.timeline import Timeline
from models.billing_accounts import billing_account_of
from models.ciphers import Cipher
from models.clock import load_timeline, start_clock
from models.database import Database

OpenAccount = Callable[
    [str, Mapping[str, Any], Mapping[str, str], Timeline], AbstractAsyncContextManager[BillingProvider]
]
"""Opens an account of a provider with its options and secrets; the adapters are behind it."""


class BillingAccounts:
    """Opens the billing provider behind a source."""

    def __init__(self, database: Database, clock: Clock, cipher: Cipher, open_account: OpenAccount) -> None:
        """Take where connections are kept, what opens their secrets, and what opens an account."""
        self._database, self._clock, self._cipher = database, clock, cipher
        self._open_account = open_account

    @asynccontextmanager
    async def open(self, source_id: str) -> AsyncIterator[BillingProvider]:
        """Open an account; PermanentProviderError where nothing can be billed through the source."""
        async with self._database.transaction() as session:
            account = await billing_account_of(session, source_id, self._cipher)
            timeline = await load_timeline(session) or await start_clock(session, self._clock.wall_now())
        if account is None:
            reason = "it has no billing connection with a key; its invoices can be read, and not collected"
            raise PermanentProviderError(provider=source_id, reason=reason)
        opening = self._open_account(account.provider, account.options, account.secrets, timeline)
        async with opening as provider:
            yield provider
