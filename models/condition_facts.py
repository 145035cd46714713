"""Loads what conditions ask for, and nothing else, for one customer or for many at once."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.condition_needs import Needs, needs_of
from domain.conditions import Condition, Value
from domain.errors import NotFoundError
from domain.field_shape import Place
from domain.fields import FIELDS
from domain.known import Known, Point, SeenSignal
from domain.time import BusinessInstant
from domain.vocabulary import SignalState
from models.arrays import among_ids
from models.clause_columns import signal_name, sum_of_times, used_in
from models.field_columns import column_of, recorded_as, recorded_value
from models.tables.customers import CustomerRow
from models.tables.facts import UsageDailyRow
from models.tables.scoring import FieldPointRow, SignalRow

Ids = Collection[uuid.UUID]
Times = dict[tuple[str, int], float]


async def load_known(
    session: AsyncSession,
    customer_id: uuid.UUID,
    conditions: Iterable[Condition],
    now: BusinessInstant,
    run_values: Mapping[str, Value] | None = None,
) -> Known:
    """Return what these conditions ask of one customer; `run_values` are what its run knows of itself."""
    found = await load_known_of_many(session, [customer_id], conditions, now, run_values)
    if customer_id not in found:
        raise NotFoundError(what="customer", key=customer_id)
    return found[customer_id]


async def load_known_of_many(
    session: AsyncSession,
    ids: Ids,
    conditions: Iterable[Condition],
    now: BusinessInstant,
    run_values: Mapping[str, Value] | None = None,
) -> dict[uuid.UUID, Known]:
    """Return what these conditions ask of each customer there is: a query per sort of thing asked for."""
    needs = needs_of(*conditions)
    values = await _values(session, ids, sorted(needs.fields), now)
    points = await _points(session, ids, sorted(needs.history))
    times = await _times(session, ids, needs, now)
    signals = await _signals(session, ids, needs) if needs.signals else None
    nothing = dict.fromkeys(needs.performed, 0.0)
    return {
        customer_id: Known(
            values={**told, **(run_values or {})},
            now=now,
            history={name: tuple(points[customer_id, name]) for name in needs.history},
            performed=nothing | times[customer_id],
            signals=None if signals is None else tuple(signals[customer_id]),
        )
        for customer_id, told in values.items()
    }


async def load_values(
    session: AsyncSession, customer_id: uuid.UUID, now: BusinessInstant
) -> Mapping[str, Value]:
    """Return every field of one customer that conditions may speak of."""
    names = sorted(name for name, field in FIELDS.items() if field.scope is Place.CUSTOMER)
    return (await _values(session, [customer_id], names, now)).get(customer_id, {})


async def _values(
    session: AsyncSession, ids: Ids, names: Sequence[str], now: BusinessInstant
) -> dict[uuid.UUID, dict[str, Value]]:
    columns = [column_of(name, now).label(name) for name in names]
    query = select(CustomerRow.id, *columns).where(among_ids(CustomerRow.id, ids))
    rows = (await session.execute(query)).all()
    return {
        row[0]: {name: _typed(name, value) for name, value in zip(names, row[1:], strict=True)}
        for row in rows
    }


def _typed(name: str, value: Any) -> Value:
    """Return a whole number as one: SQL tells every number as floating point."""
    found: Value = int(value) if FIELDS[name].type is int and value is not None else value
    return found


async def _points(
    session: AsyncSession, ids: Ids, names: Sequence[str]
) -> dict[tuple[uuid.UUID, str], list[Point]]:
    found: dict[tuple[uuid.UUID, str], list[Point]] = defaultdict(list)
    row = FieldPointRow
    for name in names:
        query = select(row.customer_id, row.since, recorded_value(name, row.value)).where(
            among_ids(row.customer_id, ids), row.field == recorded_as(name)
        )
        for customer_id, since, value in (await session.execute(query.order_by(row.since))).all():
            found[customer_id, name].append(Point(since, _typed(name, value)))
    return found


async def _times(
    session: AsyncSession, ids: Ids, needs: Needs, now: BusinessInstant
) -> dict[uuid.UUID, Times]:
    found: dict[uuid.UUID, Times] = defaultdict(dict)
    row = UsageDailyRow
    for days in sorted({days for _name, days in needs.performed}):
        window = dt.timedelta(days=days)
        names = [name for name, of in needs.performed if of == days]
        query = (
            select(row.customer_id, row.feature, sum_of_times())
            .where(among_ids(row.customer_id, ids))
            .where(or_(*(used_in(name, window, now) for name in names)))
            .group_by(row.customer_id, row.feature)
        )
        for customer_id, name, times in (await session.execute(query)).all():
            found[customer_id][name, days] = times
    return found


async def _signals(session: AsyncSession, ids: Ids, needs: Needs) -> dict[uuid.UUID, list[SeenSignal]]:
    found: dict[uuid.UUID, list[SeenSignal]] = defaultdict(list)
    row, name = SignalRow, signal_name()
    query = select(row.customer_id, name, row.opened_at).where(
        among_ids(row.customer_id, ids), row.state == SignalState.OPEN, name.in_(sorted(needs.signals))
    )
    for customer_id, told, opened_at in (await session.execute(query)).all():
        found[customer_id].append(SeenSignal(told, opened_at))
    return found
