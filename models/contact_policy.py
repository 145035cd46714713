"""The contact policy as an administrator has it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact_policy import ContactPolicy
from models.tables.system import PolicyRow

KEY = "contact"


async def load_contact_policy(session: AsyncSession) -> ContactPolicy:
    """Return the policy in force, the default until somebody changes it."""
    document = await session.scalar(select(PolicyRow.document).where(PolicyRow.key == KEY))
    return ContactPolicy() if document is None else ContactPolicy.model_validate(document)
