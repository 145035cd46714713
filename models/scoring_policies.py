"""Changes the scoring policy, one change at a time: two people who edit two parts of it lose neither."""

import uuid
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

from domain.scoring_policy import POLICY_KEY, ScoringPolicy
from domain.time import BusinessInstant
from models.policies import hold_policy, put_policy
from models.scores import load_policy


async def change_policy(
    session: AsyncSession,
    change: Callable[[ScoringPolicy], ScoringPolicy],
    user_id: uuid.UUID | None,
    now: BusinessInstant,
) -> ScoringPolicy:
    """Put what `change` makes of the policy in force; it sees the newest one, under a lock."""
    await hold_policy(session, POLICY_KEY)
    wanted = change(await load_policy(session))
    document = wanted.model_dump(mode="json", exclude_defaults=True)
    await put_policy(session, POLICY_KEY, document, user_id, now)
    return wanted
