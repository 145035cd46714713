"""What a person says of one contact: which tracked user it is, and which customers it belongs to, since when.

Each waits until nobody attributes, so that no event passes by; the second stage then moves the events.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import ContactRole
from models.attribution import ask_to_attribute, wait_to_attribute
from models.holding_actions import Said
from models.identities import mark
from models.rescoring import FACTS, ask_rescoring
from models.usage_rollups import recompute_usage
from models.usage_windows import lock_for_usage

_TOLD = """
SELECT told.stands_for, known.id, known.contact_id FROM tracked_traits AS told
LEFT JOIN identities AS known ON known.source_id = told.source_id AND known.kind = 'user'
    AND known.key = told.key AND known.until IS NULL
WHERE told.source_id = :source_id AND told.kind = 'user' AND told.key = :key
"""
_LINK = """
INSERT INTO identities (id, source_id, kind, key, contact_id, since, made_by)
VALUES (gen_random_uuid(), :source_id, 'user', :key, :contact_id, :now, :by)
"""
_END = "UPDATE identities SET until = :now WHERE id = :id"
_CONTACT = "SELECT id FROM contacts WHERE id = :id"
_CUSTOMER = "SELECT id FROM customers WHERE id = :id"
_CUSTOMERS = "SELECT DISTINCT customer_id FROM contact_roles WHERE contact_id = :contact_id"
_KEYS = """
SELECT source_id, key FROM identities WHERE contact_id = :contact_id AND kind = 'user' AND until IS NULL
"""
_PERSON = "COALESCE(u.stands_for, e.user_key, v.stands_for)"
_TAKE_BACK = f"""
WITH mine AS MATERIALIZED (
    SELECT e.received_at, e.batch_id, e.position, e.source_id, e.message_id, e.kind, e.name, e.user_key,
           e.anonymous_key, e.occurred_at, used.customer_id,
           COALESCE(e.group_key, p.group_key, u.group_key,
                    CASE WHEN e.user_key IS NULL THEN v.group_key END) AS group_key
    FROM usage_events AS used JOIN tracked_events AS e ON e.received_at = used.received_at
        AND e.source_id = used.source_id AND e.message_id = used.message_id
    LEFT JOIN tracked_traits AS u ON u.source_id = e.source_id AND u.kind = 'user' AND u.key = e.user_key
    LEFT JOIN tracked_traits AS v
        ON v.source_id = e.source_id AND v.kind = 'anonymous' AND v.key = e.anonymous_key
    LEFT JOIN tracked_traits AS p ON p.source_id = e.source_id AND p.kind = 'user' AND p.key = {_PERSON}
    WHERE used.contact_id = :contact_id AND used.customer_id = ANY(CAST(:customers AS uuid[])) AND {{only}}
), gone AS (
    DELETE FROM usage_events AS used USING mine
    WHERE mine.group_key IS NULL AND used.received_at = mine.received_at
      AND used.source_id = mine.source_id AND used.message_id = mine.message_id
), nameless AS (
    UPDATE usage_events AS used SET contact_id = NULL FROM mine
    WHERE mine.group_key IS NOT NULL AND used.received_at = mine.received_at
      AND used.source_id = mine.source_id AND used.message_id = mine.message_id
), held AS (
    INSERT INTO held_events (received_at, batch_id, position, source_id, reason, user_key, anonymous_key,
                             group_key, name, occurred_at)
    SELECT received_at, batch_id, position, source_id,
           CASE WHEN group_key IS NULL THEN 'no_group' ELSE 'unknown_user' END, user_key, anonymous_key,
           group_key, CASE kind WHEN 'track' THEN name ELSE kind || ':' || COALESCE(name, 'unnamed') END,
           occurred_at
    FROM mine
    ON CONFLICT (received_at, batch_id, position) DO UPDATE SET
        reason = excluded.reason, group_key = excluded.group_key
)
SELECT DISTINCT customer_id FROM mine
"""  # noqa: S608 - constants only
_OF_USER = _TAKE_BACK.format(only=f"used.source_id = :source_id AND {_PERSON} = :key")
_BY_MEMBERSHIP = _TAKE_BACK.format(
    only="used.occurred_at >= :until AND COALESCE(e.group_key, p.group_key, u.group_key, "
    "CASE WHEN e.user_key IS NULL THEN v.group_key END) IS NULL"
)
"""What counts for the customer only since the person is there: its events name no group."""
_BEGIN_ROLE = """
WITH begun AS (
    INSERT INTO contact_roles (id, customer_id, contact_id, role, since, said_by)
    SELECT gen_random_uuid(), :customer_id, :contact_id, CAST(:role AS text), CAST(:since AS timestamptz), :by
    WHERE NOT EXISTS (
        SELECT 1 FROM contact_roles WHERE customer_id = :customer_id AND contact_id = :contact_id
          AND role = CAST(:role AS text) AND until IS NULL)
    ON CONFLICT (customer_id, contact_id, role, since) DO UPDATE
        SET until = NULL, said_by = excluded.said_by
    RETURNING id, customer_id
)
INSERT INTO fact_changes (fact_table, fact_id, customer_id, known_at, before)
SELECT 'contact_roles', begun.id, begun.customer_id, CAST(:now AS timestamptz),
       CASE WHEN earlier.id IS NULL THEN '{"since": "infinity"}'
            ELSE jsonb_build_object('until', earlier.until) END
