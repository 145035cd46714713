"""Finds falls between two nights: a fall is made of facts that did not come, so no fact announces it."""

import uuid

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.features import KindFreshness
from domain.ports import Clock
from domain.risk_factors import LEAST_VOLUME, QUIET_GAPS
from domain.scoring_policy import ScoringPolicy
from domain.signal_catalogue import CATALOGUE
from domain.time import BusinessInstant
from domain.vocabulary import SignalKind
from models.database import Database
from models.freshness import watch_freshness
from models.mass_alerts import settle_mass_alerts
from models.rescoring import ask_rescoring
from models.scores import load_policy

REASON = "use fell"
HALF = 0.5


async def sweep(database: Database, clock: Clock) -> list[uuid.UUID]:
    """Queue the customers that fell for a look, note silent sources, and settle held-back alerts.

    Cheap and set-wise: meant to be called every few business hours, by one process.
    """
    now, wall = clock.now(), clock.wall_now()
    async with database.transaction() as session:
        policy: ScoringPolicy = await load_policy(session)
        told = await watch_freshness(session, now, policy.freshness)
        await settle_mass_alerts(session, policy.freshness, _abstaining(told), now, wall)
        if not told["usage"].is_usable:
            return []
        fell = await customers_that_fell(session, now)
        await ask_rescoring(session, fell, wall, REASON)
    return fell


def _abstaining(told: dict[str, KindFreshness]) -> list[SignalKind]:
    """Return the kinds of signal that nobody can tell the end of just now."""
    return [spec.kind for spec in CATALOGUE if any(not told[kind].is_usable for kind in spec.needs)]


async def customers_that_fell(session: AsyncSession, now: BusinessInstant) -> list[uuid.UUID]:
    """Return who uses less than half of the week before, or fell silent, and was not looked at today.

    Weeks are complete days, so a day's first look sees all that the day can show.
    """
    values = {"today": now.date(), "half": HALF, "least": LEAST_VOLUME, "gaps": QUIET_GAPS}
    return list(await session.scalars(text(_FELL), values))


_FELL = """
SELECT customers.id
FROM customers
CROSS JOIN LATERAL (
    SELECT sum(quantity) FILTER (WHERE day >= :today - 7 AND day < :today) AS week,
           sum(quantity) FILTER (WHERE day < :today - 7 AND day >= :today - 14) AS before,
           max(day) AS last_on, min(day) AS first_on, count(DISTINCT day) AS active_days
    FROM usage_daily
    WHERE customer_id = customers.id AND day > :today - 70 AND day <= :today
) AS used
WHERE customers.status <> 'churned'
  AND used.last_on IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM scores WHERE customer_id = customers.id AND as_of = :today)
  AND NOT EXISTS (SELECT 1 FROM signals WHERE customer_id = customers.id AND state = 'open'
                    AND kind IN ('usage_drop', 'login_silence'))
  AND ((used.before >= :least AND COALESCE(used.week, 0) < :half * used.before)
       OR (CAST(:today AS date) - used.last_on)
          >= :gaps * GREATEST(14, used.last_on - used.first_on + 1) / used.active_days)
ORDER BY customers.id
"""
