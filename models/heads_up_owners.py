"""Who looks after which warning: asked when one opens, and kept up when people come, go or are away."""

import uuid

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.heads_up_owner import Team, TeamMember, responsible
from domain.time import BusinessInstant
from models.changes import announce_change
from models.tables.people import NotificationPreferenceRow, UserRow

NOBODY = uuid.UUID(int=0)
"""In place of no owner, so that the database can compare."""
FOLLOW = text("""
UPDATE heads_ups SET owner_id = found.owner, owner_since = :now
FROM customers, unnest(CAST(:askers AS uuid[]), CAST(:owners AS uuid[])) AS found (asker, owner)
WHERE customers.id = heads_ups.customer_id AND heads_ups.state <> 'closed' AND heads_ups.follows_customer
  AND coalesce(customers.csm_id, CAST(:nobody AS uuid)) = found.asker
  AND heads_ups.owner_id IS DISTINCT FROM found.owner
""")
LEAVE = text("""
UPDATE heads_ups SET owner_id = found.owner, owner_since = :now
FROM unnest(CAST(:askers AS uuid[]), CAST(:owners AS uuid[])) AS found (asker, owner)
WHERE heads_ups.state <> 'closed' AND NOT heads_ups.follows_customer
  AND heads_ups.owner_id = found.asker AND found.owner <> found.asker
""")
"""A warning that was handed to somebody stays with them, away or not, until they leave."""


async def load_team(session: AsyncSession, now: BusinessInstant) -> Team:
    """Return all of ours as the rule sees them."""
    away = NotificationPreferenceRow.away_until
    query = select(
        UserRow.id, UserRow.role, UserRow.manager_id, UserRow.created_at, UserRow.disabled_at.is_(None), away
    ).outerjoin(NotificationPreferenceRow, NotificationPreferenceRow.user_id == UserRow.id)
    rows = (await session.execute(query)).all()
    members = [TeamMember(*row[:-1], is_away=row[-1] is not None and row[-1] > now) for row in rows]
    return {one.id: one for one in members}


async def owner_of_warning(
    session: AsyncSession, csm_id: uuid.UUID | None, now: BusinessInstant
) -> uuid.UUID | None:
    """Return who looks after the warnings of a customer with this owner."""
    return responsible(csm_id, await load_team(session, now))


async def settle_owners(session: AsyncSession, now: BusinessInstant) -> int:
    """Bring every open warning to whoever looks after it now; return how many moved."""
    team = await load_team(session, now)
    askers = [None, *team]
    owners = [responsible(asker, team) for asker in askers]
    values = {"askers": [asker or NOBODY for asker in askers], "owners": owners, "now": now}
    moved = getattr(await session.execute(FOLLOW, {**values, "nobody": NOBODY}), "rowcount", 0)
    gone = [one.id for one in team.values() if not one.is_enabled]
    if gone:
        heirs = {"askers": gone, "owners": [responsible(one, team) for one in gone], "now": now}
        moved += getattr(await session.execute(LEAVE, heirs), "rowcount", 0)
    if moved:
        await announce_change(session)
    return int(moved)
