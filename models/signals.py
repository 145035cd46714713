"""Keeps customers' signals: opens, updates and resolves them, and closes the warnings that rested on them."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.signal_warnings import ENDED
from domain.signals import HeldSignal, Sighting, SignalChanges
from domain.time import BusinessInstant
from domain.vocabulary import HeadsUpState, NoticeKind, SignalKind, SignalState
from models.arrays import among_ids
from models.many_rows import source_of, write_rows
from models.outbox import Notice
from models.tables.scoring import ScoreRow, SignalRow
from models.tables.work import HeadsUpRow

USUAL_DAYS = 30
LEAST_SCORES = 7
"""Fewer days of scores say nothing of what is usual."""


@dataclass(frozen=True)
class CustomerChanges:
    """What changed in one customer's signals."""

    customer_id: uuid.UUID
    changes: SignalChanges


@dataclass(frozen=True)
class _Opened:
    """A signal that is new, and the mass alert that speaks for it, if one does."""

    id: uuid.UUID
    customer_id: uuid.UUID
    sighting: Sighting
    mass_alert_id: uuid.UUID | None

    @property
    def sets_state_only(self) -> bool:
        return self.sighting.is_baseline or self.mass_alert_id is not None


async def load_held(session: AsyncSession, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[HeldSignal]]:
    """Return the open signals per customer."""
    row = SignalRow
    query = select(
        row.customer_id,
        row.id,
        row.kind,
        row.dedupe_key,
        row.severity,
        row.title,
        row.evidence,
        row.is_baseline,
        and_(row.is_baseline, row.mass_alert_id.is_not(None)),
    ).where(among_ids(row.customer_id, ids), row.state == SignalState.OPEN)
    found: dict[uuid.UUID, list[HeldSignal]] = defaultdict(list)
    for customer_id, *signal in (await session.execute(query.order_by(row.opened_at, row.id))).all():
        found[customer_id].append(HeldSignal(*signal))
    return found


async def load_usual_health(
    session: AsyncSession, ids: Collection[uuid.UUID], today: dt.date
) -> dict[uuid.UUID, int]:
    """Return each customer's health score on a good day of the last month, if scored for a week."""
    row = ScoreRow
    usual = func.percentile_disc(0.75).within_group(row.health_score.asc())
    query = (
        select(row.customer_id, usual)
        .where(among_ids(row.customer_id, ids), row.as_of < today)
        .where(row.as_of >= today - dt.timedelta(days=USUAL_DAYS))
        .group_by(row.customer_id)
        .having(func.count() >= LEAST_SCORES)
    )
    return dict((await session.execute(query)).all())


async def save_changes(
    session: AsyncSession,
    changed: Sequence[CustomerChanges],
    now: BusinessInstant,
    held_back: Mapping[SignalKind, uuid.UUID] | None = None,
) -> list[Notice]:
    """Write what changed, and return what the customers' workflows must hear of it.

    `held_back`: kinds of which nobody is told now, with the mass alert that speaks for them.
    """
    opened = [
        _Opened(uuid.uuid4(), one.customer_id, sighting, _mass_alert(sighting, held_back or {}))
        for one in changed
        for sighting in one.changes.opened
    ]
    await _open(session, opened, now)
    await _update(session, [pair for one in changed for pair in one.changes.updated], now)
    await resolve_signals(
        session, [held.id for one in changed for held, _ending in one.changes.resolved], now
    )
    notices = [
        _opened_notice(one.customer_id, one.id, one.sighting, now)
        for one in opened
        if not one.sets_state_only
    ]
    return notices + [notice for one in changed for notice in _other_notices(one, now)]


def _mass_alert(sighting: Sighting, held_back: Mapping[SignalKind, uuid.UUID]) -> uuid.UUID | None:
    return None if sighting.is_baseline else held_back.get(sighting.kind)


async def _open(session: AsyncSession, opened: Sequence[_Opened], now: BusinessInstant) -> None:
    if not opened:
        return
    rows = [
        {
            "id": one.id,
            "customer_id": one.customer_id,
            "kind": one.sighting.kind,
            "dedupe_key": one.sighting.key,
            "state": SignalState.OPEN,
            "opened_at": now,
            "mass_alert_id": one.mass_alert_id,
        }
        | _values(one.sighting, now)
        | {"is_baseline": one.sets_state_only}
        for one in opened
    ]
    await write_rows(session, _OPENED, rows)


_SIGNAL = (
    "id", "customer_id", "kind", "dedupe_key", "state", "opened_at", "mass_alert_id", "severity", "title",
    "evidence", "is_baseline", "updated_at",
)  # fmt: skip
_OPENED = f"""
INSERT INTO signals ({", ".join(_SIGNAL)})
SELECT {", ".join(_SIGNAL)} FROM {source_of(SignalRow.metadata.tables["signals"], _SIGNAL)}
"""  # noqa: S608 - constants only


def _values(sighting: Sighting, now: BusinessInstant) -> dict[str, Any]:
    return {
        "severity": sighting.severity,
        "title": sighting.title,
        "evidence": dict(sighting.evidence),
        "is_baseline": sighting.is_baseline,
        "updated_at": now,
    }


async def _update(
    session: AsyncSession, updated: Sequence[tuple[HeldSignal, Sighting]], now: BusinessInstant
) -> None:
    if updated:
        rows = [{"id": held.id} | _values(sighting, now) for held, sighting in updated]
        await session.execute(update(SignalRow), rows)


async def resolve_signals(session: AsyncSession, ids: Sequence[uuid.UUID], now: BusinessInstant) -> None:
    """Resolve signals, and close the heads-ups that they opened."""
    if not ids:
        return
    resolved = update(SignalRow).where(among_ids(SignalRow.id, ids))
    await session.execute(resolved.values(state=SignalState.RESOLVED, resolved_at=now, updated_at=now))
    warned = HeadsUpRow.signal_id.in_(ids) & (HeadsUpRow.state != HeadsUpState.CLOSED)
    closed = {
        "state": HeadsUpState.CLOSED,
        "closed_at": now,
        "closed_reason": ENDED,
    }
    await session.execute(update(HeadsUpRow).where(warned).values(closed))


def _opened_notice(
    customer_id: uuid.UUID, signal_id: uuid.UUID, sighting: Sighting, now: BusinessInstant
) -> Notice:
    payload = {
        "signal_id": str(signal_id),
        "kind": sighting.kind.value,
        "severity": sighting.severity.value,
    }
    return Notice(customer_id, NoticeKind.SIGNAL_OPENED, payload, now)


def _other_notices(one: CustomerChanges, now: BusinessInstant) -> list[Notice]:
    """Tell of baseline signals that became news, of what ended, and of people who came back."""
    notices = [
        _opened_notice(one.customer_id, held.id, sighting, now)
        for held, sighting in one.changes.updated
        if held.is_baseline and not sighting.is_baseline
    ]
    for held, ending in one.changes.resolved:
        payload = {"signal_id": str(held.id), "kind": held.kind.value, "ending": ending.value}
        notices.append(Notice(one.customer_id, NoticeKind.SIGNAL_RESOLVED, payload, now))
    returns = one.changes.returns
    if returns:
        came_back: dict[str, Any] = {
            "signal_ids": [str(held.id) for held in returns],
            "kinds": sorted({held.kind.value for held in returns}),
        }
        notices.append(Notice(one.customer_id, NoticeKind.RE_ENGAGED, came_back, now))
    return notices