FROM begun LEFT JOIN contact_roles AS earlier ON earlier.id = begun.id
RETURNING fact_id
"""
"""A role that is told of late was not known on the day from which it holds (models/fact_changes.py)."""
_END_ROLES = """
WITH ended AS (
    UPDATE contact_roles SET until = greatest(since, CAST(:until AS timestamptz)), said_by = :by
    WHERE customer_id = :customer_id AND contact_id = :contact_id AND until IS NULL
      AND (CAST(:role AS text) IS NULL OR role = CAST(:role AS text))
    RETURNING id, customer_id
)
INSERT INTO fact_changes (fact_table, fact_id, customer_id, known_at, before)
SELECT 'contact_roles', id, customer_id, CAST(:now AS timestamptz), '{"until": null}' FROM ended
RETURNING fact_id
"""
_IS_MEMBER = """
SELECT EXISTS (SELECT 1 FROM contact_roles
               WHERE customer_id = :customer_id AND contact_id = :contact_id AND until IS NULL)
"""


@dataclass(frozen=True)
class UserKey:
    """A user as its source names it."""

    source_id: str
    key: str


@dataclass(frozen=True)
class Membership:
    """A contact at a customer."""

    contact_id: uuid.UUID
    customer_id: uuid.UUID


async def link_user(session: AsyncSession, user: UserKey, contact_id: uuid.UUID, said: Said) -> None:
    """Say which contact a tracked user is; what it did is put to their name, and what comes later too."""
    identity_id, held_by = await _look(session, user)
    if held_by == contact_id:
        return
    await _exists(session, _CONTACT, "contact", contact_id)
    await _end(session, user, (identity_id, held_by), said)
    values = {"source_id": user.source_id, "key": user.key, "contact_id": contact_id}
    await session.execute(text(_LINK), values | {"now": said.now, "by": said.by})
    await mark(session, "user", [(user.source_id, user.key)])
    await ask_to_attribute(session)


async def unlink_user(session: AsyncSession, user: UserKey, contact_id: uuid.UUID, said: Said) -> None:
    """Take back that a tracked user is this contact: its events lose the name, and wait for another.

    Those that counted for a customer only because the contact belongs there leave the customer.
    """
    identity_id, held_by = await _look(session, user)
    if identity_id is None or held_by != contact_id:
        raise ConflictError(what=f"User {user.key}", reason="it is not linked to this person")
    await _end(session, user, (identity_id, held_by), said)


async def _look(session: AsyncSession, user: UserKey) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    await wait_to_attribute(session)
    values = {"source_id": user.source_id, "key": user.key}
    row = (await session.execute(text(_TOLD), values)).one_or_none()
    if row is None:
        raise NotFoundError(what="user", key=f"{user.source_id}/{user.key}")
    if row.stands_for is not None:
        raise ConflictError(what=f"User {user.key}", reason=f"it is {row.stands_for} now; name that one")
    return row.id, row.contact_id


async def _end(
    session: AsyncSession, user: UserKey, held: tuple[uuid.UUID | None, uuid.UUID | None], said: Said
) -> None:
    identity_id, contact_id = held
    if identity_id is None:
        return
    await session.execute(text(_END), {"id": identity_id, "now": said.now})
    customers = await _customers_of(session, contact_id)
    await lock_for_usage(session, customers)
    values = {"source_id": user.source_id, "key": user.key}
    await _take_back(session, _OF_USER, values | {"contact_id": contact_id, "customers": customers}, said)


async def _take_back(
    session: AsyncSession, statement: str, values: dict[str, object], said: Said
) -> Sequence[uuid.UUID]:
    touched = (await session.scalars(text(statement), values)).all()
    if touched:
        await recompute_usage(session, touched, said.now.date())
        await ask_rescoring(session, touched, said.wall, FACTS)
    return touched


async def _customers_of(session: AsyncSession, contact_id: uuid.UUID | None) -> list[uuid.UUID]:
    return sorted((await session.scalars(text(_CUSTOMERS), {"contact_id": contact_id})).all())


async def _exists(session: AsyncSession, query: str, what: str, key: uuid.UUID) -> None:
    if await session.scalar(text(query), {"id": key}) is None:
        raise NotFoundError(what=what, key=key)


async def begin_membership(
    session: AsyncSession, member: Membership, role: ContactRole, since: BusinessInstant, said: Said
) -> None:
    """Say that a contact has a role at a customer from then on; having it already changes nothing."""
    if since > said.now:
        raise InvalidInputError(field="since", reason="it is in the future; name a day that has been")
    await wait_to_attribute(session)
    await _exists(session, _CONTACT, "contact", member.contact_id)
    await _exists(session, _CUSTOMER, "customer", member.customer_id)
    values = {"customer_id": member.customer_id, "contact_id": member.contact_id, "by": said.by}
    begun = await session.scalar(
        text(_BEGIN_ROLE), values | {"role": role.value, "since": since, "now": said.now}
    )
    if begun is not None:
        await _look_again(session, member, said)


async def end_membership(
    session: AsyncSession, member: Membership, role: ContactRole | None, until: BusinessInstant, said: Said
) -> None:
    """End one role of a contact at a customer, or all; sources do not take it up again.

    With the last one go the events since then that count there only because the contact belonged there.
    """
    if until > said.now:
        raise InvalidInputError(field="until", reason="it is in the future; name a day that has been")
    await wait_to_attribute(session)
    key: dict[str, object] = {"customer_id": member.customer_id, "contact_id": member.contact_id}
    values = key | {"role": role.value if role else None, "until": until, "by": said.by, "now": said.now}
    if not (await session.scalars(text(_END_ROLES), values)).all():
        raise ConflictError(what="Membership", reason="this person has no such role there now")
    if not await session.scalar(text(_IS_MEMBER), key):
        await lock_for_usage(session, [member.customer_id])
        named = {"contact_id": member.contact_id, "customers": [member.customer_id], "until": until}
        await _take_back(session, _BY_MEMBERSHIP, named, said)
    await _look_again(session, member, said)


async def _look_again(session: AsyncSession, member: Membership, said: Said) -> None:
    """Have what is held of this person's users looked at again, and the customer scored."""
    keys = (await session.execute(text(_KEYS), {"contact_id": member.contact_id})).all()
    if keys:
        await mark(session, "user", [(row.source_id, row.key) for row in keys])
        await ask_to_attribute(session)
    await ask_rescoring(session, [member.customer_id], said.wall, FACTS)
