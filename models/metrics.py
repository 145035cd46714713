"""What the tenant declared of its metrics: a feature without a declaration counts its events."""

from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.usage_windows import MetricKind
from models.tables.tracking import MetricRow

_REREAD = """
UPDATE usage_daily AS old SET last_value = found.last_value, last_at = found.last_at, most = found.most
FROM (
    SELECT customer_id, (occurred_at AT TIME ZONE 'UTC')::date AS day,
           (array_agg(COALESCE(value, quantity) ORDER BY occurred_at DESC, COALESCE(value, quantity) DESC))[1]
               AS last_value,
           max(occurred_at) AS last_at, max(COALESCE(value, quantity)) AS most
    FROM usage_events WHERE feature = :feature GROUP BY 1, 2
) AS found
WHERE old.feature = :feature AND old.customer_id = found.customer_id AND old.day = found.day
"""
_UNREAD = "UPDATE usage_daily SET last_value = NULL, last_at = NULL, most = NULL WHERE feature = :feature"
_FORGET = "DELETE FROM usage_windows WHERE feature = :feature"


@dataclass(frozen=True)
class Metric:
    """One feature whose uses add up in a declared way; `property` holds the quantity of an event."""

    feature: str
    kind: MetricKind
    unit: str | None = None
    description: str | None = None
    property: str | None = None


async def declare_metric(session: AsyncSession, metric: Metric) -> Metric:
    """Say what a metric is. What is stored is read anew; the windows come back with the next roll or fact."""
    before = await session.scalar(select(MetricRow.kind).where(MetricRow.feature == metric.feature))
    values = {
        "feature": metric.feature,
        "kind": metric.kind.value,
        "unit": metric.unit,
        "description": metric.description,
        "property": metric.property,
    }
    statement = insert(MetricRow).values(values)
    kept = {name: statement.excluded[name] for name in values if name != "feature"}
    await session.execute(statement.on_conflict_do_update(index_elements=["feature"], set_=kept))
    if (before or MetricKind.COUNTER.value) != metric.kind.value:
        await _reread(session, metric)
    return metric


async def _reread(session: AsyncSession, metric: Metric) -> None:
    is_gauge = metric.kind is MetricKind.GAUGE
    for statement in (_REREAD if is_gauge else _UNREAD, _FORGET):
        await session.execute(text(statement), {"feature": metric.feature})


async def list_metrics(session: AsyncSession) -> list[Metric]:
    """Return what was declared, by name."""
    row = MetricRow
    query = select(row.feature, row.kind, row.unit, row.description, row.property)
    found = await session.execute(query.order_by(row.feature))
    return [Metric(one.feature, MetricKind(one.kind), *one[2:]) for one in found]
