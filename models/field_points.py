"""Keeps what conditions ask for: measured fields at each scoring, and since when a field is what it is."""

import math
import uuid
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import (
    DateTime,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.features import CustomerFeatures
from domain.field_shape import FieldValue
from domain.signal_fields import measured_values
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus
from models.arrays import among_ids
from models.field_columns import RECORDED, Column, column_of
from models.many_rows import source_of, write_rows
from models.tables.customers import CustomerRow
from models.tables.scoring import CustomerValuesRow, FieldPointRow


async def save_values(session: AsyncSession, scored: Iterable[CustomerFeatures]) -> None:
    """Keep the measured fields of customers that are being scored, in the same transaction."""
    rows = [
        {
            "customer_id": features.customer_id,
            "scored_at": features.as_of,
            "fields": {name: _finite(value) for name, value in measured_values(features).items()},
        }
        for features in scored
    ]
    await write_rows(session, _VALUES, rows)


_KEPT = ("customer_id", "scored_at", "fields")
_VALUES = f"""
INSERT INTO customer_values ({", ".join(_KEPT)})
SELECT {", ".join(_KEPT)} FROM {source_of(CustomerValuesRow.metadata.tables["customer_values"], _KEPT)}
ON CONFLICT (customer_id) DO UPDATE SET scored_at = excluded.scored_at, fields = excluded.fields
"""  # noqa: S608 - constants only


def _finite(value: FieldValue) -> FieldValue:
    return None if isinstance(value, float) and not math.isfinite(value) else value


async def note_points(session: AsyncSession, ids: Collection[uuid.UUID], now: BusinessInstant) -> None:
    """Record of each field with a history what it is now, where the newest point says otherwise.

    Called by whoever changes such a field, in the transaction that does, so that no change, however short,
    is missed. A change is never put before the newest point: what is noted later happened later.
    """
    if not ids:
        return
    statement = upsert(FieldPointRow).from_select(
        ["customer_id", "field", "since", "value"], _changed(ids, now)
    )
    same_instant = {"value": statement.excluded.value}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["customer_id", "field", "since"], set_=same_instant)
    )


def _changed(ids: Collection[uuid.UUID], now: BusinessInstant) -> Select[Any]:
    """Return customer, field, since when, and value of what is not as the newest point says."""
    unnested = func.unnest(
        array([literal(name, Text) for name in RECORDED]),
        array([cast(column_of(name, now), Text) for name in RECORDED]),
        array([_first_since(name, now) for name in RECORDED]),
    )
    told = unnested.table_valued("field", "value", "first_since").render_derived(name="told")
    point = FieldPointRow
    newest = (
        select(point.since, point.value)
        .where(point.customer_id == CustomerRow.id, point.field == told.c.field)
        .order_by(point.since.desc())
        .limit(1)
        .lateral()
    )
    since = case(
        (newest.c.since.is_(None), told.c.first_since), else_=func.greatest(_instant(now), newest.c.since)
    )
    return (
        select(CustomerRow.id, told.c.field, since, told.c.value)
        .select_from(CustomerRow)
        .join(told, true())
        .outerjoin(newest, true())
        .where(among_ids(CustomerRow.id, ids))
        .where(
            or_(
                and_(newest.c.since.is_(None), told.c.value.is_not(None)),
                and_(newest.c.since.is_not(None), told.c.value.is_distinct_from(newest.c.value)),
            )
        )
    )


def _first_since(name: str, now: BusinessInstant) -> Column:
    """Return since when a field is known to be what it is, where no point was kept yet."""
    if name == "tier":
        return func.least(_instant(now), func.coalesce(CustomerRow.acted_tier_at, _instant(now)))
    if name == "status":
        left = case((CustomerRow.status == CustomerStatus.CHURNED, CustomerRow.churned_at), else_=null())
        return func.least(_instant(now), func.coalesce(left, _instant(now)))
    return _instant(now)


def _instant(now: BusinessInstant) -> Column:
    return literal(now, DateTime(timezone=True))
