"""One customer's score over time, and what was known of it on a day: as stored then, never computed anew."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.time import BusinessInstant, start_of_day
from domain.vocabulary import HealthStatus, InterventionState, Outcome, RiskTier
from models.tables.customers import CustomerRow
from models.tables.playbooks import InterventionRow, PlaybookRow
from models.tables.scoring import AssessmentRow, FieldPointRow, ScoreRow

DAY = dt.timedelta(days=1)
POINTS = ("tier", "health_status")
RUNNING = InterventionState.RUNNING


@dataclass(frozen=True)
class ScoreDay:
    """One stored score."""

    date: dt.date
    churn_probability: float
    churn_risk_score: int
    churn_risk_tier: RiskTier
    health_score: int
    model_version: str


@dataclass(frozen=True)
class RunMark:
    """A run of a playbook, from its beginning to its end."""

    id: uuid.UUID
    playbook: str
    started_at: BusinessInstant
    ended_at: BusinessInstant | None
    state: InterventionState
    outcome: Outcome | None


@dataclass(frozen=True)
class ScoreHistory:
    """Everything of a range, oldest first."""

    customer_id: uuid.UUID
    name: str
    currency: str
    days: tuple[ScoreDay, ...]
    runs: tuple[RunMark, ...]
    first_date: dt.date | None
    """Of the first score that is kept, in the range or before it."""


@dataclass(frozen=True)
class KnownThen:
    """What was thought of a customer at the end of a day, as it was written then."""

    date: dt.date
    score: Mapping[str, Any] | None
    """The newest score until then; its own date stands in it."""
    acted_tier: RiskTier | None
    acted_since: BusinessInstant | None
    assessment: Mapping[str, Any] | None
    health_status: HealthStatus | None
    open_runs: tuple[RunMark, ...]
    """Runs that had begun and not ended; how they ended nobody knew."""


async def load_score_history(session: AsyncSession, customer_id: uuid.UUID, since: dt.date) -> ScoreHistory:
    """Return a customer's scores and runs since a date; raises NotFoundError."""
    customer = (
        await session.execute(
            select(CustomerRow.name, CustomerRow.currency).where(CustomerRow.id == customer_id)
        )
    ).one_or_none()
    if customer is None:
        raise NotFoundError(what="customer", key=customer_id)
    row = ScoreRow
    mine = row.customer_id == customer_id
    query = select(
        row.as_of, row.churn_probability, row.churn_risk_score, row.churn_risk_tier, row.health_score,
        row.model_version,
    )  # fmt: skip
    scores = await session.execute(query.where(mine, row.as_of >= since).order_by(row.as_of))
    first = await session.scalar(select(row.as_of).where(mine).order_by(row.as_of).limit(1))
    runs = await _runs(session, customer_id, start_of_day(since), None)
    return ScoreHistory(customer_id, *customer, tuple(ScoreDay(*one) for one in scores), runs, first)


async def load_known_then(session: AsyncSession, customer_id: uuid.UUID, date: dt.date) -> KnownThen:
    """Return what was known of a customer when a date ended."""
    end = BusinessInstant(start_of_day(date) + DAY)
    row, verdict = ScoreRow, AssessmentRow
    score = await _newest(
        session,
        select(*row.__table__.columns)
        .where(row.customer_id == customer_id, row.as_of <= date)
        .order_by(row.as_of.desc()),
    )
    assessment = await _newest(
        session,
        select(*verdict.__table__.columns)
        .where(verdict.customer_id == customer_id, verdict.assessed_at < end)
        .order_by(verdict.assessed_at.desc()),
    )
    points = await _points(session, customer_id, end)
    (tier, since), (health, _) = (points[field] for field in POINTS)
    running = tuple(
        run if run.ended_at is None else replace(run, state=RUNNING, ended_at=None, outcome=None)
        for run in await _runs(session, customer_id, start_of_day(date), end)
        if run.ended_at is None or run.ended_at >= end
    )
    return KnownThen(
        date=date,
        score=score,
        acted_tier=RiskTier(tier) if tier else None,
        acted_since=since,
        assessment=assessment,
        health_status=HealthStatus(health) if health else None,
        open_runs=running,
    )


async def _newest(session: AsyncSession, query: Any) -> Mapping[str, Any] | None:
    found = (await session.execute(query.limit(1))).mappings().first()
    return None if found is None else dict(found)


async def _points(
    session: AsyncSession, customer_id: uuid.UUID, end: BusinessInstant
) -> dict[str, tuple[str | None, BusinessInstant | None]]:
    """Return the tier that was acted on and the health that was said, each with since when."""
    row = FieldPointRow
    query = (
        select(row.field, row.value, row.since)
        .where(row.customer_id == customer_id, row.field.in_(POINTS), row.since < end)
        .ext(distinct_on(row.field))
        .order_by(row.field, row.since.desc())
    )
    found = {field: (value, since) for field, value, since in await session.execute(query)}
    return {field: found.get(field, (None, None)) for field in POINTS}


async def _runs(
    session: AsyncSession, customer_id: uuid.UUID, since: BusinessInstant, until: BusinessInstant | None
) -> tuple[RunMark, ...]:
    """Return the runs that were under way at some time of a range."""
    row = InterventionRow
    query = (
        select(row.id, PlaybookRow.name, row.started_at, row.ended_at, row.state, row.outcome)
        .join(PlaybookRow, PlaybookRow.key == row.playbook_key)
        .where(row.customer_id == customer_id, row.started_at.is_not(None))
        .where(row.ended_at.is_(None) | (row.ended_at >= since))
        .order_by(row.started_at)
    )
    if until is not None:
        query = query.where(row.started_at < until)
    found: Sequence[Any] = (await session.execute(query)).all()
    return tuple(RunMark(*one) for one in found)
