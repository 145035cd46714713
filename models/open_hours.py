"""When a customer's people may be written to: their zone, their holidays, and the tenant's policy."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact_slots import OpenHours
from domain.time import BusinessInstant
from models.contact_policy import load_contact_policy
from models.days_off import days_off
from models.tables.customers import CustomerRow


async def open_hours(session: AsyncSession, customer: CustomerRow, now: BusinessInstant) -> OpenHours:
    """Return the hours of one customer."""
    policy = await load_contact_policy(session)
    closed = days_off(policy, customer.country, now)
    return OpenHours(str(customer.id), customer.time_zone, closed, policy.budget)


async def next_opening(
    session: AsyncSession, customer_id: uuid.UUID, now: BusinessInstant
) -> BusinessInstant | None:
    """Return when doors open for a customer, None where they are open now."""
    customer = (await session.scalars(select(CustomerRow).where(CustomerRow.id == customer_id))).one()
    opens_at = (await open_hours(session, customer, now)).opening(now)
    return opens_at if opens_at > now else None
