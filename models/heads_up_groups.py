"""Warnings by customer: ranked by the revenue at stake, and seen, put off or closed together."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import HeadsUpState, Severity
from models.changes import announce_change
from models.resources.work import HEADS_UP, WorkFilter
from models.tables.customers import CustomerRow
from models.tables.work import HeadsUpRow
from models.views.chrome import due_heads_up
from models.work import check_snooze, note_human_action

RANKS = {severity: rank for rank, severity in enumerate(Severity)}
"""The later in the vocabulary, the worse."""


@dataclass(frozen=True)
class HeadsUpGroup:
    """One customer with the warnings that wait there."""

    customer_id: uuid.UUID
    customer: str
    arr_minor: int
    currency: str
    severity: Severity
    """The worst of them."""
    heads_ups: tuple[dict[str, Any], ...]


async def list_groups(
    session: AsyncSession, chosen: WorkFilter, now: BusinessInstant, limit: int
) -> tuple[list[HeadsUpGroup], int]:
    """Return the customers with most revenue at stake, of equals the worst warned of, and their number."""
    mine = [due_heads_up(now)]
    if chosen.person is not None:
        mine.append(HeadsUpRow.owner_id == chosen.person)
    if chosen.customer is not None:
        mine.append(HeadsUpRow.customer_id == chosen.customer)
    worst = func.max(case(RANKS, value=HeadsUpRow.severity))
    ranked = (
        select(CustomerRow.id, CustomerRow.name, CustomerRow.arr_minor, CustomerRow.currency, worst)
        .join(HeadsUpRow, HeadsUpRow.customer_id == CustomerRow.id)
        .where(*mine)
        .group_by(CustomerRow.id)
        .order_by(CustomerRow.arr_minor.desc(), worst.desc(), CustomerRow.id)
    )
    rows = (await session.execute(ranked.limit(limit))).all()
    total = await session.scalar(select(func.count(HeadsUpRow.customer_id.distinct())).where(*mine))
    warnings = await _warnings(session, [row[0] for row in rows], mine)
    groups = [
        HeadsUpGroup(key, name, arr, currency, list(Severity)[rank], tuple(warnings[key]))
        for key, name, arr, currency, rank in rows
    ]
    return groups, total or 0


async def _warnings(
    session: AsyncSession, customers: Sequence[uuid.UUID], mine: Sequence[Any]
) -> dict[uuid.UUID, list[dict[str, Any]]]:
    found: dict[uuid.UUID, list[dict[str, Any]]] = {one: [] for one in customers}
    query = HEADS_UP.where(HeadsUpRow.customer_id.in_(customers), *mine)
    order = (case(RANKS, value=HeadsUpRow.severity).desc(), HeadsUpRow.opened_at, HeadsUpRow.id)
    for row in (await session.execute(query.order_by(*order))).mappings():
        found[row["customer_id"]].append(dict(row))
    return found


async def acknowledge_group(
    session: AsyncSession, customer_id: uuid.UUID, ids: Sequence[uuid.UUID] | None, now: BusinessInstant
) -> int:
    """Say that somebody has seen these warnings of a customer, all that are open where none are named."""
    values = {"state": HeadsUpState.ACKNOWLEDGED, "snoozed_until": None}
    return await _change(session, customer_id, ids, values, now)


async def snooze_group(
    session: AsyncSession,
    customer_id: uuid.UUID,
    ids: Sequence[uuid.UUID] | None,
    until: BusinessInstant,
    now: BusinessInstant,
) -> int:
    """Put them away until an instant in the next 90 days."""
    check_snooze(until, now)
    return await _change(session, customer_id, ids, {"snoozed_until": until}, now)


async def close_group(
    session: AsyncSession,
    customer_id: uuid.UUID,
    ids: Sequence[uuid.UUID] | None,
    reason: str,
    now: BusinessInstant,
) -> int:
    """Close them by hand, with a reason."""
    words = reason.strip()[:200] or "closed by hand"
    values = {"state": HeadsUpState.CLOSED, "closed_at": now, "closed_reason": words}
    return await _change(session, customer_id, ids, values, now)


async def _change(
    session: AsyncSession,
    customer_id: uuid.UUID,
    ids: Sequence[uuid.UUID] | None,
    values: dict[str, Any],
    now: BusinessInstant,
) -> int:
    """Change what is still open of them; what came after somebody looked is not among those they name."""
    row = HeadsUpRow
    query = select(row.id, row.signal_id).where(
        row.customer_id == customer_id, row.state == HeadsUpState.OPEN
    )
    if ids is not None:
        query = query.where(row.id.in_(ids))
    found = (await session.execute(query.order_by(row.id).with_for_update())).all()
    if not found:
        await _refuse(session, customer_id)
    await session.execute(update(row).where(row.id.in_([one.id for one in found])).values(values))
    for one in found:
        await note_human_action(session, customer_id, one.signal_id, now)
    await announce_change(session)
    return len(found)


async def _refuse(session: AsyncSession, customer_id: uuid.UUID) -> None:
    name = await session.scalar(select(CustomerRow.name).where(CustomerRow.id == customer_id))
    if name is None:
        raise NotFoundError(what="customer", key=customer_id)
    raise ConflictError(what=f"The warnings of {name}", reason="none of them is open any more")
