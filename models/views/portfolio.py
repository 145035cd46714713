"""The portfolio list: one page of customers with what a person needs to choose where to look."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, func, null, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from domain.attention import AttentionPolicy
from domain.time import BusinessInstant
from domain.vocabulary import Attention, CustomerStatus, HealthStatus, RiskTier, Segment, TouchTier
from models.arrays import among_ids
from models.standing import (
    arr_is_high,
    attention_is,
    days_to_renewal,
    health_in_force,
    standing_is,
)
from models.tables.customers import CustomerRow
from models.tables.people import UserRow
from models.tables.scoring import AssessmentRow, ScoreRow
from models.views.portfolio_filter import TOUCH, PortfolioFilter, attention_rank, conditions, sort_key

PAGE_SIZE = 50
TREND_DAYS = 30


@dataclass(frozen=True)
class Trend:
    """Scores of the last 30 days from the day `since` on, oldest first."""

    since: dt.date
    risks: tuple[int, ...]
    healths: tuple[int, ...]


@dataclass(frozen=True)
class PortfolioCustomer:
    """One line of the list."""

    id: uuid.UUID
    name: str
    segment: Segment
    touch_tier: TouchTier
    status: CustomerStatus
    arr_minor: int
    currency: str
    renewal_on: dt.date | None
    last_touch_at: BusinessInstant | None
    churn_risk_score: int | None
    churn_risk_tier: RiskTier | None
    churn_probability: float | None
    health_score: int | None
    health_status: HealthStatus | None
    assessment: str | None
    next_best_action: str | None
    limited_since: dt.date | None
    owner: str | None
    attention: Attention
    trend: Trend | None = None


@dataclass(frozen=True)
class PortfolioPage:
    """One page, and how many there are in all."""

    customers: tuple[PortfolioCustomer, ...]
    total: int
    page: int
    pages: int = field(default=1)


COLUMNS = (
    CustomerRow.name,
    CustomerRow.segment,
    TOUCH.label("touch"),
    CustomerRow.status,
    CustomerRow.arr_minor,
    CustomerRow.currency,
    CustomerRow.renewal_on,
    CustomerRow.last_touch_at,
    CustomerRow.churn_risk_score,
    CustomerRow.churn_risk_tier,
    CustomerRow.churn_probability,
    CustomerRow.health_score,
)


def _newest_assessment() -> Any:
    return (
        select(AssessmentRow.reason, AssessmentRow.next_best_action, AssessmentRow.limited_since)
        .where(AssessmentRow.customer_id == CustomerRow.id)
        .order_by(AssessmentRow.assessed_at.desc())
        .limit(1)
        .lateral("assessment")
    )


def _chosen(chosen: PortfolioFilter, policy: AttentionPolicy, now: BusinessInstant) -> Any:
    """Return everyone who fits, with what orders them. In layers, so that no expression stands twice."""
    key = sort_key(chosen, now)
    known = (
        select(
            CustomerRow.id,
            CustomerRow.arr_minor,
            UserRow.name.label("owner"),
            arr_is_high(policy).label("high"),
            standing_is(now).label("standing"),
            days_to_renewal(now.date()).label("days"),
            (null() if key is None else key).label("key"),
        )
        .outerjoin(UserRow, UserRow.id == CustomerRow.csm_id)
        .where(*conditions(chosen, now))
        .subquery("known")
    ).c
    attention = attention_is(policy, known.high, known.standing, known.days).label("attention")
    return select(known.id, known.arr_minor, known.owner, known.key, attention).subquery("chosen").c


def _page(chosen: PortfolioFilter, policy: AttentionPolicy, now: BusinessInstant) -> Any:
    rows = _chosen(chosen, policy, now)
    key = attention_rank(rows.attention) if sort_key(chosen, now) is None else rows.key
    first = key.desc().nulls_last() if chosen.descending else key.asc().nulls_last()
    ordering = (first, rows.arr_minor.desc(), rows.id)
    query = select(
        rows.id,
        rows.owner,
        rows.attention,
        func.count().over().label("total"),
        func.row_number().over(order_by=ordering).label("position"),
    )
    if chosen.attention:
        query = query.where(rows.attention.in_([each.value for each in chosen.attention]))
    skipped = (max(chosen.page, 1) - 1) * PAGE_SIZE
    return query.order_by("position").limit(PAGE_SIZE).offset(skipped).cte("page")


def _list_query(chosen: PortfolioFilter, policy: AttentionPolicy, now: BusinessInstant) -> Any:
    """Choose and order the page's ids first, then read what only these fifty need."""
    page, newest = _page(chosen, policy, now), _newest_assessment()
    verdict = (newest.c.reason, newest.c.next_best_action, newest.c.limited_since)
    return (
        select(*COLUMNS, health_in_force(now).label("health"), *verdict, page)
        .join_from(page, CustomerRow, CustomerRow.id == page.c.id)
        .outerjoin(newest, true())
        .order_by(page.c.position)
    )


def trend_columns(today: dt.date) -> tuple[Any, Any]:
    """Return the columns of a Trend, aggregated over scores, and the condition that keeps 30 days."""
    risks = func.array_agg(aggregate_order_by(ScoreRow.churn_risk_score, ScoreRow.as_of))
    healths = func.array_agg(aggregate_order_by(ScoreRow.health_score, ScoreRow.as_of))
    recent = ScoreRow.as_of > today - dt.timedelta(days=TREND_DAYS)
    return (func.min(ScoreRow.as_of).label("since"), risks.label("risks"), healths.label("healths")), recent


async def load_trends(session: AsyncSession, ids: list[uuid.UUID], today: dt.date) -> dict[uuid.UUID, Trend]:
    """Return each customer's scores of the last 30 days; one row each, since a row per day costs more."""
    columns, recent = trend_columns(today)
    query = (
        select(ScoreRow.customer_id, *columns)
        .where(among_ids(ScoreRow.customer_id, ids), recent)
        .group_by(ScoreRow.customer_id)
    )
    rows = (await session.execute(query)).all()
    return {row[0]: Trend(row[1], tuple(row[2]), tuple(row[3])) for row in rows}


def _customer(row: Row[Any], trend: Trend | None) -> PortfolioCustomer:
    return PortfolioCustomer(
        id=row.id,
        name=row.name,
        segment=row.segment,
        touch_tier=row.touch,
        status=row.status,
        arr_minor=row.arr_minor,
        currency=row.currency,
        renewal_on=row.renewal_on,
        last_touch_at=row.last_touch_at,
        churn_risk_score=row.churn_risk_score,
        churn_risk_tier=row.churn_risk_tier,
        churn_probability=row.churn_probability,
        health_score=row.health_score,
        health_status=row.health,
        assessment=row.reason,
        next_best_action=row.next_best_action,
        limited_since=row.limited_since,
        owner=row.owner,
        attention=Attention(row.attention),
        trend=trend,
    )


async def load_portfolio(
    session: AsyncSession, chosen: PortfolioFilter, policy: AttentionPolicy, now: BusinessInstant
) -> PortfolioPage:
    """Return one page of the chosen customers in two queries; a page past the end is empty."""
    rows = (await session.execute(_list_query(chosen, policy, now))).all()
    trends = await load_trends(session, [row.id for row in rows], now.date()) if rows else {}
    total = rows[0].total if rows else 0
    customers = tuple(_customer(row, trends.get(row.id)) for row in rows)
    return PortfolioPage(customers, total, chosen.page, max(1, -(-total // PAGE_SIZE)))
