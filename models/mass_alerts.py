"""Many customers that would show the same signal at once: held back, told once, then released or settled."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, exists, func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.scoring_policy import FreshnessPolicy
from domain.time import BusinessInstant, WallInstant, business
from domain.vocabulary import CustomerStatus, NoticeKind, SignalKind, SignalState
from models.changes import announce_change
from models.outbox import Notice, put_notices
from models.tables.customers import CustomerRow
from models.tables.scoring import MassAlertRow, SignalRow

HELD, RELEASED, SETTLED = "held", "released", "settled"
ONE_PASS = dt.timedelta(days=1)
"""Signals that open within a business day are told of by one pass."""
GRACE = dt.timedelta(hours=12)
"""A held alert without signals is not over before the pass that it was held for can have ended."""
PERSISTS = "it held on: this is no passing fault"


@dataclass(frozen=True)
class MassAlert:
    """One alert that is held back, with how many customers show its signal by now."""

    id: uuid.UUID
    kind: SignalKind
    expected: int
    active: int
    opened_at: BusinessInstant
    signals: int


def is_mass(customers: float, active: int, policy: FreshnessPolicy) -> bool:
    """Tell whether so many customers at once are more likely one cause of ours than causes of theirs."""
    return customers > policy.mass_customers and customers > policy.mass_share * active


async def held_kinds(session: AsyncSession) -> dict[SignalKind, uuid.UUID]:
    """Return the kinds that are held back now, with their alerts."""
    query = select(MassAlertRow.kind, MassAlertRow.id).where(MassAlertRow.state == HELD)
    return dict((await session.execute(query)).all())


async def hold_back(
    session: AsyncSession, expected: Mapping[SignalKind, int], active: int, now: BusinessInstant
) -> dict[SignalKind, uuid.UUID]:
    """Hold these kinds back from now on, and return all that are."""
    for kind, customers in sorted(expected.items()):
        row = {"kind": kind, "state": HELD, "expected": customers, "active": active, "opened_at": now}
        statement = upsert(MassAlertRow).values(id=uuid.uuid4(), **row).on_conflict_do_nothing()
        await session.execute(statement)
    if expected:
        await announce_change(session)
    return await held_kinds(session)


async def opened_lately(
    session: AsyncSession, kinds: Collection[SignalKind], now: BusinessInstant
) -> dict[SignalKind, int]:
    """Return how many customers have been told of these kinds within a day."""
    row = SignalRow
    query = (
        select(row.kind, func.count(row.customer_id.distinct()))
        .where(row.state == SignalState.OPEN, row.kind.in_(kinds))
        .where(row.opened_at > now - ONE_PASS, row.is_baseline.is_(False), row.mass_alert_id.is_(None))
        .group_by(row.kind)
    )
    return dict((await session.execute(query)).all())


async def count_active(session: AsyncSession) -> int:
    """Return how many customers there are to look at."""
    query = select(func.count()).where(CustomerRow.status != CustomerStatus.CHURNED)
    return await session.scalar(query) or 0


def mass_alerts_now() -> ScalarSelect[Any]:
    """Return a column that holds what is held back now, for a query that asks other things too."""
    row = MassAlertRow
    signals = (
        select(func.count())
        .select_from(SignalRow)
        .where(SignalRow.mass_alert_id == row.id, SignalRow.state == SignalState.OPEN)
        .correlate(row)
        .scalar_subquery()
    )
    names = ("id", "kind", "expected", "active", "opened_at")
    pairs = [part for name in names for part in (name, getattr(row, name))]
    one = func.jsonb_build_object(*pairs, "signals", signals)
    held = func.jsonb_agg(aggregate_order_by(one, row.opened_at.desc(), row.kind))
    return select(held).where(row.state == HELD).scalar_subquery()


def read_mass_alerts(rows: list[dict[str, Any]] | None) -> tuple[MassAlert, ...]:
    """Return what that column says."""
    return tuple(
        MassAlert(
            uuid.UUID(row["id"]),
            SignalKind(row["kind"]),
            row["expected"],
            row["active"],
            business(dt.datetime.fromisoformat(row["opened_at"])),
            row["signals"],
        )
        for row in rows or ()
    )


async def list_mass_alerts(session: AsyncSession) -> tuple[MassAlert, ...]:
    """Return what is held back now, the newest first."""
    return read_mass_alerts(await session.scalar(select(mass_alerts_now())))


async def release_mass_alert(
    session: AsyncSession,
    alert_id: uuid.UUID,
    now: BusinessInstant,
    wall: WallInstant,
    *,
    user_id: uuid.UUID | None = None,
    reason: str = "released by a person",
) -> int:
    """Tell the customers' workflows what was held back and still holds; return how many signals that is."""
    closed = await session.scalar(
        update(MassAlertRow)
        .where(MassAlertRow.id == alert_id, MassAlertRow.state == HELD)
        .values(state=RELEASED, settled_at=now, reason=reason, settled_by_id=user_id)
        .returning(MassAlertRow.id)
    )
    if closed is None:
        raise NotFoundError(what="mass alert that is held back", key=alert_id)
    row = SignalRow
    statement = update(row).where(row.mass_alert_id == alert_id, row.state == SignalState.OPEN)
    told = await session.execute(
        statement.values(is_baseline=False).returning(row.customer_id, row.id, row.kind, row.severity)
    )
    notices = [
        Notice(
            customer_id,
            NoticeKind.SIGNAL_OPENED,
            {"signal_id": str(signal_id), "kind": kind.value, "severity": severity.value},
            now,
        )
        for customer_id, signal_id, kind, severity in told
    ]
    await put_notices(session, notices, wall)
    await announce_change(session)
    return len(notices)


async def settle_mass_alerts(
    session: AsyncSession,
    policy: FreshnessPolicy,
    abstaining: Collection[SignalKind],
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """End what nobody shows any more, and release what holds on, unless it is of an `abstaining` kind."""
    row = MassAlertRow
    empty = ~exists().where(SignalRow.mass_alert_id == row.id, SignalRow.state == SignalState.OPEN)
    await session.execute(
        update(row)
        .where(row.state == HELD, row.opened_at < now - GRACE, empty)
        .values(state=SETTLED, settled_at=now, reason="nobody shows it any more")
    )
    due = row.opened_at <= now - dt.timedelta(days=policy.mass_hold_days)
    query = select(row.id).where(row.state == HELD, due, row.kind.not_in(abstaining))
    for alert_id in list(await session.scalars(query.with_for_update(skip_locked=True))):
        await release_mass_alert(session, alert_id, now, wall, reason=PERSISTS)
