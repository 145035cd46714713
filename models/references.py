"""Who refers to a row, told from the tables themselves: what comes later is found without being listed."""

import uuid
from collections.abc import Collection, Iterator

from sqlalchemy import Column, Table, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.arrays import among_ids
from models.tables.base import Base


def referring(table: str) -> Iterator[tuple[Table, Column[uuid.UUID]]]:
    """Yield every table with the column in which it refers to another one."""
    for each in Base.metadata.sorted_tables:
        for column in each.columns:
            if any(key.column.table.name == table for key in column.foreign_keys):
                yield each, column


async def count_references(
    session: AsyncSession, table: str, ids: Collection[uuid.UUID], besides: Collection[str]
) -> dict[uuid.UUID, dict[str, int]]:
    """Return, for each id that is referred to, by how many rows of which table; some tables do not count."""
    found: dict[uuid.UUID, dict[str, int]] = {}
    for each, column in referring(table):
        if each.name in besides:
            continue
        query = select(column, func.count()).where(among_ids(column, ids)).group_by(column)
        for key, times in await session.execute(query):
            counts = found.setdefault(key, {})
            counts[each.name] = counts.get(each.name, 0) + times
    return found


async def delete_references(
    session: AsyncSession, table: str, ids: Collection[uuid.UUID], only: Collection[str]
) -> None:
    """Delete from some tables the rows that refer to these ids, the dependent tables first."""
    for each, column in reversed(list(referring(table))):
        if each.name in only:
            await session.execute(each.delete().where(among_ids(column, ids)))
