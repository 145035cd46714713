"""Reads what churn, revenue retention and time to value are computed from, customer by customer."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.labels import Relation
from domain.time import BusinessInstant
from domain.vocabulary import TouchTier
from models.relations import load_relations
from models.tables.customers import CustomerRow


@dataclass(frozen=True)
class Retained:
    """One customer that can be held out: its relation over time and when it first had value."""

    customer_id: uuid.UUID
    holdout: bool
    relation: Relation
    first_value_at: BusinessInstant | None


async def load_retained(session: AsyncSession) -> list[Retained]:
    """Return the customers that treatment and holdout share, in the order of their ids.

    Strategic customers are never held out, so they are left out of both sides: the comparison is of like
    with like.
    """
    relations = await load_relations(session)
    row = CustomerRow
    query = select(row.id, row.holdout, row.first_value_at).where(row.touch_tier != TouchTier.STRATEGIC)
    rows = (await session.execute(query.order_by(row.id))).all()
    return [Retained(key, held, relations[key], value) for key, held, value in rows]
