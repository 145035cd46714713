"""Writes that may come twice: the first answer is kept, in the transaction of the write, and given again."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from domain.errors import ConflictError, InvalidInputError
from domain.time import WallInstant
from models.database import Session
from models.tables.people import IdempotentRequestRow

KEPT = dt.timedelta(hours=24)
LONGEST_KEY = 255

Answer = dict[str, Any]


@dataclass(frozen=True)
class Attempt:
    """One request that may be a repeat: who sent it, under which key, and what it asked."""

    caller: str
    key: str
    fingerprint: str


def attempt_of(caller: str, key: str, *asked: bytes) -> Attempt:
    """Return the attempt; what it asked is kept as a hash."""
    if not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidInputError(field="Idempotency-Key", reason=f"needs 1 to {LONGEST_KEY} characters")
    return Attempt(caller, key, hashlib.sha256(b"\0".join(asked)).hexdigest())


async def first_answer(session: Session, attempt: Attempt, wall: WallInstant) -> Answer | None:
    """Return the answer of the first time, None when this is it; a parallel repeat waits for that to end.

    Raises ConflictError when the key stood for another request.
    """
    await session.execute(delete(IdempotentRequestRow).where(IdempotentRequestRow.created_at < wall - KEPT))
    statement = insert(IdempotentRequestRow).values(**vars(attempt), created_at=wall)
    fresh = statement.on_conflict_do_nothing().returning(IdempotentRequestRow.key)
    if await session.scalar(fresh) is not None:
        return None
    query = select(IdempotentRequestRow.fingerprint, IdempotentRequestRow.answer).where(*_is(attempt))
    row = (await session.execute(query)).one()
    if row.fingerprint != attempt.fingerprint:
        raise ConflictError(what="The Idempotency-Key", reason="it stood for another request")
    answer: Answer = row.answer or {}
    return answer


async def keep_answer(session: Session, attempt: Attempt, answer: Answer) -> None:
    """Keep what a repeat will get."""
    statement = update(IdempotentRequestRow).where(*_is(attempt))
    await session.execute(statement.values(answer=answer))


def _is(attempt: Attempt) -> tuple[Any, Any]:
    return IdempotentRequestRow.caller == attempt.caller, IdempotentRequestRow.key == attempt.key
