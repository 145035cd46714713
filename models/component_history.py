"""Stored component scores of past months: what weights are learned from, without looking at a fact again."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import HealthComponent, Segment

MONTHS = 18
MOST = 600
"""Customers of each segment that left, and as many that did not: the order of the rest does not hang on how
many there are (case-control sampling leaves slopes and rankings alone; Prentice and Pyke 1979)."""


@dataclass(frozen=True)
class PastScores:
    """One customer's component scores on one day of a month; None where a component was unknown."""

    customer_id: uuid.UUID
    segment: Segment
    as_of: dt.date
    scores: tuple[int | None, ...]
    arr: float


_SAMPLE = """
SELECT id FROM (
    SELECT id, row_number() OVER (PARTITION BY segment, churned_at IS NULL ORDER BY md5(CAST(id AS text)))
               AS place
    FROM customers WHERE churned_at IS NULL OR churned_at > :start
) AS dealt WHERE place <= :most
"""
_COLUMNS = ", ".join(
    f"CAST(scores.components #>> '{{{name.value},score}}' AS integer) AS {name.value}"
    for name in HealthComponent
)
_HISTORY = f"""
SELECT DISTINCT ON (scores.customer_id, date_trunc('month', scores.as_of))
       scores.customer_id, customers.segment, scores.as_of, customers.arr_minor, {_COLUMNS}
FROM scores JOIN customers ON customers.id = scores.customer_id
WHERE scores.customer_id IN ({_SAMPLE}) AND scores.as_of >= CAST(:start AS date)
  AND extract(day FROM scores.as_of) <= 3
ORDER BY scores.customer_id, date_trunc('month', scores.as_of), scores.as_of
"""  # noqa: S608  constants only


async def load_component_history(session: AsyncSession, now: BusinessInstant) -> list[PastScores]:
    """Return the first stored scores of each month (of its first three days) in 18 months, by customer."""
    start = now - dt.timedelta(days=30 * MONTHS)
    rows = await session.execute(text(_HISTORY), {"start": start, "most": MOST})
    return [
        PastScores(customer_id, Segment(segment), as_of, tuple(scores), arr_minor / 100)
        for customer_id, segment, as_of, arr_minor, *scores in rows
    ]
