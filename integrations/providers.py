"""Which reader belongs to which provider: the only place that knows them all."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.crm import CRMS, CrmWriter
from domain.errors import InvalidInputError
from domain.pulling import PullReader
from integrations.hubspot_client import HubSpotReader, hubspot_account
from integrations.hubspot_writer import HubSpotWriter
from integrations.provider_http import Account, ProviderHttp
from integrations.stripe_client import StripeReader, stripe_account
from integrations.warehouse_reader import WarehouseReader
from integrations.zendesk_client import ZendeskReader, zendesk_account

Options = Mapping[str, Any]
Secrets = Mapping[str, str]


@dataclass(frozen=True)
class Provider:
    """How one provider is reached and read, and which kinds of fact it can tell."""

    account: Callable[[Options, Secrets], Account]
    reader: Callable[[ProviderHttp, Options], PullReader]
    provides: tuple[str, ...]
    """Beside customers, which only one source of an installation should keep."""


PROVIDERS: Mapping[str, Provider] = {
    "hubspot": Provider(hubspot_account, HubSpotReader, ("contacts", "meetings", "touchpoints")),
    "zendesk": Provider(zendesk_account, ZendeskReader, ("contacts", "tickets", "surveys")),
    "stripe": Provider(
        stripe_account, lambda http, _: StripeReader(http), ("subscriptions", "invoices", "cancellations")
    ),
}
"""Zendesk's comments are touchpoints, but a desk that nobody writes to is no silence: it provides none."""


LOOK_UP_TRIES = 2
"""A look-up happens within the lease of an effect; what fails is tried again by the activity."""
WAREHOUSE = "warehouse"
READ = frozenset({*PROVIDERS, WAREHOUSE})
"""Every provider that we go and read."""


@contextlib.asynccontextmanager
async def open_reader(provider: str, options: Options, secrets: Secrets) -> AsyncIterator[PullReader]:
    """Open a connection's reader, and close its connections at the end."""
    if provider == WAREHOUSE:
        reader = WarehouseReader(options, secrets)
        try:
            yield reader
        finally:
            reader.close()
        return
    found = PROVIDERS.get(provider)
    if found is None:
        raise InvalidInputError(field="provider", reason=f"{provider} is not one that is read")
    http = ProviderHttp(found.account(options, secrets))
    try:
        yield found.reader(http, options)
    finally:
        await http.close()


@contextlib.asynccontextmanager
async def open_crm_writer(provider: str, options: Options, secrets: Secrets) -> AsyncIterator[CrmWriter]:
    """Open the writer of a CRM's connection, and close its connections at the end."""
    if provider not in CRMS:
        raise InvalidInputError(field="provider", reason=f"{provider} is not one that is written to")
    http = ProviderHttp(hubspot_account(options, secrets), tries=LOOK_UP_TRIES)
    try:
        yield HubSpotWriter(http)
    finally:
        await http.close()
