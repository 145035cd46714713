"""The one mail to each manager when many customers' signals are held back at once."""

import uuid
from collections.abc import Sequence

from sqlalchemy import exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.heads_up_mail import FRESH, MailKind, PlannedMail
from domain.notifications import MailChoice
from domain.time import BusinessInstant
from domain.vocabulary import Role
from models.mass_alerts import HELD
from models.tables.ledger import EffectRow
from models.tables.people import NotificationPreferenceRow, UserRow
from models.tables.scoring import MassAlertRow


async def plan_held(session: AsyncSession, now: BusinessInstant) -> list[PlannedMail]:
    """Return a mail per held alert and manager, unless they never want to hear of what is high."""
    key = func.concat("mass-alert/", MassAlertRow.id, literal("/held/"), UserRow.id)
    never = NotificationPreferenceRow.high == MailChoice.NEVER
    query = (
        select(key, UserRow.id)
        .select_from(MassAlertRow)
        .join(UserRow, UserRow.role == Role.MANAGER)
        .outerjoin(NotificationPreferenceRow, NotificationPreferenceRow.user_id == UserRow.id)
        .where(MassAlertRow.state == HELD, MassAlertRow.opened_at > now - FRESH)
        .where(UserRow.disabled_at.is_(None), or_(never.is_(None), ~never))
        .where(~exists().where(EffectRow.key == key))
        .order_by(MassAlertRow.opened_at, UserRow.id)
    )
    rows: Sequence[tuple[str, uuid.UUID]] = [(row[0], row[1]) for row in await session.execute(query)]
    return [PlannedMail(MailKind.MASS_HELD, each, user_id, ()) for each, user_id in rows]


async def is_still_held(session: AsyncSession, key: str, user_id: uuid.UUID) -> bool:
    """Tell whether the alert of such a mail is held back and its reader works here."""
    held = select(MassAlertRow.id).where(MassAlertRow.id == alert_of(key), MassAlertRow.state == HELD)
    here = exists().where(UserRow.id == user_id, UserRow.disabled_at.is_(None))
    return await session.scalar(held.where(here)) is not None


def alert_of(key: str) -> uuid.UUID:
    """Return the alert that a key names."""
    return uuid.UUID(key.split("/")[1])
