"""The `policies` table: one document per key, put in force whole."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError
from domain.time import BusinessInstant
from models.tables.people import UserRow
from models.tables.system import PolicyRow

_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"


async def hold_policy(session: AsyncSession, key: str) -> None:
    """Let nobody else change a policy until the transaction ends; it may not have been stored yet.

    Whoever changes a part of the policy in force holds it first, or a change that came between is lost. Forms
    that replace a whole policy need not.
    """
    await session.execute(text(_HOLD), {"key": f"policies/{key}"})


@dataclass(frozen=True)
class PolicyChange:
    """Who put the policy in force, and when."""

    mark: str
    """What tells this document from every other."""
    at: BusinessInstant
    by: str | None
    """None where a program did."""


async def load_policy_change(session: AsyncSession, key: str) -> PolicyChange | None:
    """Return the last change of a policy, None while it is the default."""
    columns = select(PolicyRow.document, PolicyRow.updated_at, UserRow.name)
    query = columns.outerjoin(UserRow, UserRow.id == PolicyRow.updated_by_id).where(PolicyRow.key == key)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    written = json.dumps(found.document, sort_keys=True)
    return PolicyChange(hashlib.sha256(written.encode()).hexdigest()[:16], found.updated_at, found.name)


async def hold_seen_policy(session: AsyncSession, key: str, mark: str) -> None:
    """Hold a policy that is still as somebody saw it; raises ConflictError naming who has changed it since.

    `mark` is that of the change which was seen, empty where there was none.
    """
    await hold_policy(session, key)
    change = await load_policy_change(session, key)
    if change is None or change.mark == mark:
        return
    reason = f"{change.by or 'a program'} saved another one. Look at what is in force, and save again"
    raise ConflictError(what="The policy", reason=reason)


async def put_policy(
    session: AsyncSession,
    key: str,
    document: Mapping[str, Any],
    user_id: uuid.UUID | None,
    now: BusinessInstant,
) -> None:
    """Put a document in force, whole: the last one wins, unless whoever made it held the key before."""
    values = {"key": key, "document": document, "updated_at": now, "updated_by_id": user_id}
    statement = upsert(PolicyRow).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
