"""A person's own verdict on health: set with a reason and an end, withdrawn, expired, remembered."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidInputError, NotFoundError
from domain.stances import OverrideEnd
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import HealthStatus, NoticeKind
from models.changes import announce_change
from models.hands import Hand
from models.outbox import Notice, put_notices
from models.rescoring import FACTS, ask_rescoring
from models.tables.customers import CustomerRow
from models.tables.judgement import HealthOverrideRow

LONGEST_DAYS = 180
LONGEST_REASON = 500
SHOWN = 10


@dataclass(frozen=True)
class OverrideLine:
    """One verdict of a person, with what the rules said then and how it ended."""

    id: uuid.UUID
    status: HealthStatus
    reason: str
    by: str
    set_at: BusinessInstant
    until: BusinessInstant
    rules_status: HealthStatus | None
    rules_score: int | None
    ended_at: BusinessInstant | None
    ended_how: OverrideEnd | None
    ended_by: str | None


async def override_health(
    session: AsyncSession,
    customer_id: uuid.UUID,
    status: HealthStatus,
    reason: str,
    until: BusinessInstant,
    by: Hand,
) -> None:
    """Set a person's verdict in the place of the rules' until an instant; one before it is replaced.

    Raises NotFoundError, and InvalidInputError without a reason or with an end that is past or too far.
    """
    words = checked_reason(reason)
    if not by.now < until <= by.now + dt.timedelta(days=LONGEST_DAYS):
        field_reason = f"a day in the next {LONGEST_DAYS} days"
        raise InvalidInputError(field="until", reason=field_reason)
    customer = await _locked(session, customer_id)
    await _end(session, [customer_id], OverrideEnd.REPLACED, by.now, by.name)
    await session.execute(
        insert(HealthOverrideRow).values(
            id=uuid.uuid4(),
            customer_id=customer_id,
            status=status,
            reason=words,
            by=by.name,
            by_id=by.user_id,
            set_at=by.now,
            until=until,
            rules_status=customer.health_status,
            rules_score=customer.health_score,
        )
    )
    await session.execute(
        update(CustomerRow)
        .where(CustomerRow.id == customer_id)
        .values(health_override=status, health_override_until=until)
    )
    await _tell(session, [customer_id], by.now, by.wall)


def checked_reason(reason: str) -> str:
    """Return a reason without blanks around it, or raise InvalidInputError."""
    words = reason.strip()
    if not words or len(words) > LONGEST_REASON:
        raise InvalidInputError(field="reason", reason=f"say why, in at most {LONGEST_REASON} characters")
    return words


async def end_override(session: AsyncSession, customer_id: uuid.UUID, by: Hand) -> None:
    """Withdraw a person's verdict: the rules' own holds again. Raises NotFoundError where there is none."""
    customer = await _locked(session, customer_id)
    if customer.health_override is None:
        raise NotFoundError(what="health override of the customer", key=customer_id)
    await _end(session, [customer_id], OverrideEnd.WITHDRAWN, by.now, by.name)
    await _clear(session, [customer_id])
    await _tell(session, [customer_id], by.now, by.wall)


async def expire_overrides(session: AsyncSession, now: BusinessInstant, wall: WallInstant) -> int:
    """End what has passed its end, tell the workflows, and ask for new assessments; return how many."""
    row = CustomerRow
    query = select(row.id).where(row.health_override.is_not(None), row.health_override_until <= now)
    ids = list(await session.scalars(query.order_by(row.id).with_for_update(key_share=True)))
    if ids:
        await _end(session, ids, OverrideEnd.EXPIRED, now, None)
        await _clear(session, ids)
        await _tell(session, ids, now, wall)
    return len(ids)


async def load_overrides(session: AsyncSession, customer_id: uuid.UUID) -> list[OverrideLine]:
    """Return people's verdicts, the newest first; one that holds has not ended."""
    row = HealthOverrideRow
    query = (
        select(
            row.id, row.status, row.reason, row.by, row.set_at, row.until, row.rules_status, row.rules_score,
            row.ended_at, row.ended_how, row.ended_by,
        )
        .where(row.customer_id == customer_id)
        .order_by(row.set_at.desc(), row.id)
        .limit(SHOWN)
    )  # fmt: skip
    return [OverrideLine(*one) for one in await session.execute(query)]


async def _locked(session: AsyncSession, customer_id: uuid.UUID) -> CustomerRow:
    query = select(CustomerRow).where(CustomerRow.id == customer_id).with_for_update(key_share=True)
    customer = await session.scalar(query)
    if customer is None:
        raise NotFoundError(what="customer", key=customer_id)
    return customer


async def _end(
    session: AsyncSession, ids: Sequence[uuid.UUID], how: OverrideEnd, now: BusinessInstant, by: str | None
) -> None:
    row = HealthOverrideRow
    ended = update(row).where(row.customer_id.in_(ids), row.ended_at.is_(None))
    await session.execute(ended.values(ended_at=now, ended_how=how, ended_by=by))


async def _clear(session: AsyncSession, ids: Sequence[uuid.UUID]) -> None:
    cleared = update(CustomerRow).where(CustomerRow.id.in_(ids))
    await session.execute(cleared.values(health_override=None, health_override_until=None))


async def _tell(
    session: AsyncSession, ids: Sequence[uuid.UUID], now: BusinessInstant, wall: WallInstant
) -> None:
    """Have workflows look again, since conditions may ask for the status shown, and verdicts be written."""
    payload = {"fields": ["health_status_shown"]}
    notices = [Notice(one, NoticeKind.CUSTOMER_CHANGED, payload, now) for one in ids]
    await put_notices(session, notices, wall)
    await ask_rescoring(session, ids, wall, FACTS)
    await announce_change(session)
