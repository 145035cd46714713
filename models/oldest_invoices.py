"""The oldest open invoice of a customer that can be collected, and its case."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import BILLING_PROVIDERS
from domain.time import BusinessInstant, WallInstant
from models.dunnings import open_dunning
from models.tables.cases import CaseStepRow, DunningRow
from models.tables.connections import ConnectionRow
from models.tables.facts import InvoiceRow


async def oldest_case(
    session: AsyncSession,
    customer_id: uuid.UUID,
    step: str,
    sentence: str,
    now: BusinessInstant,
    wall: WallInstant,
) -> uuid.UUID | None:
    """Return the case in which a step was begun, else that of the oldest open invoice, opened if need be.

    None where nothing is owed that could be collected. The caller holds the customer's lock.
    """
    begun = await session.scalar(select(CaseStepRow.case_id).where(CaseStepRow.step == step).limit(1))
    if begun is not None:
        return begun
    invoice, row = InvoiceRow, DunningRow
    query = (
        select(invoice.id, row.case_id)
        .join(ConnectionRow, ConnectionRow.source_id == invoice.source_id)
        .outerjoin(row, row.invoice_id == invoice.id)
        .where(
            invoice.customer_id == customer_id,
            invoice.status == "open",
            invoice.amount_due_minor > invoice.amount_paid_minor,
            ConnectionRow.provider.in_(BILLING_PROVIDERS),
        )
        .order_by(invoice.due_at, invoice.id)
        .limit(1)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    return found.case_id or await open_dunning(session, found.id, sentence, now, wall)
