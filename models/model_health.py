"""Reads what a look at a model needs, and keeps what it found, by version and date."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus
from models.digests import keep_digest, read_digest
from models.tables.customers import CustomerRow
from models.tables.judgement import ModelHealthRow
from models.tables.scoring import ScoreRow

SHOWN_DAYS = 7
"""An older look says nothing of today."""
MATURED_WINDOW = 30
MOST_MATURED = 5000
"""Customers whose outcomes one night looks up."""


@dataclass(frozen=True)
class ModelHealth:
    """One look at one model."""

    model_version: str
    as_of: dt.date
    customers: int
    reference_on: dt.date
    score_psi: float | None
    columns: list[dict[str, Any]]
    outcomes: dict[str, Any]
    alerts: list[dict[str, Any]]


@dataclass(frozen=True)
class PastProbability:
    """What a model once said of a customer."""

    customer_id: uuid.UUID
    as_of: dt.date
    probability: float


async def versions_on(session: AsyncSession, date: dt.date, least: int) -> list[str]:
    """Return the versions that scored at least so many customers on a date."""
    row = ScoreRow
    query = select(row.model_version).where(row.as_of == date).group_by(row.model_version)
    return sorted(await session.scalars(query.having(func.count() >= least)))


async def sample_scored(
    session: AsyncSession, version: str, date: dt.date, most: int
) -> dict[uuid.UUID, float]:
    """Return probabilities of customers that a version scored on a date; the same customers every night."""
    row = ScoreRow
    query = (
        select(row.customer_id, row.churn_probability)
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .where(row.as_of == date, row.model_version == version)
        .where(CustomerRow.status != CustomerStatus.CHURNED)
        .order_by(func.md5(cast(row.customer_id, Text)))
        .limit(most)
    )
    found = (await session.execute(query)).all()
    return dict(sorted((customer_id, probability) for customer_id, probability in found))


async def matured_probabilities(
    session: AsyncSession, version: str, newest: dt.date
) -> list[PastProbability]:
    """Return the newest probability of each customer from a month of which it is known what happened."""
    row = ScoreRow
    first = newest - dt.timedelta(days=MATURED_WINDOW - 1)
    sample = select(CustomerRow.id).order_by(func.md5(cast(CustomerRow.id, Text))).limit(MOST_MATURED)
    query = (
        select(row.customer_id, row.as_of, row.churn_probability)
        .where(row.customer_id.in_(sample), row.model_version == version)
        .where(row.as_of.between(first, newest))
        .ext(distinct_on(row.customer_id))
        .order_by(row.customer_id, row.as_of.desc())
    )
    return [PastProbability(*one) for one in await session.execute(query)]


def reference_key(version: str) -> str:
    """Return where the reference of a version is kept among the digests."""
    return f"drift_reference/{version}"


async def load_reference(session: AsyncSession, version: str) -> dict[str, Any] | None:
    """Return what a version's columns looked like when it first scored."""
    kept = await read_digest(session, reference_key(version))
    return None if kept is None else kept.document


async def keep_reference(
    session: AsyncSession, version: str, document: dict[str, Any], now: BusinessInstant
) -> None:
    """Keep a version's reference: how its columns and scores were when it first scored."""
    await keep_digest(session, reference_key(version), now, document)


async def keep_model_health(session: AsyncSession, found: ModelHealth, now: BusinessInstant) -> None:
    """Write one look; the newest of a date replaces the one before."""
    values = {**vars(found), "measured_at": now}
    statement = upsert(ModelHealthRow).values(values)
    keys = ["model_version", "as_of"]
    await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))


async def load_model_health(session: AsyncSession, today: dt.date) -> list[ModelHealth]:
    """Return the newest look at each version that still scores."""
    row = ModelHealthRow
    query = (
        select(
            row.model_version, row.as_of, row.customers, row.reference_on, row.score_psi, row.columns,
            row.outcomes, row.alerts,
        )
        .where(row.as_of >= today - dt.timedelta(days=SHOWN_DAYS))
        .ext(distinct_on(row.model_version))
        .order_by(row.model_version, row.as_of.desc())
    )  # fmt: skip
    return [ModelHealth(*one) for one in await session.execute(query)]
