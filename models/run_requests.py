"""Wishes for runs: written with a notice, answered by the director, read until then and afterwards."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, NoticeKind, RequestState
from models.changes import announce_change
from models.hands import Hand
from models.outbox import Notice, put_notices
from models.tables.customers import CustomerRow
from models.tables.people import UserRow
from models.tables.playbooks import PlaybookRow
from models.tables.runs import RunRequestRow

LONGEST_NOTE = 500
SHOWN = 5


@dataclass(frozen=True)
class RunRequest:
    """One wish and its answer."""

    id: uuid.UUID
    customer_id: uuid.UUID
    playbook_key: str
    playbook: str
    note: str
    is_urgent: bool
    state: RequestState
    answer: str | None
    run_id: uuid.UUID | None
    by: str | None
    asked_at: BusinessInstant
    answered_at: BusinessInstant | None


async def request_run(
    session: AsyncSession,
    customer_id: uuid.UUID,
    playbook_key: str,
    note: str,
    hand: Hand,
    *,
    is_urgent: bool = False,
) -> RunRequest:
    """Ask for a run. The same open wish is not written twice. Raises NotFoundError and ConflictError."""
    await _check(session, customer_id, playbook_key, note)
    row = RunRequestRow
    twin = await session.scalar(
        select(row.id).where(
            row.customer_id == customer_id,
            row.playbook_key == playbook_key,
            row.is_urgent == is_urgent,
            row.state == RequestState.OPEN,
        )
    )
    if twin is not None:
        return await load_request(session, twin)
    request_id = uuid.uuid4()
    await session.execute(
        insert(row).values(
            id=request_id,
            customer_id=customer_id,
            playbook_key=playbook_key,
            is_urgent=is_urgent,
            note=note.strip(),
            by_id=hand.user_id,
            state=RequestState.OPEN,
            asked_at=hand.now,
        )
    )
    notice = Notice(customer_id, NoticeKind.RUN_REQUESTED, {"request_id": str(request_id)}, hand.now)
    await put_notices(session, [notice], hand.wall)
    await announce_change(session)
    return await load_request(session, request_id)


async def _check(session: AsyncSession, customer_id: uuid.UUID, playbook_key: str, note: str) -> None:
    if len(note.strip()) > LONGEST_NOTE:
        raise InvalidInputError(field="note", reason=f"at most {LONGEST_NOTE} characters")
    known = select(CustomerRow.status).where(CustomerRow.id == customer_id).with_for_update(key_share=True)
    status = await session.scalar(known)
    if status is None:
        raise NotFoundError(what="customer", key=customer_id)
    if status is CustomerStatus.CHURNED:
        raise ConflictError(what="The customer", reason="it has left, and no run is opened for it")
    query = select(PlaybookRow.archived_at).where(PlaybookRow.key == playbook_key)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFoundError(what="playbook", key=playbook_key)
    if found.archived_at is not None:
        raise ConflictError(what=f"The playbook {playbook_key}", reason="it is archived")


async def startable(session: AsyncSession) -> list[tuple[str, str]]:
    """Return key and name of every playbook that may be asked for."""
    query = select(PlaybookRow.key, PlaybookRow.name).where(PlaybookRow.archived_at.is_(None))
    return [(key, name) for key, name in await session.execute(query.order_by(PlaybookRow.name))]


async def load_request(session: AsyncSession, request_id: uuid.UUID) -> RunRequest:
    """Return one wish; raises NotFoundError."""
    found = await _read(session, RunRequestRow.id == request_id)
    if not found:
        raise NotFoundError(what="request", key=request_id)
    return found[0]


async def requests_of(session: AsyncSession, customer_id: uuid.UUID) -> list[RunRequest]:
    """Return the latest wishes for a customer, the newest first."""
    return await _read(session, RunRequestRow.customer_id == customer_id)


async def _read(session: AsyncSession, condition: object) -> list[RunRequest]:
    row = RunRequestRow
    query = (
        select(
            row.id,
            row.customer_id,
            row.playbook_key,
            PlaybookRow.name,
            row.note,
            row.is_urgent,
            row.state,
            row.answer,
            row.intervention_id,
            UserRow.name,
            row.asked_at,
            row.answered_at,
        )
        .join(PlaybookRow, PlaybookRow.key == row.playbook_key)
        .outerjoin(UserRow, UserRow.id == row.by_id)
        .where(condition)  # type: ignore[arg-type]  # a condition on the table, which only this file makes
        .order_by(row.asked_at.desc(), row.id)
        .limit(SHOWN)
    )
    rows: Sequence[Any] = (await session.execute(query)).all()
    return [RunRequest(*row) for row in rows]
