"""Events that belong to nobody yet: taken out again when somebody is known, or when a person says whose.

Reasons: unknown_group (nobody knows the company), no_group (nobody knows the user, or where they belong),
ambiguous_group (the user belongs to several), unknown_user (counted for the customer, but not for a person).
"""

import datetime as dt

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_KEYS = "h.received_at, h.batch_id, h.position, h.reason"
_OF_GROUPS = f"""
SELECT {_KEYS} FROM tracked_traits AS k
JOIN identities AS g ON g.source_id = k.source_id AND g.kind = 'group' AND g.key = k.key
    AND g.until IS NULL AND g.customer_id IS NOT NULL
JOIN held_events AS h ON h.source_id = k.source_id AND h.group_key = k.key AND h.reason = 'unknown_group'
WHERE k.is_news AND k.kind = 'group'
LIMIT :most
"""  # noqa: S608 - constants only
_OF_PEOPLE = """
SELECT {keys} FROM tracked_traits AS k
JOIN held_events AS h ON h.source_id = k.source_id AND h.{key} = k.key AND {only}
LEFT JOIN tracked_traits AS p ON p.source_id = k.source_id AND p.kind = 'user' AND p.key = {person}
LEFT JOIN identities AS u ON u.source_id = k.source_id AND u.kind = 'user' AND u.key = {person}
    AND u.until IS NULL
LEFT JOIN identities AS g ON g.source_id = k.source_id AND g.kind = 'group'
    AND g.key = COALESCE(p.group_key, k.group_key) AND g.until IS NULL
WHERE k.is_news AND k.kind = '{kind}' AND CASE h.reason
    WHEN 'unknown_user' THEN u.contact_id IS NOT NULL
    WHEN 'unknown_group' THEN false
    ELSE g.customer_id IS NOT NULL OR (COALESCE(p.group_key, k.group_key) IS NULL AND 1 = (
        SELECT count(DISTINCT role.customer_id) FROM contact_roles AS role
        WHERE role.contact_id = u.contact_id AND role.until IS NULL)) END
LIMIT :most
"""
_OF_USERS = _OF_PEOPLE.format(
    keys=_KEYS, key="user_key", only="true", person="COALESCE(k.stands_for, k.key)", kind="user"
)
_OF_VISITORS = _OF_PEOPLE.format(
    keys=_KEYS, key="anonymous_key", only="h.user_key IS NULL", person="k.stands_for", kind="anonymous"
)
_RELEASE = """
WITH ready AS MATERIALIZED (SELECT DISTINCT * FROM ({ready}) AS ready), freed AS (
    DELETE FROM held_events AS h USING ready
    WHERE h.received_at = ready.received_at AND h.batch_id = ready.batch_id AND h.position = ready.position
)
INSERT INTO staged_events
SELECT e.received_at, e.batch_id, e.position, e.source_id, e.message_id, e.kind, e.name, e.user_key,
       e.anonymous_key, e.group_key, e.occurred_at, e.known_at, e.properties, ready.reason
FROM ready JOIN tracked_events AS e
    ON e.received_at = ready.received_at AND e.batch_id = ready.batch_id AND e.position = ready.position
"""
_IS_NEWS = "SELECT EXISTS (SELECT 1 FROM tracked_traits WHERE is_news)"
_OLD_NEWS = "UPDATE tracked_traits SET is_news = false WHERE is_news"
_PRUNE = "DELETE FROM held_events WHERE reason = 'unknown_user' AND received_at < :before"
KINDS = (_OF_GROUPS, _OF_USERS, _OF_VISITORS)


async def has_news(session: AsyncSession) -> bool:
    """Tell whether something was learnt that held events wait for."""
    return bool(await session.scalar(text(_IS_NEWS)))


async def release(session: AsyncSession, most: int) -> int:
    """Stage held events that now belong to somebody; with more than so many, the rest come next time.

    An event whose raw form was dropped by retention leaves holding with it.
    """
    if not await has_news(session):
        return 0
    taken = 0
    for ready in KINDS:
        statement = text(_RELEASE.format(ready=ready))
        written = await session.execute(statement, {"most": most - taken})
        taken += int(written.rowcount)  # type: ignore[attr-defined]  # of a statement that writes
        if taken >= most:
            return taken
    await session.execute(text(_OLD_NEWS))
    return taken


async def prune(session: AsyncSession, before: dt.datetime) -> None:
    """Let go of events that count for their customer and have waited for a person for too long."""
    await session.execute(text(_PRUNE), {"before": before})
