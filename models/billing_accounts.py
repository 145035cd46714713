"""Through which account an invoice is collected: that of the connection which told of it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import BILLING_PROVIDERS, Retries, retries_of
from domain.errors import NotFoundError
from models.ciphers import Cipher
from models.connections import load_connection
from models.tables.facts import InvoiceRow


@dataclass(frozen=True)
class BillingAccount:
    """One account at a billing provider. Its secrets are in no repr and no log."""

    source_id: str
    provider: str
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    retries: Retries = Retries.PROVIDER
    """Who tries a failed charge again; we do only where it is declared."""


async def find_billing_account(
    session: AsyncSession, invoice_id: uuid.UUID, cipher: Cipher
) -> BillingAccount | None:
    """Return the account through which an invoice is collected.

    None where there is none: the invoice came by a file or from a system that only tells of it, or its
    connection has no key. Raises NotFoundError for an unknown invoice, and UnreadableSecretsError.
    """
    source_id = await session.scalar(select(InvoiceRow.source_id).where(InvoiceRow.id == invoice_id))
    if source_id is None:
        raise NotFoundError(what="invoice", key=str(invoice_id))
    return await billing_account_of(session, source_id, cipher)


async def billing_account_of(session: AsyncSession, source_id: str, cipher: Cipher) -> BillingAccount | None:
    """Return the account of a source, None where nothing can be billed through it."""
    try:
        found = await load_connection(session, source_id, cipher)
    except NotFoundError:
        return None
    if found.provider not in BILLING_PROVIDERS or not found.secrets.get("token"):
        return None
    return BillingAccount(source_id, found.provider, found.options, found.secrets, retries_of(found.options))
