"""What a condition comes to just now: whom it holds for, and what in it nobody has told of yet."""

import difflib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Subquery, func, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from domain.condition_needs import needs_of
from domain.conditions import Condition
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus
from models.arrays import among
from models.condition_sql import condition_sql
from models.tables.customers import CustomerRow
from models.tables.scoring import OwnSignalRow
from models.tables.tracking import MetricRow, SeenEventRow, UsageWindowRow

EXAMPLES = 5
NAMES_COMPARED = 5_000


@dataclass(frozen=True)
class Held:
    """Of how many customers it holds; those who have left are counted apart."""

    customers: int
    left: int
    examples: tuple[tuple[uuid.UUID, str], ...]
    """The largest of those who are here."""


async def count_holding(session: AsyncSession, condition: Condition, now: BusinessInstant) -> Held:
    """Ask all customers at once."""
    row, truth = CustomerRow, condition_sql(condition, now)
    here = row.status != CustomerStatus.CHURNED
    counts = select(func.count().filter(here), func.count().filter(~here)).select_from(row).where(truth)
    customers, left = (await session.execute(counts)).one()
    largest = select(row.id, row.name).where(truth, here).order_by(row.arr_minor.desc(), row.id)
    examples = (await session.execute(largest.limit(EXAMPLES))).all()
    return Held(customers, left, tuple((one.id, one.name) for one in examples))


async def own_signal_keys(session: AsyncSession) -> list[str]:
    """Return the keys of the signals that the tenant declared."""
    return list(await session.scalars(select(OwnSignalRow.key).order_by(OwnSignalRow.key)))


async def unseen_names(session: AsyncSession, condition: Condition) -> list[str]:
    """Say of each performed event or feature that was never seen so, with the nearest name that was."""
    asked = sorted({name for name, _days in needs_of(condition).performed})
    if not asked:
        return []
    seen = await _seen(session, asked)
    unseen = [name for name in asked if name not in seen]
    known = await _names(session) if unseen else ()
    return [_say(name, known) for name in unseen]


def _all_names() -> Subquery:
    """Return every name that use is told by."""
    columns = (UsageWindowRow.feature, SeenEventRow.name, MetricRow.feature)
    return union(*(select(column.label("name")) for column in columns)).subquery()


async def _seen(session: AsyncSession, asked: Sequence[str]) -> set[str]:
    names = _all_names()
    return set(await session.scalars(select(names.c.name).where(among(names.c.name, asked))))


async def _names(session: AsyncSession) -> Sequence[str]:
    names = _all_names()
    return list(await session.scalars(select(names.c.name).order_by(names.c.name).limit(NAMES_COMPARED)))


def _say(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"nobody has performed {name!r} lately{hint}"
