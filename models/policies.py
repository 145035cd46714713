"""The `policies` table: one document per key, put in force whole."""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from models.tables.system import PolicyRow

_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"


async def hold_policy(session: AsyncSession, key: str) -> None:
    """Let nobody else change a policy until the transaction ends; it may not have been stored yet.

    Whoever changes a part of the policy in force holds it first, or a change that came between is lost. Forms
    that replace a whole policy need not.
    """
    await session.execute(text(_HOLD), {"key": f"policies/{key}"})


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
