"""Reads each customer's relation over time, for labels: its begin, its terms, and who said they leave."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.commercial import Departure, Term
from domain.labels import Relation
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus
from models.arrays import among_ids
from models.tables.customers import CustomerRow
from models.tables.facts import CancellationRow, SubscriptionRow


async def load_relations(
    session: AsyncSession, ids: Collection[uuid.UUID] | None = None
) -> dict[uuid.UUID, Relation]:
    """Return the relation of some customers (None: of all), as known today."""
    terms = await _terms(session, ids)
    said, unpaid = await _departures(session, ids)
    row = CustomerRow
    query = select(row.id, row.started_at, row.known_at, row.status, row.churned_at, row.churn_known_at)
    if ids is not None:
        query = query.where(among_ids(row.id, ids))
    found = {}
    for customer_id, started, known, status, churned, churn_known in (await session.execute(query)).all():
        departures = said.get(customer_id, [])
        if status is CustomerStatus.CHURNED and not departures and customer_id not in terms:
            at = churned or known
            departures = [Departure(at, churn_known or at, "other", reactivated=False)]
        begins = [term.started_at for term in terms.get(customer_id, ())]
        found[customer_id] = Relation(
            started_at=min([*begins, *([started] if started else [])], default=known),
            terms=tuple(terms.get(customer_id, ())),
            departures=tuple(departures),
            failed_payment=tuple(unpaid.get(customer_id, ())),
        )
    return found


async def first_start(session: AsyncSession) -> BusinessInstant | None:
    """Return when the first relation began that we know of."""
    terms = await session.scalar(select(func.min(SubscriptionRow.started_at)))
    customers = await session.scalar(select(func.min(CustomerRow.started_at)))
    found: list[dt.datetime] = [one for one in (terms, customers) if one is not None]
    return BusinessInstant(min(found)) if found else None


async def _terms(session: AsyncSession, ids: Collection[uuid.UUID] | None) -> dict[uuid.UUID, list[Term]]:
    row = SubscriptionRow
    query = select(
        row.customer_id, row.started_at, row.ended_at, row.ended_known_at, row.mrr_minor, row.currency,
        row.is_trial, row.billing_months, row.status == "canceled",
    )  # fmt: skip
    if ids is not None:
        query = query.where(among_ids(row.customer_id, ids))
    found: dict[uuid.UUID, list[Term]] = defaultdict(list)
    for customer_id, started, ended, ended_known, mrr, currency, trial, months, canceled in (
        await session.execute(query)
    ).all():
        found[customer_id].append(Term(started, ended, ended_known, mrr, currency, trial, months, canceled))
    return found


async def _departures(
    session: AsyncSession, ids: Collection[uuid.UUID] | None
) -> tuple[dict[uuid.UUID, list[Departure]], dict[uuid.UUID, list[BusinessInstant]]]:
    row = CancellationRow
    query = select(
        row.customer_id, row.occurred_at, row.known_at, row.reason, row.reactivated, row.involuntary
    )
    if ids is not None:
        query = query.where(among_ids(row.customer_id, ids))
    said: dict[uuid.UUID, list[Departure]] = defaultdict(list)
    unpaid: dict[uuid.UUID, list[BusinessInstant]] = defaultdict(list)
    for customer_id, at, known, reason, reactivated, involuntary in (await session.execute(query)).all():
        said[customer_id].append(Departure(at, known, reason, reactivated))
        if involuntary:
            unpaid[customer_id].append(at)
    return said, unpaid
