"""What a person has ordered to rest: everything, a segment, a playbook, a customer or a run."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, Text, cast, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, NotFoundError
from domain.run_rulings import RESTING
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import InterventionState, NoticeKind, PauseScope, Segment
from models.changes import announce_change
from models.outbox import Notice, put_notices
from models.tables.customers import CustomerRow
from models.tables.playbooks import InterventionRow, LifecycleRow, PlaybookRow
from models.tables.runs import PauseRow

LONGEST_REASON = 500


@dataclass(frozen=True)
class Pause:
    """One rest that holds now."""

    scope: PauseScope
    key: str
    until: BusinessInstant | None


async def pauses_of(
    session: AsyncSession, customer_id: uuid.UUID, segment: Segment, now: BusinessInstant
) -> list[Pause]:
    """Return what rests for one customer: all of it, some playbooks, or some runs."""
    row = PauseRow
    whole = [
        (PauseScope.EVERYTHING, ""),
        (PauseScope.SEGMENT, segment.value),
        (PauseScope.CUSTOMER, str(customer_id)),
    ]
    query = select(row.scope, row.key, row.until).where(
        _holds(now),
        tuple_(row.scope, row.key).in_(whole) | row.scope.in_([PauseScope.PLAYBOOK, PauseScope.RUN]),
    )
    return [Pause(*found) for found in await session.execute(query)]


def rests(
    pauses: Iterable[Pause], playbook_key: str, run_id: uuid.UUID | None = None
) -> tuple[bool, BusinessInstant | None]:
    """Tell whether a playbook's runs for this customer, or one run, rest, and until when."""
    named = {(PauseScope.PLAYBOOK, playbook_key), (PauseScope.RUN, str(run_id))}
    narrow = {PauseScope.PLAYBOOK, PauseScope.RUN}
    mine = [one for one in pauses if one.scope not in narrow or (one.scope, one.key) in named]
    ends = [one.until for one in mine]
    latest = None if None in ends else max((end for end in ends if end is not None), default=None)
    return bool(mine), latest


def _holds(now: BusinessInstant) -> ColumnElement[bool]:
    row = PauseRow
    return row.ended_at.is_(None) & (row.until.is_(None) | (row.until > now))


async def pause(
    session: AsyncSession,
    wanted: Pause,
    reason: str,
    user_id: uuid.UUID | None,
    now: BusinessInstant,
    wall: WallInstant,
) -> uuid.UUID:
    """Order a rest; one that is there already gets the new end and reason. Raises NotFoundError."""
    if wanted.until is not None and wanted.until <= now:
        raise ConflictError(what="The pause", reason="its end has passed already; choose a later one")
    await _check_key(session, wanted)
    row = PauseRow
    await session.execute(
        update(row)
        .where(row.scope == wanted.scope, row.key == wanted.key, row.ended_at.is_(None), ~_holds(now))
        .values(ended_at=row.until)
    )
    values = {"until": wanted.until, "reason": reason.strip()[:LONGEST_REASON], "by_id": user_id}
    statement = upsert(row).values(id=uuid.uuid4(), scope=wanted.scope, key=wanted.key, since=now, **values)
    pause_id: uuid.UUID | None = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=["scope", "key"], index_where=row.ended_at.is_(None), set_=values
        ).returning(row.id)
    )
    await _tell(session, wanted, NoticeKind.PAUSED, now, wall)
    assert pause_id is not None  # noqa: S101 - an upsert that updates returns its row
    return pause_id


async def resume(
    session: AsyncSession,
    pause_id: uuid.UUID,
    user_id: uuid.UUID | None,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """End a rest: what it covers looks at what has happened meanwhile, and goes on."""
    row = PauseRow
    ended = (
        await session.execute(
            update(row)
            .where(row.id == pause_id, row.ended_at.is_(None))
            .values(ended_at=now, ended_by_id=user_id)
            .returning(row.scope, row.key, row.until)
        )
    ).one_or_none()
    if ended is None:
        raise NotFoundError(what="pause that still holds", key=pause_id)
    await _tell(session, Pause(*ended), NoticeKind.RESUMED, now, wall)


async def _check_key(session: AsyncSession, wanted: Pause) -> None:
    if wanted.scope is PauseScope.SEGMENT and wanted.key not in set(Segment):
        raise NotFoundError(what="segment", key=wanted.key)
    tables = {
        PauseScope.PLAYBOOK: PlaybookRow.key,
        PauseScope.CUSTOMER: CustomerRow.id,
        PauseScope.RUN: InterventionRow.id,
    }
    column = tables.get(wanted.scope)
    if column is None:
        return
    known = await session.scalar(select(column).where(column == _typed(wanted)).limit(1))
    if known is None:
        raise NotFoundError(what=wanted.scope.value, key=wanted.key)


def _typed(wanted: Pause) -> str | uuid.UUID:
    if wanted.scope is PauseScope.PLAYBOOK:
        return wanted.key
    try:
        return uuid.UUID(wanted.key)
    except ValueError:
        raise NotFoundError(what=wanted.scope.value, key=wanted.key) from None


async def _tell(
    session: AsyncSession, pause_: Pause, kind: NoticeKind, now: BusinessInstant, wall: WallInstant
) -> None:
    """Let every customer with a run that this concerns hear of it; their workflows ring the runs."""
    run, customer = InterventionRow, CustomerRow
    query = select(run.customer_id).where(run.state != InterventionState.ENDED).distinct()
    if kind is NoticeKind.RESUMED:  # and those of whom nothing was opened because of it
        held_up = cast(LifecycleRow.state["refused"], Text).contains(f'"{RESTING}"')
        await _put(session, select(LifecycleRow.customer_id).where(held_up), pause_, kind, now, wall)
    if pause_.scope is PauseScope.PLAYBOOK:
        query = query.where(run.playbook_key == pause_.key)
    elif pause_.scope is PauseScope.RUN:
        query = query.where(run.id == uuid.UUID(pause_.key))
    elif pause_.scope is PauseScope.CUSTOMER:
        query = query.where(run.customer_id == uuid.UUID(pause_.key))
    elif pause_.scope is PauseScope.SEGMENT:
        query = query.join(customer, customer.id == run.customer_id)
        query = query.where(customer.segment == Segment(pause_.key))
    await _put(session, query, pause_, kind, now, wall)
    await announce_change(session)


async def _put(
    session: AsyncSession,
    customers: Select[uuid.UUID],
    pause_: Pause,
    kind: NoticeKind,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    payload = {"scope": pause_.scope.value}
    notices = [Notice(one, kind, payload, now) for one in (await session.scalars(customers)).all()]
    await put_notices(session, notices, wall)
