"""What models that are not acted on would have said, beside what was acted on."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.risk import tier_of
from domain.voices import ShadowScore
from models.tables.trained import ShadowScoreRow


async def save_shadow_scores(session: AsyncSession, scores: Sequence[ShadowScore], day: dt.date) -> None:
    """Write them beside the day's scores; the newest run of a day replaces what was there."""
    if not scores:
        return
    statement = upsert(ShadowScoreRow)
    kept = {name: statement.excluded[name] for name in ("probability", "score", "tier")}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["model", "as_of", "customer_id"], set_=kept),
        [_values(one, day) for one in scores],
    )


def _values(one: ShadowScore, day: dt.date) -> dict[str, Any]:
    return {
        "model": one.model,
        "customer_id": one.customer_id,
        "as_of": day,
        "probability": one.probability,
        "score": one.score,
        "tier": None if one.score is None else tier_of(one.score),
    }


async def shadow_nights(session: AsyncSession, model: str) -> int:
    """Return on how many days a model has scored."""
    row = ShadowScoreRow
    query = select(func.count(func.distinct(row.as_of))).where(row.model == model)
    return int(await session.scalar(query) or 0)


async def shadow_shares(session: AsyncSession, model: str) -> dict[str, float]:
    """Return the share of customers in each tier on the last day that the model scored."""
    row = ShadowScoreRow
    last = select(func.max(row.as_of)).where(row.model == model).scalar_subquery()
    query = select(row.tier, func.count()).where(row.model == model, row.as_of == last).group_by(row.tier)
    counts = {tier.value: count for tier, count in await session.execute(query) if tier is not None}
    total = sum(counts.values())
    return {tier: count / total for tier, count in counts.items()} if total else {}
