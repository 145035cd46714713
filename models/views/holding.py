"""What waits for somebody, by group and by reason."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from domain.time import BusinessInstant
from models.database import Session

MOST = 200

_GROUPS = """
SELECT held.*, sources.name AS source, told.traits, known.id IS NOT NULL AS is_ignored
FROM (
    SELECT source_id, group_key AS key, count(*) AS events, min(occurred_at) AS first_at,
           max(occurred_at) AS last_at, count(DISTINCT COALESCE(user_key, anonymous_key)) AS people,
           (array_agg(DISTINCT name))[1:3] AS names
    FROM held_events WHERE reason = 'unknown_group' GROUP BY 1, 2
) AS held
JOIN sources ON sources.id = held.source_id
LEFT JOIN tracked_traits AS told
    ON told.source_id = held.source_id AND told.kind = 'group' AND told.key = held.key
LEFT JOIN identities AS known ON known.source_id = held.source_id AND known.kind = 'group'
    AND known.key = held.key AND known.until IS NULL AND known.customer_id IS NULL
WHERE (known.id IS NOT NULL) = :ignored
ORDER BY held.events DESC, held.source_id, held.key LIMIT :most
"""
_LINKED = """
SELECT known.source_id, sources.name AS source, known.key, known.customer_id, customers.name AS customer,
       known.since, known.made_by, users.name AS by
FROM identities AS known JOIN sources ON sources.id = known.source_id
JOIN customers ON customers.id = known.customer_id
LEFT JOIN users ON users.id::text = known.made_by
WHERE known.kind = 'group' AND known.until IS NULL AND known.made_by <> 'match'
ORDER BY known.since DESC, known.key LIMIT :most
"""
_REASONS = """
SELECT reason, count(*) AS events, min(occurred_at) AS first_at, max(occurred_at) AS last_at
FROM held_events GROUP BY 1 ORDER BY 1
"""
_SEARCH = """
SELECT id, name, domain FROM customers
WHERE lower(name) LIKE :beginning OR lower(domain) LIKE :beginning OR external_id = :whole
ORDER BY name LIMIT 12
"""


@dataclass(frozen=True)
class HeldGroup:
    """A group that nobody knows, with what waits for it; traits are what its source said of it."""

    source_id: str
    key: str
    events: int
    first_at: BusinessInstant
    last_at: BusinessInstant
    people: int
    names: list[str]
    source: str
    traits: dict[str, Any] | None
    is_ignored: bool


@dataclass(frozen=True)
class LinkedGroup:
    """A group that a person linked, so that it can be unlinked."""

    source_id: str
    source: str
    key: str
    customer_id: uuid.UUID
    customer: str
    since: BusinessInstant
    made_by: str
    by: str | None


@dataclass(frozen=True)
class HeldReason:
    """How much waits, and for what."""

    reason: str
    events: int
    first_at: dt.datetime
    last_at: dt.datetime


@dataclass(frozen=True)
class Candidate:
    """A customer that a group may be."""

    id: uuid.UUID
    name: str
    domain: str | None


async def load_held_groups(session: Session, *, ignored: bool = False, most: int = MOST) -> list[HeldGroup]:
    """Return groups that nobody knows, those with the most events first."""
    rows = await session.execute(text(_GROUPS), {"ignored": ignored, "most": most})
    return [HeldGroup(**_without_marks(dict(row))) for row in rows.mappings()]


def _without_marks(row: dict[str, Any]) -> dict[str, Any]:
    traits = {name: value for name, value in (row["traits"] or {}).items() if not name.startswith("$")}
    return row | {"traits": traits}


async def load_linked_groups(session: Session, most: int = MOST) -> list[LinkedGroup]:
    """Return groups that people linked, the newest first."""
    rows = await session.execute(text(_LINKED), {"most": most})
    return [LinkedGroup(**row) for row in rows.mappings()]


async def load_reasons(session: Session) -> list[HeldReason]:
    """Return what waits by reason."""
    return [HeldReason(*row) for row in await session.execute(text(_REASONS))]


async def find_candidates(session: Session, search: str) -> list[Candidate]:
    """Return customers whose name or domain begins like this."""
    beginning = search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await session.execute(text(_SEARCH), {"beginning": beginning, "whole": search})
    return [Candidate(*row) for row in rows]
