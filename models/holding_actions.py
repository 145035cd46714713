"""What a person says of a held group: whose it is, that it is nobody's, or that it was a mistake.

Each waits until nobody attributes, so that no event passes by; the second stage then moves the events.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, NotFoundError
from domain.time import BusinessInstant, WallInstant
from models.attribution import ask_to_attribute, wait_to_attribute
from models.facts import store_facts
from models.facts_batch import fact_id
from models.identities import company_fact, mark
from models.rescoring import FACTS, ask_rescoring
from models.usage_rollups import recompute_usage

_TOLD = """
SELECT told.traits, known.id, known.customer_id FROM tracked_traits AS told
LEFT JOIN identities AS known ON known.source_id = told.source_id AND known.kind = 'group'
    AND known.key = told.key AND known.until IS NULL
WHERE told.source_id = :source_id AND told.kind = 'group' AND told.key = :key
"""
_LINK = """
INSERT INTO identities (id, source_id, kind, key, customer_id, since, made_by)
VALUES (gen_random_uuid(), :source_id, 'group', :key, CAST(:customer_id AS uuid), :now, :by)
"""
_END = "UPDATE identities SET until = :now WHERE id = :id"
_CUSTOMER = "SELECT id FROM customers WHERE id = :id FOR NO KEY UPDATE"
_TAKE_BACK = """
WITH mine AS MATERIALIZED (
    SELECT e.received_at, e.batch_id, e.position, e.source_id, e.message_id, e.kind, e.name,
           e.user_key, e.anonymous_key, e.occurred_at
    FROM usage_events AS used JOIN tracked_events AS e ON e.received_at = used.received_at
        AND e.source_id = used.source_id AND e.message_id = used.message_id
    LEFT JOIN tracked_traits AS p
        ON p.source_id = e.source_id AND p.kind = 'user' AND p.key = e.user_key
    LEFT JOIN tracked_traits AS a
        ON a.source_id = e.source_id AND a.kind = 'anonymous' AND a.key = e.anonymous_key
    WHERE used.customer_id = :customer_id AND used.source_id = :source_id
      AND COALESCE(e.group_key, p.group_key, a.group_key) = :key
), gone AS (
    DELETE FROM usage_events AS used USING mine
    WHERE used.received_at = mine.received_at AND used.source_id = mine.source_id
      AND used.message_id = mine.message_id
)
INSERT INTO held_events (received_at, batch_id, position, source_id, reason, user_key, anonymous_key,
                         group_key, name, occurred_at)
SELECT received_at, batch_id, position, source_id, 'unknown_group', user_key, anonymous_key, :key,
       CASE kind WHEN 'track' THEN name ELSE kind || ':' || COALESCE(name, 'unnamed') END, occurred_at
FROM mine
ON CONFLICT (received_at, batch_id, position) DO UPDATE SET
    reason = excluded.reason, group_key = excluded.group_key
"""
_LEAVE = """
WITH ended AS (
    UPDATE contact_roles AS role SET until = greatest(role.since, CAST(:now AS timestamptz))
    FROM contacts, identities, tracked_traits AS told
    WHERE role.customer_id = :customer_id AND role.until IS NULL AND contacts.id = role.contact_id
      AND contacts.source_id = :source_id AND identities.contact_id = contacts.id
      AND identities.source_id = :source_id AND identities.kind = 'user' AND told.source_id = :source_id
      AND told.kind = 'user' AND told.key = identities.key AND told.group_key = :key
    RETURNING role.id, role.customer_id
)
INSERT INTO fact_changes (fact_table, fact_id, customer_id, known_at, before)
SELECT 'contact_roles', id, customer_id, CAST(:now AS timestamptz), '{"until": null}' FROM ended
"""


@dataclass(frozen=True)
class GroupKey:
    """A group as its source names it."""

    source_id: str
    key: str


@dataclass(frozen=True)
class Said:
    """Who says it, and when."""

    by: str
    now: BusinessInstant
    wall: WallInstant


@dataclass(frozen=True)
class _Told:
    traits: dict[str, object]
    identity_id: uuid.UUID | None
    customer_id: uuid.UUID | None


async def link_group(session: AsyncSession, group: GroupKey, customer_id: uuid.UUID, said: Said) -> None:
    """Say whose a group is; its events are counted for them, and what comes later too."""
    told = await _look(session, group)
    if told.customer_id == customer_id:
        return
    if await session.scalar(text(_CUSTOMER), {"id": customer_id}) is None:
        raise NotFoundError(what="customer", key=customer_id)
    await _end(session, group, told, said)
    await _link(session, group, customer_id, said)


async def create_customer_of(session: AsyncSession, group: GroupKey, said: Said) -> uuid.UUID:
    """Make a customer of what was told of a group, and link it; return its id."""
    told = await _look(session, group)
    if told.customer_id is not None:
        raise ConflictError(what=f"Group {group.key}", reason="it is linked; unlink it first")
    fact = company_fact(group.key, told.traits, said.now)
    await store_facts(session, group.source_id, [fact], received_at=said.wall)
    customer_id = fact_id(group.source_id, "customer", group.key)
    await _end(session, group, told, said)
    await _link(session, group, customer_id, said)
    return customer_id


async def ignore_group(session: AsyncSession, group: GroupKey, said: Said) -> None:
    """Say that a group is nobody's customer; its events stay held, out of sight."""
    told = await _look(session, group)
    await _end(session, group, told, said)
    await _link(session, group, None, said)


async def unlink_group(session: AsyncSession, group: GroupKey, said: Said) -> None:
    """Take back what was said of a group: its events leave the customer and wait again."""
    told = await _look(session, group)
    if told.identity_id is None:
        raise ConflictError(what=f"Group {group.key}", reason="nothing holds that could be taken back")
    await _end(session, group, told, said)


async def _look(session: AsyncSession, group: GroupKey) -> _Told:
    await wait_to_attribute(session)
    values = {"source_id": group.source_id, "key": group.key}
    row = (await session.execute(text(_TOLD), values)).one_or_none()
    if row is None:
        raise NotFoundError(what="group", key=f"{group.source_id}/{group.key}")
    return _Told(*row)


async def _link(session: AsyncSession, group: GroupKey, customer_id: uuid.UUID | None, said: Said) -> None:
    values = {"source_id": group.source_id, "key": group.key, "customer_id": customer_id}
    await session.execute(text(_LINK), values | {"now": said.now, "by": said.by})
    await mark(session, "group", [(group.source_id, group.key)])
    await ask_to_attribute(session)


async def _end(session: AsyncSession, group: GroupKey, told: _Told, said: Said) -> None:
    """End what holds of a group now, and take its events and people from the customer it was."""
    if told.identity_id is None:
        return
    await session.execute(text(_END), {"id": told.identity_id, "now": said.now})
    if told.customer_id is None:
        return
    values = {"source_id": group.source_id, "key": group.key, "customer_id": told.customer_id}
    await session.execute(text(_CUSTOMER), {"id": told.customer_id})
    await session.execute(text(_TAKE_BACK), values)
    await session.execute(text(_LEAVE), values | {"now": said.now})
    await recompute_usage(session, [told.customer_id], said.now.date())
    await ask_rescoring(session, [told.customer_id], said.wall, FACTS)
