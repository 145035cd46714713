"""Which kinds of fact somebody tells, and whether their sources are still talking."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.features import KINDS, KindFreshness
from domain.scoring_policy import FreshnessPolicy
from domain.time import BusinessInstant
from models.tables.customers import CustomerRow
from models.tables.data import SourceRow


@dataclass(frozen=True)
class _Source:
    provides: frozenset[str]
    connected_at: BusinessInstant
    rhythm_hours: float | None
    last_fact_at: BusinessInstant | None

    def is_silent(self, as_of: BusinessInstant, policy: FreshnessPolicy) -> bool:
        """Tell whether it fell silent; one that never spoke has not begun."""
        if self.last_fact_at is None:
            return False
        rhythm = dt.timedelta(hours=(self.rhythm_hours or 0.0) * policy.rhythms)
        patience = max(dt.timedelta(days=policy.silent_after_days), rhythm)
        return as_of - self.last_fact_at > patience


async def load_freshness(
    session: AsyncSession, as_of: BusinessInstant, policy: FreshnessPolicy
) -> dict[str, KindFreshness]:
    """Return the state of each kind for the whole installation."""
    columns = (SourceRow.provides, SourceRow.connected_at, SourceRow.rhythm_hours, SourceRow.last_fact_at)
    rows = await session.execute(select(*columns))
    sources = [_Source(_kinds(row.provides), *row[1:]) for row in rows]
    found = {kind: _freshness(kind, sources, as_of, policy) for kind in KINDS}
    found["onboarding"] = await _onboarding(session, found["onboarding"])
    if found["usage"].provided and await _usage_feed_is_dead(session, as_of.date(), policy):
        found["usage"] = replace(found["usage"], silent=True)
    return found


def _kinds(provides: Iterable[str]) -> frozenset[str]:
    """Return kinds in the singular, as facts spell them."""
    return frozenset(kind if kind == "usage" else kind.removesuffix("s") for kind in provides)


def _freshness(
    kind: str, sources: list[_Source], as_of: BusinessInstant, policy: FreshnessPolicy
) -> KindFreshness:
    telling = [source for source in sources if kind in source.provides]
    return KindFreshness(
        provided=bool(telling),
        silent=bool(telling) and all(source.is_silent(as_of, policy) for source in telling),
        connected_at=max((source.connected_at for source in telling), default=None),
    )


async def _onboarding(session: AsyncSession, told: KindFreshness) -> KindFreshness:
    """Onboarding is told where any customer has an onboarding date: else nobody is stalled."""
    dated = CustomerRow.onboarded_at.is_not(None) | CustomerRow.first_value_at.is_not(None)
    known = await session.scalar(select(CustomerRow.id).where(dated).limit(1)) is not None
    connected = await session.scalar(select(func.max(SourceRow.connected_at)))
    return replace(told, provided=known, connected_at=connected)


async def _usage_feed_is_dead(session: AsyncSession, today: dt.date, policy: FreshnessPolicy) -> bool:
    """Tell whether everybody, or most, stopped at once: that is the feed, not the customers."""
    values = {"today": today, "gap": policy.usage_gap_days}
    row = (await session.execute(text(_ACTIVE), values)).one()
    before, week, usual, lately = (float(value or 0) for value in row)
    if before >= policy.usage_customers and lately == 0:
        return True
    return usual >= policy.usage_share_customers and week < policy.usage_share * usual


def _active(start: str, end: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM usage_daily WHERE customer_id = customers.id"  # noqa: S608 - constants only
        f" AND day BETWEEN {start} AND {end})"
    )


_USUAL_WEEKS = " + ".join(
    f"CAST({_active(f':today - {7 * week + 7}', f':today - {7 * week + 1}')} AS integer)"
    for week in range(2, 6)
)
_ACTIVE = f"""
SELECT count(*), count(*) FILTER (WHERE week), sum(weeks_before) / 4.0, count(*) FILTER (WHERE lately)
FROM (
    SELECT {_active(":today - 7", ":today")} AS week, {_active(":today - :gap", ":today")} AS lately,
           {_USUAL_WEEKS} AS weeks_before
    FROM customers
    WHERE status <> 'churned' AND {_active(":today - 42", ":today - 8")}
) AS activity
"""  # noqa: S608 - constants only
"""Customers active before; this week; in a usual week (two to five weeks back); and in the last days."""
