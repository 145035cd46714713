"""The dunning policy as an administrator has it."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dunning_policy import DunningPolicy, stored_dunning_policy
from domain.time import BusinessInstant
from models.policies import put_policy
from models.tables.system import PolicyRow

KEY = "dunning"


async def load_dunning_policy(session: AsyncSession) -> DunningPolicy:
    """Return the policy in force, the default until somebody changes it."""
    return stored_dunning_policy(await session.scalar(select(PolicyRow.document).where(PolicyRow.key == KEY)))


async def save_dunning_policy(
    session: AsyncSession, policy: DunningPolicy, user_id: uuid.UUID | None, now: BusinessInstant
) -> None:
    """Put the whole policy in force: for cases that are opened from now on."""
    await put_policy(session, KEY, policy.model_dump(mode="json", by_alias=True), user_id, now)
