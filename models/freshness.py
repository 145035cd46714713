"""Which kinds of fact somebody tells, and whether their sources are still talking."""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.features import KINDS, KindFreshness
from domain.scoring_policy import FreshnessPolicy
from domain.source_state import is_silent
from domain.time import BusinessInstant, start_of_day
from models.clock import load_timeline
from models.digests import is_my_turn, keep_digest, read_digest
from models.kind_silences import Silence, note_silences, with_gaps
from models.source_voices import TalkingSource, load_talking_sources
from models.tables.customers import CustomerRow
from models.tables.data import SourceRow
from models.tables.facts import UsageDailyRow

KEY = "usage_feed"
BELIEVED = dt.timedelta(minutes=10)
"""A feed dies over days; so long that it talks is not asked again."""


async def load_freshness(
    session: AsyncSession, as_of: BusinessInstant, policy: FreshnessPolicy
) -> dict[str, KindFreshness]:
    """Return the state of each kind for the whole installation."""
    return (await _look(session, as_of, policy, _usage_feed_is_dead))[0]


async def watch_freshness(
    session: AsyncSession, as_of: BusinessInstant, policy: FreshnessPolicy
) -> dict[str, KindFreshness]:
    """Return the state of each kind now, and keep since when what is silent has been so."""
    found, sources, dead_since = await _look(session, as_of, policy, _usage_feed_died)
    silent = []
    for kind, told in found.items():
        telling = [source for source in sources if kind in kinds_of(source.provides)]
        heard = [source.voice.heard_at for source in telling if source.voice.heard_at is not None]
        if told.silent and (heard or dead_since):
            since = dead_since if kind == "usage" and dead_since else max(heard, default=as_of)
            silent.append(Silence(kind, since, None, tuple(source.name for source in telling)))
    await note_silences(session, silent, as_of)
    return found


IsDead = Callable[[AsyncSession, BusinessInstant, FreshnessPolicy], Awaitable[bool]]


async def _look(
    session: AsyncSession, as_of: BusinessInstant, policy: FreshnessPolicy, is_dead: IsDead
) -> tuple[dict[str, KindFreshness], list[TalkingSource], BusinessInstant | None]:
    sources = await load_talking_sources(session, await load_timeline(session))
    found = {kind: _freshness(kind, sources, as_of, policy) for kind in KINDS}
    found["onboarding"] = await _onboarding(session, found["onboarding"])
    dead_since: BusinessInstant | None = None
    if found["usage"].provided and await is_dead(session, as_of, policy):
        dead_since = await _last_use(session, as_of)
        found["usage"] = replace(found["usage"], silent=True)
    return await with_gaps(session, found, as_of, policy), sources, dead_since


async def _last_use(session: AsyncSession, as_of: BusinessInstant) -> BusinessInstant:
    query = select(func.max(UsageDailyRow.day)).where(UsageDailyRow.day <= as_of.date())
    last = await session.scalar(query)
    return as_of if last is None else start_of_day(last)


def kinds_of(provides: Iterable[str]) -> frozenset[str]:
    """Return kinds in the singular, as facts spell them."""
    return frozenset(kind if kind == "usage" else kind.removesuffix("s") for kind in provides)


def _freshness(
    kind: str, sources: list[TalkingSource], as_of: BusinessInstant, policy: FreshnessPolicy
) -> KindFreshness:
    telling = [source for source in sources if kind in kinds_of(source.provides)]
    return KindFreshness(
        provided=bool(telling),
        silent=bool(telling) and all(is_silent(source.voice, as_of, policy) for source in telling),
        connected_at=max((source.connected_at for source in telling), default=None),
    )


async def _onboarding(session: AsyncSession, told: KindFreshness) -> KindFreshness:
    """Onboarding is told where any customer has an onboarding date: else nobody is stalled."""
    dated = CustomerRow.onboarded_at.is_not(None) | CustomerRow.first_value_at.is_not(None)
    known = await session.scalar(select(CustomerRow.id).where(dated).limit(1)) is not None
    connected = await session.scalar(select(func.max(SourceRow.connected_at)))
    return replace(told, provided=known, connected_at=connected)


async def _usage_feed_died(session: AsyncSession, as_of: BusinessInstant, policy: FreshnessPolicy) -> bool:
    """Tell the same while customers are scored; that it talks is believed for some minutes of one day.

    The look goes over all customers: it must not be paid by every part of a night, nor by each customer that
    is scored on demand. A dead feed is looked at every time, since everything waits for its return.
    """
    asked = {"day": as_of.date().isoformat(), "policy": policy.model_dump(mode="json")}
    kept = await read_digest(session, KEY)
    if kept is not None and kept.document == asked and not kept.is_older_than(BELIEVED, as_of):
        return False
    if await _usage_feed_is_dead(session, as_of, policy):
        return True
    if await is_my_turn(session, KEY):
        await keep_digest(session, KEY, as_of, asked)
    return False


async def _usage_feed_is_dead(session: AsyncSession, as_of: BusinessInstant, policy: FreshnessPolicy) -> bool:
    """Tell whether everybody, or most, stopped at once: that is the feed, not the customers."""
    values = {"today": as_of.date(), "gap": policy.usage_gap_days}
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
