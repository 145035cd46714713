"""What most customers of the same plan and age use, computed once a week and kept."""

import datetime as dt

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.adoption import BANDS, NO_NORMS, AdoptionNorms, PeerUse, norms_of, read_norms
from domain.time import BusinessInstant
from models.digests import is_my_turn, keep_digest, read_digest

KEY = "adoption_norms"
LIFE = dt.timedelta(days=7)
"""Habits of hundreds of customers change slowly; who lags behind them is looked at every time."""


async def load_norms(session: AsyncSession, as_of: BusinessInstant) -> AdoptionNorms:
    """Return the norms, computed anew where they are too old; meanwhile others go by the old ones."""
    kept = await read_digest(session, KEY)
    if kept is not None and not kept.is_older_than(LIFE, as_of):
        return read_norms(kept.document)
    if not await is_my_turn(session, KEY):
        return NO_NORMS if kept is None else read_norms(kept.document)
    norms = await compute_norms(session, as_of)
    await keep_digest(session, KEY, as_of, norms.document())
    return norms


async def compute_norms(session: AsyncSession, as_of: BusinessInstant) -> AdoptionNorms:
    """Return the norms as of an instant, from the daily rollup."""
    rows = await session.execute(text(_NORMS), {"as_of": as_of, "today": as_of.date()})
    return norms_of(PeerUse(*row) for row in rows)


_BAND = " ".join(f"WHEN tenure >= {low} AND tenure < {high} THEN '{low}'" for low, high in BANDS)
_NORMS = f"""
WITH peer AS MATERIALIZED (
    SELECT id, who || '/' || band AS peers_of FROM (
        SELECT id, who, CASE {_BAND} END AS band FROM (
            SELECT id, COALESCE(plan, segment) AS who,
                   extract(day FROM :as_of - COALESCE(started_at, known_at)) AS tenure
            FROM customers
            WHERE known_at <= :as_of AND (churned_at IS NULL OR churned_at > :as_of)
        ) AS aged
    ) AS banded WHERE band IS NOT NULL
),
used AS (
    SELECT peer.id, peer.peers_of, recent.feature
    FROM peer CROSS JOIN LATERAL (
        SELECT DISTINCT feature FROM usage_daily
        WHERE customer_id = peer.id AND day > :today - 28 AND day <= :today
    ) AS recent
),
active AS (SELECT peers_of, count(DISTINCT id) AS peers FROM used GROUP BY peers_of)
SELECT used.peers_of, used.feature, count(*) AS users, active.peers
FROM used JOIN active USING (peers_of)
GROUP BY used.peers_of, used.feature, active.peers
ORDER BY 1, 2
"""  # noqa: S608 - constants only
"""Per group of peers that use the product at all, and feature: how many used it in the last four weeks."""
