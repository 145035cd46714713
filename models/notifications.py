"""What each of ours wants by e-mail, and until when they are away."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.notifications import DEFAULTS, NotificationChoices
from domain.time import BusinessInstant, WallInstant
from models.tables.people import NotificationPreferenceRow

COLUMNS = (
    NotificationPreferenceRow.critical,
    NotificationPreferenceRow.high,
    NotificationPreferenceRow.medium,
    NotificationPreferenceRow.info,
)


@dataclass(frozen=True)
class Preferences:
    """One person's choices. While they are away, their warnings go to whoever stands in for them."""

    choices: NotificationChoices = DEFAULTS
    away_until: BusinessInstant | None = None


async def load_preferences(session: AsyncSession, user_id: uuid.UUID) -> Preferences:
    """Return a person's choices, the defaults until they choose."""
    query = select(*COLUMNS, NotificationPreferenceRow.away_until)
    row = (await session.execute(query.where(NotificationPreferenceRow.user_id == user_id))).one_or_none()
    return Preferences() if row is None else Preferences(NotificationChoices(*row[:-1]), row[-1])


async def save_preferences(
    session: AsyncSession, user_id: uuid.UUID, chosen: Preferences, wall: WallInstant
) -> None:
    """Put a person's choices in place of those before."""
    values = {**vars(chosen.choices), "away_until": chosen.away_until, "updated_at": wall}
    statement = upsert(NotificationPreferenceRow).values(user_id=user_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))
