"""What the page behind a letter of a case shows now, from what we know: the provider is not asked."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import BILLING_PROVIDERS, InvoiceStatus
from domain.billing_pages import BillingPage, InvoicePage, PageOffer, ReturnPage
from domain.case_vocabulary import CaseKind, OfferState
from domain.links import BillingLink
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus
from models.cases import StoredCase, read_case
from models.installation import load_installation
from models.offers import offers_of
from models.payers import find_payer
from models.tables.cases import DunningRow
from models.tables.connections import ConnectionRow
from models.tables.customers import ContactRoleRow, CustomerRow
from models.tables.facts import InvoiceRow


async def load_billing_page(
    session: AsyncSession, link: BillingLink, now: BusinessInstant
) -> BillingPage | None:
    """Return the page of a link, None for a person who is nobody at the customer any more.

    Raises NotFoundError for a case that there is not.
    """
    case = await read_case(session, link.case_id)
    if not await _belongs(session, link.contact_id, case.customer_id):
        return None
    if case.kind is CaseKind.DUNNING:
        return await _invoice_page(session, case)
    return await _return_page(session, case, now)


async def _belongs(session: AsyncSession, contact_id: uuid.UUID, customer_id: uuid.UUID) -> bool:
    row = ContactRoleRow
    theirs = (row.contact_id == contact_id, row.customer_id == customer_id, row.until.is_(None))
    return await session.scalar(select(row.id).where(*theirs).limit(1)) is not None


async def _invoice_page(session: AsyncSession, case: StoredCase) -> InvoicePage:
    row, invoice, customer = DunningRow, InvoiceRow, CustomerRow
    query = (
        select(invoice, row.source_id, row.collection, customer.name, customer.status, ConnectionRow.provider)
        .join(row, row.invoice_id == invoice.id)
        .join(customer, customer.id == invoice.customer_id)
        .outerjoin(ConnectionRow, ConnectionRow.source_id == row.source_id)
        .where(row.case_id == case.id)
    )
    found, source_id, collection, name, status, provider = (await session.execute(query)).one()
    return InvoicePage(
        source_id=source_id,
        invoice_key=found.external_id,
        customer_name=name,
        product_name=(await load_installation(session)).product_name,
        number=found.number or found.external_id,
        status=InvoiceStatus(found.status),
        collection=collection,
        remaining_minor=max(found.amount_due_minor - found.amount_paid_minor, 0),
        currency=found.currency,
        due_on=found.due_at.date(),
        is_customer=status is not CustomerStatus.CHURNED,
        can_ask=provider in BILLING_PROVIDERS,
    )


async def _return_page(session: AsyncSession, case: StoredCase, now: BusinessInstant) -> ReturnPage:
    query = select(CustomerRow.name, CustomerRow.status).where(CustomerRow.id == case.customer_id)
    name, status = (await session.execute(query)).one()
    payer = await find_payer(session, case.customer_id)
    return ReturnPage(
        source_id=payer.source_id if payer is not None else None,
        customer_key=payer.customer_key if payer is not None else "",
        subscription_key=payer.subscription_key if payer is not None else None,
        customer_name=name,
        product_name=(await load_installation(session)).product_name,
        is_customer=status is not CustomerStatus.CHURNED,
        offer=await _offer(session, case.id, now),
    )


async def _offer(session: AsyncSession, case_id: uuid.UUID, now: BusinessInstant) -> PageOffer | None:
    """Return the newest offer that was made at the provider, whatever became of it."""
    for one in reversed(await offers_of(session, case_id)):
        if one.provider_key and one.code:
            in_time = one.expires_at is None or one.expires_at > now
            ends_on = one.expires_at.date() if one.expires_at is not None else None
            is_open = one.state is OfferState.GRANTED and in_time
            return PageOffer(one.title, one.code, one.provider_key, ends_on, is_open)
    return None
