"""The decision ledger as people read it: why we did, and why we did not."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import DecisionKind
from models.tables.customers import CustomerRow
from models.tables.ledger import DecisionRow

PAGE_SIZE = 50


@dataclass(frozen=True)
class DecisionFilter:
    """What a person chose to see; empty means everything."""

    kinds: tuple[DecisionKind, ...] = ()
    action: str = ""
    reason: str = ""
    customer: uuid.UUID | None = None
    run: uuid.UUID | None = None
    case: uuid.UUID | None = None
    page: int = 1


@dataclass(frozen=True)
class DecisionLine:
    """One directive or refusal."""

    id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    run_id: uuid.UUID | None
    case_id: uuid.UUID | None
    decided_at: BusinessInstant
    kind: DecisionKind
    action: str
    subject: str
    reason: str
    sentence: str
    evidence: dict[str, Any]


@dataclass(frozen=True)
class DecisionPage:
    """One page of decisions; `more` tells whether there is another."""

    decisions: tuple[DecisionLine, ...]
    page: int
    more: bool


def _conditions(chosen: DecisionFilter) -> list[ColumnElement[bool]]:
    row = DecisionRow
    wanted: tuple[tuple[Any, Any], ...] = (
        (row.action, chosen.action),
        (row.reason, chosen.reason),
        (row.customer_id, chosen.customer),
        (row.intervention_id, chosen.run),
        (row.case_id, chosen.case),
    )
    found = [column == value for column, value in wanted if value]
    return [*found, row.kind.in_(chosen.kinds)] if chosen.kinds else found


async def load_decisions(
    session: AsyncSession, chosen: DecisionFilter, size: int = PAGE_SIZE
) -> DecisionPage:
    """Return one page, newest first, in one query."""
    row = DecisionRow
    query: Any = (
        select(
            row.id,
            row.customer_id,
            CustomerRow.name,
            row.intervention_id,
            row.case_id,
            row.decided_at,
            row.kind,
            row.action,
            row.subject,
            row.reason,
            row.sentence,
            row.evidence,
        )
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .where(*_conditions(chosen))
        .order_by(row.decided_at.desc(), row.id)
        .limit(size + 1)
        .offset((max(chosen.page, 1) - 1) * size)
    )
    rows = (await session.execute(query)).all()
    lines = tuple(DecisionLine(*each) for each in rows[:size])
    return DecisionPage(lines, chosen.page, len(rows) > size)


async def load_reasons(session: AsyncSession) -> Sequence[tuple[str, int]]:
    """Return the reasons that were given, with how often, most often first."""
    query = (
        select(DecisionRow.reason, func.count())
        .group_by(DecisionRow.reason)
        .order_by(func.count().desc(), DecisionRow.reason)
        .limit(40)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]
