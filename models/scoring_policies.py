"""Changes the scoring policy, one change at a time: two people who edit two parts of it lose neither."""

import uuid
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.scoring_policy import POLICY_KEY, ScoringPolicy
from domain.time import BusinessInstant
from models.scores import load_policy
from models.tables.system import PolicyRow


async def change_policy(
    session: AsyncSession,
    change: Callable[[ScoringPolicy], ScoringPolicy],
    user_id: uuid.UUID | None,
    now: BusinessInstant,
) -> ScoringPolicy:
    """Put what `change` makes of the policy in force; it sees the newest one, under a lock."""
    await session.execute(select(PolicyRow.key).where(PolicyRow.key == POLICY_KEY).with_for_update())
    wanted = change(await load_policy(session))
    values = {
        "key": POLICY_KEY,
        "document": wanted.model_dump(mode="json", exclude_defaults=True),
        "updated_at": now,
        "updated_by_id": user_id,
    }
    statement = upsert(PolicyRow).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
    return wanted
