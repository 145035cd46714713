"""Which adapter belongs to which billing provider: the only place that knows them."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from domain.billing import BillingProvider, retries_of
from domain.errors import PermanentProviderError
from domain.timeline import Timeline, timeline_of
from integrations.stripe_billing import StripeBilling
from integrations.stripe_http import account_of

Options = Mapping[str, Any]
Secrets = Mapping[str, str]


class ClosableProvider(BillingProvider, Protocol):
    """A provider that holds connections."""

    async def close(self) -> None:
        """Give them back."""
        ...


Opener = Callable[[Options, Secrets, Timeline], ClosableProvider]


def _stripe(options: Options, secrets: Secrets, timeline: Timeline) -> ClosableProvider:
    return StripeBilling(account_of(options, secrets), timeline, retries_of(options))


OPENERS: Mapping[str, Opener] = {"stripe": _stripe}


@contextlib.asynccontextmanager
async def open_billing(
    provider: str, options: Options, secrets: Secrets, timeline: Timeline
) -> AsyncIterator[BillingProvider]:
    """Open a connection's account, and close its connections at the end.

    `timeline` is the installation's; the option `clock=business` says that the provider lives on it. Raises
    PermanentProviderError without an adapter or a key.
    """
    opener = OPENERS.get(provider)
    if opener is None:
        reason = "invoices of this connection can be read, and not collected"
        raise PermanentProviderError(provider=provider, reason=reason)
    opened = opener(options, secrets, timeline_of(options, timeline))
    try:
        yield opened
    finally:
        await opened.close()
