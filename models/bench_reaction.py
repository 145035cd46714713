"""What the benchmark of reactions looks at: has it been decided, is the verdict new, is all quiet."""

import uuid
from collections.abc import Sequence

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from models.tables.customers import CustomerRow
from models.tables.facts import PlanLimitRow

_UNRESTED = """
SELECT (SELECT count(*) FROM rescore_queue)
     + (SELECT count(*) FROM outbox WHERE consumed_at IS NULL)
     + (SELECT count(*) FROM tracking_batches WHERE processed_at IS NULL)
     + (SELECT count(*) FROM customers WHERE health_status IS NULL)
"""
_DECIDED = "SELECT count(*) FROM decisions WHERE customer_id = :customer_id"
_ASSESSED = "SELECT count(*) FROM assessments WHERE customer_id = :customer_id"


async def limit_plan(
    session: AsyncSession, plan: str, metric: str, ceiling: float, known_at: BusinessInstant
) -> None:
    """Say what a plan allows."""
    values = {"id": uuid.uuid4(), "plan": plan, "metric": metric, "ceiling": ceiling, "known_at": known_at}
    await session.execute(insert(PlanLimitRow).values(values))


async def customer_ids(session: AsyncSession, keys: Sequence[str]) -> dict[str, uuid.UUID]:
    """Return ids by the keys of the source."""
    query = select(CustomerRow.external_id, CustomerRow.id).where(CustomerRow.external_id.in_(keys))
    return dict((await session.execute(query)).all())


async def unrested(session: AsyncSession) -> int:
    """Return how many things are still under way."""
    return int(await session.scalar(text(_UNRESTED)) or 0)


async def count_decisions(session: AsyncSession, customer_id: uuid.UUID) -> int:
    """Return how many decisions the customer has."""
    return int(await session.scalar(text(_DECIDED), {"customer_id": customer_id}) or 0)


async def count_assessments(session: AsyncSession, customer_id: uuid.UUID) -> int:
    """Return how many verdicts the customer has had."""
    return int(await session.scalar(text(_ASSESSED), {"customer_id": customer_id}) or 0)


async def round_trip(session: AsyncSession) -> None:
    """Ask the shortest question there is."""
    await session.execute(text("SELECT 1"))
