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
Edit = tuple[Row, Row]


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


async def forget_changes(session: AsyncSession, table: type[Base], chosen: ColumnElement[bool]) -> None:
    """Delete what was kept of facts that the caller is about to delete."""
    gone = select(inspect(table).columns["id"]).where(chosen)
    row = FactChangeRow
    await session.execute(delete(row).where(row.fact_table == table.__tablename__, row.fact_id.in_(gone)))


async def take_back_edits(session: AsyncSession, source_id: str, edits: Mapping[uuid.UUID, Edit]) -> None:
    """Let customers never have been changed by a source whose tellings are undone.

    Its changes go; where another source has moved a field on since, the field moved from what it was before
    both. `edits`: what was declared before and after.
    """
    row = FactChangeRow
    of_these = (row.fact_table == "customers", among_ids(row.fact_id, list(edits)))
    await session.execute(delete(row).where(*of_these, row.source_id == source_id))
    for kept in (await session.scalars(select(row).where(*of_these))).all():
        before, after = edits[kept.fact_id]
        ours = {name for name in kept.before if name in after and kept.before[name] == after[name]}
        kept.before = kept.before | {name: before.get(name) for name in ours}
