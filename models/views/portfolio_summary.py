"""The figures above the portfolio: revenue at risk, tier mix, moves of the last week, renewals ahead."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, RiskTier
from models.standing import renews_within
from models.tables.customers import CustomerRow
from models.tables.people import UserRow
from models.views.portfolio_filter import tier_a_week_ago

RENEWAL_DAYS = 90
AT_RISK = (RiskTier.HIGH, RiskTier.CRITICAL)


@dataclass(frozen=True)
class Money:
    """Integer minor units of one currency."""

    minor: int
    currency: str


@dataclass(frozen=True)
class TierShare:
    """How many customers a tier holds (None: not scored yet), with their ARR."""

    tier: RiskTier | None
    customers: int
    arr: tuple[Money, ...]


@dataclass(frozen=True)
class PortfolioSummary:
    """Everything of the header, over all customers that have not left."""

    customers: int
    arr: tuple[Money, ...]
    at_risk: tuple[Money, ...]
    at_risk_customers: int
    renewing: tuple[Money, ...]
    renewing_customers: int
    tiers: tuple[TierShare, ...]
    moved_worse: int
    moved_better: int
    data_until: dt.date | None


@dataclass(frozen=True)
class _Cell:
    tier: RiskTier | None
    before: RiskTier | None
    currency: str
    renewing: bool
    customers: int
    arr_minor: int
    scored: dt.date | None


def _query(today: dt.date) -> Any:
    before = tier_a_week_ago(today).label("before")
    renewing = func.coalesce(renews_within(RENEWAL_DAYS, today), False).label("renewing")
    rows = (
        select(
            CustomerRow.churn_risk_tier.label("tier"),
            before,
            CustomerRow.currency,
            renewing,
            CustomerRow.arr_minor,
            CustomerRow.last_usage_on,
        )
        .where(CustomerRow.status != CustomerStatus.CHURNED)
        .subquery()
    )
    keys = (rows.c.tier, rows.c.before, rows.c.currency, rows.c.renewing)
    sums = (func.count(), cast(func.sum(rows.c.arr_minor), BigInteger), func.max(rows.c.last_usage_on))
    return select(*keys, *sums).group_by(*keys)


def _money(cells: Iterable[_Cell]) -> tuple[Money, ...]:
    totals: dict[str, int] = {}
    for cell in cells:
        totals[cell.currency] = totals.get(cell.currency, 0) + cell.arr_minor
    found = [Money(minor, currency) for currency, minor in totals.items() if minor]
    return tuple(sorted(found, key=lambda money: -money.minor))


def _count(cells: Iterable[_Cell]) -> int:
    return sum(cell.customers for cell in cells)


def _share(cells: list[_Cell], tier: RiskTier | None) -> TierShare:
    held = [cell for cell in cells if cell.tier is tier]
    return TierShare(tier, _count(held), _money(held))


def _moved(cells: list[_Cell], sign: int) -> int:
    known = [cell for cell in cells if cell.tier is not None and cell.before is not None]
    return _count(
        cell for cell in known if cell.tier and cell.before and (cell.tier.rank - cell.before.rank) * sign > 0
    )


async def load_summary(session: AsyncSession, now: BusinessInstant) -> PortfolioSummary:
    """Return the header's figures in one query."""
    cells = [_Cell(*row) for row in (await session.execute(_query(now.date()))).all()]
    at_risk = [cell for cell in cells if cell.tier in AT_RISK]
    renewing = [cell for cell in cells if cell.renewing]
    days = [cell.scored for cell in cells if cell.scored is not None]
    return PortfolioSummary(
        customers=_count(cells),
        arr=_money(cells),
        at_risk=_money(at_risk),
        at_risk_customers=_count(at_risk),
        renewing=_money(renewing),
        renewing_customers=_count(renewing),
        tiers=tuple(_share(cells, tier) for tier in (*reversed(RiskTier), None)),
        moved_worse=_moved(cells, 1),
        moved_better=_moved(cells, -1),
        data_until=max(days, default=None),
    )


async def load_owners(session: AsyncSession) -> list[tuple[Any, str]]:
    """Return (id, name) of everyone who owns a customer, by name."""
    query = (
        select(UserRow.id, UserRow.name)
        .join(CustomerRow, CustomerRow.csm_id == UserRow.id)
        .group_by(UserRow.id, UserRow.name)
        .order_by(func.lower(UserRow.name))
    )
    return [(row[0], row[1]) for row in await session.execute(query)]
