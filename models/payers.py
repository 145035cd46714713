"""Who a customer is at a billing provider, and what they had there."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import BILLING_PROVIDERS
from models.customer_matching import GROUP
from models.tables.connections import ConnectionRow
from models.tables.customers import CustomerRow
from models.tables.facts import InvoiceRow, SubscriptionRow
from models.tables.tracking import IdentityRow
from models.terms import SEPARATOR

NEWEST_INVOICES = 3


@dataclass(frozen=True)
class Payer:
    """A customer at a provider that can be asked to bill them."""

    source_id: str
    """The connection."""
    customer_key: str
    subscription_key: str | None
    """The newest one that they had."""
    invoices: tuple[str, ...]
    """The newest few."""


async def find_payer(session: AsyncSession, customer_id: uuid.UUID) -> Payer | None:
    """Return who pays for a customer, at the connection that told of them last; None without one."""
    for source_id in await _connections(session):
        key = await _key(session, source_id, customer_id)
        if key is not None:
            return Payer(
                source_id,
                key,
                await _subscription(session, source_id, customer_id),
                await _invoices(session, source_id, customer_id),
            )
    return None


async def _connections(session: AsyncSession) -> list[str]:
    row = ConnectionRow
    query = select(row.source_id).where(row.provider.in_(BILLING_PROVIDERS), row.paused_at.is_(None))
    return list((await session.scalars(query.order_by(row.created_at.desc(), row.source_id))).all())


async def _key(session: AsyncSession, source_id: str, customer_id: uuid.UUID) -> str | None:
    """Return the provider's own key: it told of the customer first, or its key was matched with them."""
    told = select(CustomerRow.external_id).where(
        CustomerRow.id == customer_id, CustomerRow.source_id == source_id
    )
    row = IdentityRow
    matched = select(row.key).where(
        row.source_id == source_id, row.kind == GROUP, row.customer_id == customer_id, row.until.is_(None)
    )
    found: str | None = await session.scalar(told) or await session.scalar(matched.order_by(row.since.desc()))
    return found


async def _subscription(session: AsyncSession, source_id: str, customer_id: uuid.UUID) -> str | None:
    row = SubscriptionRow
    query = select(row.external_id).where(row.source_id == source_id, row.customer_id == customer_id)
    key = await session.scalar(query.order_by(row.started_at.desc(), row.external_id).limit(1))
    return None if key is None else key.split(SEPARATOR, 1)[0]


async def _invoices(session: AsyncSession, source_id: str, customer_id: uuid.UUID) -> tuple[str, ...]:
    row = InvoiceRow
    query = select(row.external_id).where(row.source_id == source_id, row.customer_id == customer_id)
    newest = query.order_by(row.issued_at.desc(), row.external_id).limit(NEWEST_INVOICES)
    return tuple((await session.scalars(newest)).all())
