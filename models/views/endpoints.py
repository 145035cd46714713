"""Where playbooks post to, and what became of the last calls of each."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import WallInstant
from domain.vocabulary import EffectState
from models.endpoints import Endpoint, list_endpoints
from models.tables.customers import CustomerRow
from models.tables.ledger import EffectRow
from models.webhook_calls import KIND

LAST = 3
"""Calls that are shown of each."""


@dataclass(frozen=True)
class LastCall:
    """One call: of which run, and how far it came. Machine time."""

    run_id: str
    customer: str | None
    state: EffectState
    at: WallInstant
    error: str | None


@dataclass(frozen=True)
class EndpointLine:
    """One endpoint with its last calls, the newest first."""

    endpoint: Endpoint
    calls: tuple[LastCall, ...]


async def load_endpoints(session: AsyncSession) -> tuple[EndpointLine, ...]:
    """Return every endpoint, in two queries."""
    endpoints = await list_endpoints(session)
    calls: dict[str, list[LastCall]] = {one.key: [] for one in endpoints}
    row = EffectRow
    at = func.coalesce(row.settled_at, row.claimed_at)
    place = func.row_number().over(partition_by=row.provider, order_by=(at.desc(), row.key)).label("place")
    ranked = (
        select(row.key, row.provider, CustomerRow.name, row.state, at.label("at"), row.error, place)
        .outerjoin(CustomerRow, CustomerRow.id == row.customer_id)
        .where(row.kind == KIND, row.provider.in_(list(calls)))
        .subquery()
    )
    query = select(ranked).where(ranked.c.place <= LAST).order_by(ranked.c.provider, ranked.c.place)
    for key, endpoint, customer, state, told_at, error, _place in await session.execute(query):
        calls[endpoint].append(LastCall(key.partition("/")[0], customer, state, told_at, error))
    return tuple(EndpointLine(one, tuple(calls[one.key])) for one in endpoints)
