"""Load what the director sees of one customer, with the customer's row locked."""

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.customer_state import CustomerState, Driver, EndedRun, OpenRun, OpenSignal
from domain.errors import NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import HeadsUpState, HealthComponent, InterventionState, SignalState
from models.playbooks import PlaybookShelf
from models.tables.customers import CustomerRow
from models.tables.data import SourceRow
from models.tables.playbooks import InterventionRow
from models.tables.scoring import KindSilenceRow, ScoreRow, SignalRow
from models.tables.work import HeadsUpRow


async def lock_customer(session: AsyncSession, customer_id: uuid.UUID) -> None:
    """Hold the customer's row until the transaction ends: decisions and sends come one at a time."""
    query = select(CustomerRow.id).where(CustomerRow.id == customer_id).with_for_update(key_share=True)
    if await session.scalar(query) is None:
        raise NotFoundError(what="customer", key=customer_id)


async def load_customer_state(
    session: AsyncSession, customer_id: uuid.UUID, shelf: PlaybookShelf
) -> CustomerState:
    """Return one customer as the director sees it. The caller holds the row's lock."""
    row = (await session.execute(select(CustomerRow).where(CustomerRow.id == customer_id))).scalar_one()
    heard_since = await _heard_since(session)
    return CustomerState(
        customer_id=customer_id,
        status=row.status,
        touch_tier=row.touch_tier_override or row.touch_tier,
        tier=row.acted_tier,
        health_status=row.health_status,
        holdout=row.holdout,
        do_not_contact=row.do_not_contact,
        is_observed=heard_since is not None,
        heard_since=heard_since,
        renewal_on=row.renewal_on,
        started_at=row.started_at,
        last_touch_at=row.last_touch_at,
        watchlisted_at=row.watchlisted_at,
        arr_minor=row.arr_minor,
        drivers=await _drivers(session, customer_id),
        signals=await _signals(session, customer_id),
        open_runs=await _open_runs(session, customer_id, shelf),
        ended_runs=await _ended_runs(session, customer_id),
        heads_up_keys=await _heads_up_keys(session, customer_id),
        tier_is_baseline=not await _has_moved(session, customer_id, row.acted_tier_at),
    )


async def _heard_since(session: AsyncSession) -> BusinessInstant | None:
    """Return since when sources tell of contacts, None while none does or all of them are silent.

    Nobody is told off for silence we cannot hear. Our own sends, replies to them and finished tasks are not
    hearing: their sources provide no touchpoints.
    """
    row = KindSilenceRow
    tells = SourceRow.provides.contains(["touchpoints"])
    since = await session.scalar(select(func.min(SourceRow.connected_at)).where(tells))
    query = select(row.until).where(row.kind == "touchpoint").order_by(row.since)
    ends = list(await session.scalars(query)) if since is not None else []
    if since is None or None in ends:
        return None
    return max([since, *(end for end in ends if end is not None)])


async def _has_moved(session: AsyncSession, customer_id: uuid.UUID, acted_at: BusinessInstant | None) -> bool:
    """Tell whether the acted tier has changed since the first score."""
    if acted_at is None:
        return False
    query = select(ScoreRow.as_of).where(ScoreRow.customer_id == customer_id, ScoreRow.scored_at < acted_at)
    return await session.scalar(query.limit(1)) is not None


async def _drivers(session: AsyncSession, customer_id: uuid.UUID) -> tuple[Driver, ...]:
    query = (
        select(ScoreRow.drivers)
        .where(ScoreRow.customer_id == customer_id)
        .order_by(ScoreRow.as_of.desc())
        .limit(1)
    )
    found = await session.scalar(query) or []
    drivers = [Driver(HealthComponent(one["family"]), one["sentence"], one["points"]) for one in found]
    harmful = [driver for driver in drivers if driver.points > 0]
    return tuple(sorted(harmful, key=lambda driver: -driver.points))


async def _signals(session: AsyncSession, customer_id: uuid.UUID) -> tuple[OpenSignal, ...]:
    query = (
        select(
            SignalRow.id,
            SignalRow.kind,
            SignalRow.severity,
            SignalRow.title,
            SignalRow.opened_at,
            SignalRow.is_baseline,
            SignalRow.dedupe_key,
        )
        .where(SignalRow.customer_id == customer_id, SignalRow.state == SignalState.OPEN)
        .order_by(SignalRow.opened_at, SignalRow.id)
    )
    return tuple(OpenSignal(*row) for row in (await session.execute(query)).all())


async def _open_runs(
    session: AsyncSession, customer_id: uuid.UUID, shelf: PlaybookShelf
) -> tuple[OpenRun, ...]:
    query = (
        select(InterventionRow)
        .where(InterventionRow.customer_id == customer_id, InterventionRow.state != InterventionState.ENDED)
        .order_by(InterventionRow.planned_at, InterventionRow.id)
    )
    rows: Sequence[InterventionRow] = (await session.scalars(query)).all()
    return tuple([await _open_run(session, row, shelf) for row in rows])


async def _open_run(session: AsyncSession, row: InterventionRow, shelf: PlaybookShelf) -> OpenRun:
    document = await shelf.version(session, row.version_id)
    return OpenRun(row.id, row.playbook_key, document.motion, document.priority, row.reason, row.state)


async def _ended_runs(session: AsyncSession, customer_id: uuid.UUID) -> tuple[EndedRun, ...]:
    newest = (
        select(
            InterventionRow.playbook_key,
            InterventionRow.ended_at,
            InterventionRow.outcome,
            func.row_number()
            .over(partition_by=InterventionRow.playbook_key, order_by=InterventionRow.ended_at.desc())
            .label("place"),
        )
        .where(
            InterventionRow.customer_id == customer_id,
            InterventionRow.state == InterventionState.ENDED,
            InterventionRow.started_at.is_not(None),
        )
        .subquery()
    )
    query = select(newest.c.playbook_key, newest.c.ended_at, newest.c.outcome).where(newest.c.place == 1)
    return tuple(EndedRun(*row) for row in (await session.execute(query)).all())


async def _heads_up_keys(session: AsyncSession, customer_id: uuid.UUID) -> frozenset[str]:
    query = select(HeadsUpRow.dedupe_key).where(
        HeadsUpRow.customer_id == customer_id, HeadsUpRow.state != HeadsUpState.CLOSED
    )
    return frozenset((await session.scalars(query)).all())
