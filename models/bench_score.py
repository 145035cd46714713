"""What the benchmark of scoring asks the database: its statements alone, and what a night has left behind."""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from models.features import PRESENT

_SCORED = """
SELECT count(*), count(DISTINCT customer_id),
       count(*) FILTER (WHERE model_version LIKE '%model') AS learned,
       avg(jsonb_array_length(drivers)) AS drivers
FROM scores WHERE as_of = :day
"""
_ROLLUPS = "SELECT count(*) FROM usage_daily"


async def aggregate_alone(session: AsyncSession, ids: Sequence[uuid.UUID], as_of: BusinessInstant) -> int:
    """Run the statements that features are read with and make nothing of the rows; return how many came."""
    values = {"ids": list(ids), "as_of": as_of, "today": as_of.date()}
    relations = (await session.execute(text(PRESENT.relations), values)).all()
    usage = (await session.execute(text(PRESENT.usage), values)).all()
    return len(relations) + len(usage)


async def night_of(session: AsyncSession, day: dt.date) -> dict[str, float]:
    """Return what a night has stored: scores, customers, how many by the model, reasons of each."""
    row = (await session.execute(text(_SCORED), {"day": day})).one()
    names = ("scores", "customers", "by_the_model", "drivers_each")
    return {name: round(float(value or 0), 2) for name, value in zip(names, row, strict=True)}


async def count_rollups(session: AsyncSession) -> int:
    """Return how many days of use of a feature are stored."""
    return int(await session.scalar(text(_ROLLUPS)) or 0)
