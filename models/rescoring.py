"""Customers that are to be scored again because facts about them came in: asked with the facts, taken later.

A row waits from the first asking; asking again gives it a new version (xmin). Who has scored a customer
deletes the version that was read before, so that a fact which came meanwhile is not swallowed, and a death
between scoring and deleting only scores once more.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import WallInstant

CHANNEL = "everstay_rescore"
USAGE, FACTS, HISTORY = "usage", "facts", "history"
"""Why: a stream of usage may wait a little, what people and providers tell may not. History waits until
all of it was read (`release_history`): half of it would tell of silences that never were."""

_ASK = """
INSERT INTO rescore_queue AS kept (customer_id, asked_at, reason)
SELECT id, :wall, :reason FROM unnest(CAST(:ids AS uuid[])) AS asked(id) ORDER BY id
ON CONFLICT (customer_id) DO UPDATE SET
    reason = CASE WHEN 'facts' IN (kept.reason, excluded.reason) THEN 'facts'
                  WHEN 'usage' IN (kept.reason, excluded.reason) THEN 'usage' ELSE 'history' END
"""
_WAITING = """
SELECT customer_id, reason, xmin::text AS version FROM rescore_queue
WHERE reason = 'facts' OR reason = 'usage' AND customer_id <> ALL(CAST(:resting AS uuid[]))
ORDER BY asked_at LIMIT :most
"""
_DONE = """
DELETE FROM rescore_queue USING unnest(CAST(:ids AS uuid[]), CAST(:versions AS text[])) AS scored(id, version)
WHERE customer_id = scored.id AND rescore_queue.xmin::text = scored.version
"""


_RELEASE = "UPDATE rescore_queue SET reason = 'facts' WHERE reason = 'history'"


@dataclass(frozen=True)
class Asked:
    """One customer that waits to be scored; `version` is what to hand back when it is done."""

    customer_id: uuid.UUID
    reason: str
    version: str


async def ask_rescoring(
    session: AsyncSession, ids: Collection[uuid.UUID], wall: WallInstant, reason: str
) -> None:
    """Ask in this transaction that customers be scored when it has committed."""
    if ids:
        values = {"ids": list(ids), "wall": wall, "reason": reason}
        await session.execute(text(_ASK), values)
        await session.execute(text(f"NOTIFY {CHANNEL}"))


async def release_history(session: AsyncSession) -> None:
    """Have everybody scored whose history came in: a pass over a provider has ended."""
    await session.execute(text(_RELEASE))
    await session.execute(text(f"NOTIFY {CHANNEL}"))


async def waiting(session: AsyncSession, resting: Collection[uuid.UUID], most: int) -> list[Asked]:
    """Return who has waited longest; those who rest wait on, unless something more than usage came."""
    rows = await session.execute(text(_WAITING), {"resting": list(resting), "most": most})
    return [Asked(row.customer_id, row.reason, row.version) for row in rows]


async def settle(session: AsyncSession, scored: Sequence[Asked]) -> None:
    """Take customers off the queue, except those about whom more came since they were read."""
    values = {"ids": [one.customer_id for one in scored], "versions": [one.version for one in scored]}
    await session.execute(text(_DONE), values)
