"""Telling every open customer that the pace of business time has changed, so that timers are armed anew."""

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseState
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import GOING_ON, NoticeKind
from models.outbox import Notice, put_notices
from models.tables.cases import CaseRow
from models.tables.ledger import OutboxRow
from models.tables.playbooks import InterventionRow, LifecycleRow


async def ring_open_lifecycles(session: AsyncSession, now: BusinessInstant, wall: WallInstant) -> int:
    """Put a notice for each open lifecycle that has none of this kind waiting; return how many."""
    return await _ring(session, now, wall, ~_told(OutboxRow.consumed_at.is_(None)))


async def ring_those_who_wake_soon(
    session: AsyncSession,
    now: BusinessInstant,
    wall: WallInstant,
    *,
    before: BusinessInstant,
    since: WallInstant,
) -> int:
    """Put a notice where a lifecycle, run or case wakes before an instant, unless there was one since then.

    A faster pace makes every armed timer late. To ring everyone at once would swamp the server, and most
    timers are far away: it is enough that each is armed anew in good time.
    """
    run = InterventionRow
    runs = exists().where(
        run.customer_id == LifecycleRow.customer_id,
        run.state.in_(GOING_ON),
        run.expected_wake_at < before,
    )
    case = CaseRow
    cases = exists().where(
        case.customer_id == LifecycleRow.customer_id,
        case.state != CaseState.ENDED,
        case.expected_wake_at < before,
    )
    soon = (LifecycleRow.expected_wake_at < before) | runs | cases
    return await _ring(session, now, wall, soon, ~_told(OutboxRow.created_at >= since))


def _told(when: ColumnElement[bool]) -> ColumnElement[bool]:
    about = OutboxRow.customer_id == LifecycleRow.customer_id
    return exists().where(about, OutboxRow.kind == NoticeKind.CLOCK_CHANGED, when)


async def _ring(
    session: AsyncSession, now: BusinessInstant, wall: WallInstant, *conditions: ColumnElement[bool]
) -> int:
    query = select(LifecycleRow.customer_id).where(LifecycleRow.ended_at.is_(None), *conditions)
    customers = (await session.scalars(query)).all()
    await put_notices(session, [Notice(each, NoticeKind.CLOCK_CHANGED, {}, now) for each in customers], wall)
    return len(customers)
