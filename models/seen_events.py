"""What a source's events look like, as they come: names, how many, when, and the types of properties."""

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.tracked import shapes

SAMPLES = 5
"""Events per name and batch whose properties are looked at."""
MOST_NAMES = 1000
"""Names kept per source and kind: a client that puts ids into names must not fill the database."""

_SEEN = """
WITH numbered AS (
    SELECT source_id, kind, COALESCE(name, '') AS name, occurred_at, properties,
           row_number() OVER (PARTITION BY source_id, kind, name ORDER BY occurred_at DESC) AS number
    FROM staged_events WHERE was_held IS NULL
)
SELECT source_id, kind, name, count(*) AS events, min(occurred_at) AS first_at, max(occurred_at) AS last_at,
       jsonb_agg(properties) FILTER (WHERE number <= :samples AND jsonb_typeof(properties) = 'object')
           AS samples
FROM numbered GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_KNOWN = """
SELECT seen.source_id, seen.kind, seen.name, seen.properties FROM seen_events AS seen
WHERE (source_id, kind, name) IN (SELECT DISTINCT source_id, kind, COALESCE(name, '') FROM staged_events)
"""
_FULL = "SELECT source_id, kind FROM seen_events GROUP BY 1, 2 HAVING count(*) >= :most"
_KEEP = """
INSERT INTO seen_events AS kept (source_id, kind, name, events, first_at, last_at, properties)
SELECT * FROM jsonb_to_recordset(CAST(:seen AS jsonb)) AS seen(
    source_id text, kind text, name text, events bigint, first_at timestamptz, last_at timestamptz,
    properties jsonb)
ON CONFLICT (source_id, kind, name) DO UPDATE SET
    events = kept.events + excluded.events,
    first_at = least(kept.first_at, excluded.first_at),
    last_at = greatest(kept.last_at, excluded.last_at),
    properties = excluded.properties
"""

Key = tuple[str, str, str]


async def note_seen(session: AsyncSession) -> None:
    """Count the staged events by name and keep what their properties look like."""
    seen = (await session.execute(text(_SEEN), {"samples": SAMPLES})).all()
    if not seen:
        return
    known: dict[Key, dict[str, Any]] = {
        (row.source_id, row.kind, row.name): row.properties for row in await session.execute(text(_KNOWN))
    }
    full = {tuple(row) for row in await session.execute(text(_FULL), {"most": MOST_NAMES})}
    rows = [
        _row(row, known.get((row.source_id, row.kind, row.name), {}))
        for row in seen
        if (row.source_id, row.kind, row.name) in known or (row.source_id, row.kind) not in full
    ]
    await session.execute(text(_KEEP), {"seen": json.dumps(rows)})


def _row(row: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "source_id": row.source_id,
        "kind": row.kind,
        "name": row.name,
        "events": row.events,
        "first_at": row.first_at.isoformat(),
        "last_at": row.last_at.isoformat(),
        "properties": _merged(properties, shapes(row.samples or [])),
    }


def _merged(known: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    merged = dict(known)
    for name, shape in found.items():
        before = merged.get(name, {})
        types = sorted({*before.get("types", []), *shape["types"]})
        merged[name] = shape | before | {"types": types}
    return merged
