"""Which kinds of fact somebody tells, and whether their sources are still talking."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.features import KINDS, KindFreshness
from domain.scoring_policy import FreshnessPolicy
from domain.time import BusinessInstant, WallInstant, start_of_day
from domain.timeline import Timeline
from models.clock import load_timeline
from models.kind_silences import Silence, note_silences, with_gaps
from models.tables.customers import CustomerRow
from models.tables.data import SourceRow
from models.tables.facts import UsageDailyRow


@dataclass(frozen=True)
class _Source:
    id: str
    name: str
    provides: frozenset[str]
    connected_at: BusinessInstant
    rhythm_hours: float | None
    heard_at: BusinessInstant | None
    """When it last told anything, repeats too, in business time."""
    usual_gap_days: float | None = None
    """How rarely it speaks, from its own days, where nobody declared its rhythm."""

    def is_silent(self, as_of: BusinessInstant, policy: FreshnessPolicy) -> bool:
        """Tell whether it fell silent; one that never spoke has not begun."""
        return self.heard_at is not None and as_of - self.heard_at > self.patience(policy)

    def patience(self, policy: FreshnessPolicy) -> dt.timedelta:
        """Return for how long its silence means nothing."""
        if self.rhythm_hours is None and self.usual_gap_days is not None:
            return dt.timedelta(days=max(policy.learned_least_days, self.usual_gap_days * policy.rhythms))
        rhythm = dt.timedelta(hours=(self.rhythm_hours or 0.0) * policy.rhythms)
        return max(dt.timedelta(days=policy.silent_after_days), rhythm)


async def load_freshness(
    session: AsyncSession, as_of: BusinessInstant, policy: FreshnessPolicy
) -> dict[str, KindFreshness]:
    """Return the state of each kind for the whole installation."""
    return (await _look(session, as_of, policy))[0]


async def watch_freshness(
    session: AsyncSession, as_of: BusinessInstant, policy: FreshnessPolicy
) -> dict[str, KindFreshness]:
    """Return the state of each kind now, and keep since when what is silent has been so."""
    found, sources, dead_since = await _look(session, as_of, policy)
    silent = []
    for kind, told in found.items():
        telling = [source for source in sources if kind in source.provides]
        heard = [source.heard_at for source in telling if source.heard_at is not None]
        if told.silent and (heard or dead_since):
            since = dead_since if kind == "usage" and dead_since else max(heard, default=as_of)
            silent.append(Silence(kind, since, None, tuple(source.name for source in telling)))
    await note_silences(session, silent, as_of)
    return found


async def _look(
    session: AsyncSession, as_of: BusinessInstant, policy: FreshnessPolicy
) -> tuple[dict[str, KindFreshness], list[_Source], BusinessInstant | None]:
    sources = await _load_sources(session)
    found = {kind: _freshness(kind, sources, as_of, policy) for kind in KINDS}
    found["onboarding"] = await _onboarding(session, found["onboarding"])
    dead_since: BusinessInstant | None = None
    if found["usage"].provided and await _usage_feed_is_dead(session, as_of.date(), policy):
        dead_since = await _last_use(session, as_of)
        found["usage"] = replace(found["usage"], silent=True)
    return await with_gaps(session, found, as_of, policy), sources, dead_since


async def _load_sources(session: AsyncSession) -> list[_Source]:
    row = SourceRow
    query = select(
        row.id,
        row.name,
        row.provides,
        row.connected_at,
        row.rhythm_hours,
        row.last_fact_at,
        row.last_received_at,
    )
    timeline = await load_timeline(session)
    gaps: dict[str, int] = {row.source_id: row.gap for row in await session.execute(text(_USUAL_GAPS))}
    return [
        _Source(
            source.id,
            source.name,
            kinds_of(source.provides),
            source.connected_at,
            source.rhythm_hours,
            _heard_at(source.last_fact_at, source.last_received_at, timeline),
            gaps.get(source.id),
        )
        for source in await session.execute(query.order_by(row.id))
    ]


def _heard_at(
    fact: BusinessInstant | None, received: WallInstant | None, timeline: Timeline | None
) -> BusinessInstant | None:
    """Return the later of the newest fact and the last receipt, which the machine's clock tells."""
    if received is None:
        return fact
    heard = BusinessInstant(received) if timeline is None else timeline.business_at(received)
    return heard if fact is None else max(fact, heard)


async def _last_use(session: AsyncSession, as_of: BusinessInstant) -> BusinessInstant:
    query = select(func.max(UsageDailyRow.day)).where(UsageDailyRow.day <= as_of.date())
    last = await session.scalar(query)
    return as_of if last is None else start_of_day(last)


def kinds_of(provides: Iterable[str]) -> frozenset[str]:
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

_USUAL_GAPS = """
SELECT source_id, percentile_disc(0.95) WITHIN GROUP (ORDER BY gap) AS gap FROM (
    SELECT source_id, day - lag(day) OVER (PARTITION BY source_id ORDER BY day) AS gap
    FROM (SELECT DISTINCT source_id, day FROM source_days WHERE received > 0) AS days
) AS gaps
WHERE gap IS NOT NULL GROUP BY source_id HAVING count(*) >= 10
"""
"""Per source that has spoken on enough days: the gap between two of them that is seldom exceeded."""
