"""Keeps what a fact said before it moved, so that a look at the past sees it as it was known then.

Whoever changes a column that features read, of a fact that is stored already, writes the values that it had
in the same transaction (docs/decisions/0023-facts-as-they-were-known.md).
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, delete, func, insert, inspect, literal, null, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from domain.fact_merge import MergeRule, Values, stable
from domain.time import BusinessInstant
from models.arrays import among_ids
from models.tables.base import Base
from models.tables.changes import FactChangeRow

Row = dict[str, Any]


def change_of(
    table: type[Base], row: Mapping[str, Any], source_id: str, known_at: BusinessInstant, before: Values
) -> Row:
    """Return the row that keeps some former values of a fact."""
    return {
        "fact_table": table.__tablename__,
        "fact_id": row["id"],
        "customer_id": row.get("customer_id"),
        "source_id": source_id,
        "known_at": known_at,
        "before": {name: stable(value) for name, value in before.items()},
    }


def by_known(rule: MergeRule, changed: Values, told_at: BusinessInstant) -> dict[BusinessInstant, list[str]]:
    """Return the changed columns by when each became known: its own instant, or the telling's."""
    own = {rule.known[name]: changed.get(rule.known[name]) for name in rule.known if name in changed}
    instants = own | {name: own[rule.known[name]] for name in rule.known if name in changed}
    found: dict[BusinessInstant, list[str]] = {}
    for name in changed:
        found.setdefault(instants.get(name) or told_at, []).append(name)
    return found


async def note_changes(session: AsyncSession, changes: Sequence[Row]) -> None:
    """Write what was kept, in the order in which the facts moved."""
    if changes:
        await session.execute(insert(FactChangeRow), list(changes))


async def keep_before(
    session: AsyncSession,
    table: type[Base],
    names: Collection[str],
    chosen: Sequence[ColumnElement[bool]],
    known_at: BusinessInstant,
) -> None:
    """Keep the values that some columns have now, of rows that the caller is about to change."""
    columns = inspect(table).columns
    parts = [part for name in sorted(names) for part in (literal(name, Text), columns[name])]
    kept = select(
        literal(table.__tablename__, Text),
        columns["id"],
        _customer_of(table),
        literal(known_at, FactChangeRow.known_at.type),
        func.jsonb_build_object(*parts, type_=JSONB),
    ).where(*chosen)
    into = ["fact_table", "fact_id", "customer_id", "known_at", "before"]
    await session.execute(insert(FactChangeRow).from_select(into, kept))


def _customer_of(table: type[Base]) -> ColumnElement[Any]:
    columns = inspect(table).columns
    name = "id" if table.__tablename__ == "customers" else "customer_id"
    return columns[name] if name in columns else cast(null(), FactChangeRow.customer_id.type)


async def forget_changes(session: AsyncSession, ids: Collection[uuid.UUID]) -> None:
    """Delete what was kept of facts that are deleted themselves."""
    await session.execute(delete(FactChangeRow).where(among_ids(FactChangeRow.fact_id, ids)))
