"""Files what replays of the past have shown, and reads it again."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.time import BusinessInstant
from models.tables.backtests import BacktestRow
from models.tables.customers import CustomerRow

MOST_LISTED = 100


@dataclass(frozen=True)
class FiledBacktest:
    """One backtest as it was filed."""

    id: uuid.UUID
    model: str
    first_day: dt.date
    last_day: dt.date
    has_seen: bool
    run_at: BusinessInstant
    by: str
    document: Mapping[str, Any]


async def file_backtest(
    session: AsyncSession, key: uuid.UUID, document: Mapping[str, Any], by: str, now: BusinessInstant
) -> None:
    """Keep a backtest under an id."""
    values = {
        "id": key, "model": document["model"], "first_day": dt.date.fromisoformat(document["from"]),
        "last_day": dt.date.fromisoformat(document["to"]), "has_seen": document["has_seen"],
        "run_at": now, "by": by, "document": dict(document),
    }  # fmt: skip
    await session.execute(insert(BacktestRow).values(values))


async def list_backtests(session: AsyncSession) -> list[FiledBacktest]:
    """Return the newest backtests first."""
    query = select(BacktestRow).order_by(BacktestRow.run_at.desc(), BacktestRow.id).limit(MOST_LISTED)
    return [_filed(row) for row in await session.scalars(query)]


async def show_backtest(session: AsyncSession, key: uuid.UUID) -> FiledBacktest:
    """Return one backtest; raises NotFoundError."""
    row = await session.get(BacktestRow, key)
    if row is None:
        raise NotFoundError(what="backtest", key=key)
    return _filed(row)


def _filed(row: BacktestRow) -> FiledBacktest:
    return FiledBacktest(
        row.id, row.model, row.first_day, row.last_day, row.has_seen, row.run_at, row.by, row.document
    )


async def customer_keys(session: AsyncSession) -> dict[str, uuid.UUID]:
    """Return the id of every customer by the id that its source gave it."""
    rows = await session.execute(select(CustomerRow.external_id, CustomerRow.id))
    return {row.external_id: row.id for row in rows}
