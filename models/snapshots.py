"""Looks at customers as of past instants, as they could be known then: what models learn from."""

import uuid
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.features import KINDS, CustomerFeatures, KindFreshness
from domain.time import BusinessInstant
from models.features import load_features
from models.tables.facts import CancellationRow, InvoiceRow, SubscriptionRow, TicketRow, UsageDailyRow
from models.tables.tracking import MetricRow

MOST_OWN_FEATURES = 30
LEAST_SHARE = 0.05
"""A feature of the product that fewer customers use says little of the others."""


async def told_since(session: AsyncSession) -> dict[str, BusinessInstant]:
    """Return since when each kind of fact is known: before that, its absence means nothing."""
    rows = (await session.execute(text(_FIRST_TOLD))).all()
    return {kind: at for kind, at in rows if at is not None}


def freshness_at(since: Mapping[str, BusinessInstant], as_of: BusinessInstant) -> dict[str, KindFreshness]:
    """Return what could be relied on at an instant of the past: every kind that had been told by then."""
    return {kind: KindFreshness(provided=kind in since and since[kind] <= as_of) for kind in KINDS}


async def load_snapshot(
    session: AsyncSession,
    ids: Sequence[uuid.UUID],
    as_of: BusinessInstant,
    since: Mapping[str, BusinessInstant],
) -> list[CustomerFeatures]:
    """Return what was known of customers at an instant of the past.

    Each date is planned anew: a plan for any date and any customers, which Postgres takes after ten times,
    was forty times slower.
    """
    await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    return await load_features(session, ids, as_of, freshness_at(since, as_of), exact=True)


async def popular_features(session: AsyncSession, until: BusinessInstant) -> tuple[str, ...]:
    """Return the product's features that most customers used up to an instant, by name."""
    row = UsageDailyRow
    customers = func.count(func.distinct(row.customer_id))
    gauges = select(MetricRow.feature).where(MetricRow.kind == "gauge")
    used = select(row.feature, customers.label("customers")).where(
        row.day < until.date(), row.feature.not_in(gauges)
    )
    found = (await session.execute(used.group_by(row.feature).order_by(customers.desc(), row.feature))).all()
    most = max((count for _, count in found), default=0)
    names = [feature for feature, count in found if count >= LEAST_SHARE * most]
    return tuple(sorted(names[:MOST_OWN_FEATURES]))


def ordered(ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Return ids in the order in which features come back."""
    return sorted(ids)


_FIRST_TOLD = """
SELECT 'usage', min(known_at) FROM usage_events UNION ALL
SELECT 'ticket', min(known_at) FROM tickets UNION ALL
SELECT 'survey', min(known_at) FROM surveys UNION ALL
SELECT 'meeting', min(known_at) FROM meetings UNION ALL
SELECT 'goal', min(known_at) FROM goals UNION ALL
SELECT 'invoice', min(known_at) FROM invoices UNION ALL
SELECT 'subscription', min(known_at) FROM subscriptions UNION ALL
SELECT 'touchpoint', min(known_at) FROM touchpoints UNION ALL
SELECT 'contact', min(known_at) FROM contacts UNION ALL
SELECT 'onboarding', min(LEAST(onboarded_at, first_value_at)) FROM customers
"""


async def told_until(session: AsyncSession, now: BusinessInstant) -> BusinessInstant:
    """Return until when anything was told: after the end of a data set nobody leaves and nobody stays.

    Counted are use, terms, departures, tickets and invoices; what we did ourselves is no sign of life.
    """
    newest = await session.scalar(text(_TOLD_UNTIL), {"now": now})
    return now if newest is None else BusinessInstant(min(newest, now))


_TOLD_UNTIL = f"""
SELECT max(at) FROM (
    SELECT max(day + 1)::timestamptz AS at FROM {UsageDailyRow.__tablename__}
    UNION ALL SELECT max(started_at) FROM {SubscriptionRow.__tablename__} WHERE started_at <= :now
    UNION ALL SELECT max(ended_at) FROM {SubscriptionRow.__tablename__} WHERE ended_at <= :now
    UNION ALL SELECT max(occurred_at) FROM {CancellationRow.__tablename__} WHERE occurred_at <= :now
    UNION ALL SELECT max(opened_at) FROM {TicketRow.__tablename__} WHERE opened_at <= :now
    UNION ALL SELECT max(issued_at) FROM {InvoiceRow.__tablename__} WHERE issued_at <= :now
) AS told
"""  # noqa: S608 - names of our own tables
