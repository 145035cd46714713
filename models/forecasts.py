"""What CSMs expect of their customers: each statement is kept, the newest counts until it is too old."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.stances import Forecast
from domain.time import BusinessInstant
from models.changes import announce_change
from models.hands import Hand
from models.health_overrides import checked_reason
from models.tables.customers import CustomerRow
from models.tables.judgement import ForecastRow

SHOWN = 10


@dataclass(frozen=True)
class ForecastLine:
    """One statement."""

    id: uuid.UUID
    forecast: Forecast
    reason: str
    by: str
    said_at: BusinessInstant

    def counts_at(self, now: BusinessInstant, days: int) -> bool:
        """Tell whether it is young enough to count."""
        return now - self.said_at <= dt.timedelta(days=days)


async def state_forecast(
    session: AsyncSession, customer_id: uuid.UUID, forecast: Forecast, reason: str, by: Hand
) -> None:
    """Note what a person expects; raises NotFoundError, and InvalidInputError without a reason."""
    words = checked_reason(reason)
    if await session.scalar(select(CustomerRow.id).where(CustomerRow.id == customer_id)) is None:
        raise NotFoundError(what="customer", key=customer_id)
    values = {"id": uuid.uuid4(), "customer_id": customer_id, "forecast": forecast, "reason": words}
    said = {"by": by.name, "by_id": by.user_id, "said_at": by.now}
    await session.execute(insert(ForecastRow).values(**values, **said))
    await announce_change(session)


async def load_forecasts(session: AsyncSession, customer_id: uuid.UUID) -> list[ForecastLine]:
    """Return what was said, the newest first."""
    row = ForecastRow
    query = (
        select(row.id, row.forecast, row.reason, row.by, row.said_at)
        .where(row.customer_id == customer_id)
        .order_by(row.said_at.desc(), row.id)
        .limit(SHOWN)
    )
    return [ForecastLine(*one) for one in await session.execute(query)]
