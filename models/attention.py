"""The attention table as an administrator has it: stored in `policies`, validated on the way in and out."""

import uuid
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.attention import DEFAULT_ATTENTION, AttentionPolicy
from domain.time import BusinessInstant
from models.policies import put_policy
from models.tables.system import PolicyRow

KEY = "attention"
STORED = select(PolicyRow.document).where(PolicyRow.key == KEY)
"""The document as it is stored, for pages that read it along with something else."""


async def load_attention(session: AsyncSession) -> AttentionPolicy:
    """Return the table in force; without one, or with one of an older shape, the default."""
    return read_attention(await session.scalar(STORED))


def read_attention(document: dict[str, Any] | None) -> AttentionPolicy:
    """Return the table that a stored document describes."""
    if document is None:
        return DEFAULT_ATTENTION
    try:
        return AttentionPolicy.model_validate(document)
    except ValidationError:
        return DEFAULT_ATTENTION


async def save_attention(
    session: AsyncSession, policy: AttentionPolicy, user_id: uuid.UUID | None, now: BusinessInstant
) -> None:
    """Put the whole table in force at once."""
    await put_policy(session, KEY, policy.model_dump(mode="json"), user_id, now)
