"""The win-back policy as an administrator has it."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.win_back_policy import KEY, WinBackPolicy, stored_win_back_policy
from models.policies import put_policy
from models.tables.system import PolicyRow


async def load_win_back_policy(session: AsyncSession) -> WinBackPolicy:
    """Return the policy in force, the default until somebody changes it."""
    return stored_win_back_policy(
        await session.scalar(select(PolicyRow.document).where(PolicyRow.key == KEY))
    )


async def save_win_back_policy(
    session: AsyncSession, policy: WinBackPolicy, user_id: uuid.UUID | None, now: BusinessInstant
) -> None:
    """Put the whole policy in force; open cases go on by the one that they were opened with."""
    await put_policy(session, KEY, policy.model_dump(mode="json"), user_id, now)
