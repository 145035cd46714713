"""The contact policy as an administrator has it."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact_policy import ContactPolicy, stored_contact_policy
from domain.time import BusinessInstant
from models.policies import put_policy
from models.tables.system import PolicyRow

KEY = "contact"


async def load_contact_policy(session: AsyncSession) -> ContactPolicy:
    """Return the policy in force, the default until somebody changes it."""
    return stored_contact_policy(await session.scalar(select(PolicyRow.document).where(PolicyRow.key == KEY)))


async def save_contact_policy(
    session: AsyncSession, policy: ContactPolicy, user_id: uuid.UUID | None, now: BusinessInstant
) -> None:
    """Put the whole policy in force at once; what waits is asked by it when its time comes."""
    await put_policy(session, KEY, policy.model_dump(mode="json", by_alias=True), user_id, now)
