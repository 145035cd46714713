"""The sending policy as an administrator has it."""

import uuid

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.sending import SendingPolicy, hour_of, stored_sending_policy
from domain.time import BusinessInstant
from models.policies import put_policy
from models.tables.mail import SendingHourRow
from models.tables.system import PolicyRow

KEY = "sending"


async def load_sending_policy(session: AsyncSession) -> SendingPolicy:
    """Return the policy in force: no caps until somebody sets some. Raises StoredSendingPolicyError."""
    return stored_sending_policy(await session.scalar(select(PolicyRow.document).where(PolicyRow.key == KEY)))


async def save_sending_policy(
    session: AsyncSession, policy: SendingPolicy, user_id: uuid.UUID | None, now: BusinessInstant
) -> None:
    """Put the whole policy in force at once; what a warm-up has earned is judged anew from then on."""
    await put_policy(session, KEY, policy.model_dump(mode="json"), user_id, now)
    current = update(SendingHourRow).where(SendingHourRow.hour >= hour_of(now))
    await session.execute(current.values(earned_per_day=None, earned_because=None))
