"""When the sample customers changed tier, by the rules themselves, from their stored scores."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.scoring_policy import RiskPolicy
from domain.tier_changes import next_acted
from models.tables.scoring import FieldPointRow

Rows = list[dict[str, Any]]


def points_of(scores: Sequence[dict[str, Any]], policy: RiskPolicy | None = None) -> Rows:
    """Points of the raw tier and of the one acted on, of one customer's scores in order of their days."""
    rules, acted, found = policy or RiskPolicy(), None, []
    seen: dict[str, str] = {}
    for place, score in enumerate(scores):
        recent = [one["churn_risk_score"] for one in scores[max(0, place - rules.dwell_days) : place]]
        acted = next_acted(acted, score["churn_risk_score"], recent, rules, score["scored_at"])
        told = {"tier": acted.tier.value, "churn_risk_tier": score["churn_risk_tier"].value}
        since = score["scored_at"]
        found += [
            _point(score["customer_id"], name, since, word)
            for name, word in told.items()
            if seen.get(name) != word
        ]
        seen = told
    return found


def _point(customer_id: uuid.UUID, field: str, since: dt.datetime, value: str) -> dict[str, Any]:
    return {"customer_id": customer_id, "field": field, "since": since, "value": value}


async def add_points(session: AsyncSession, scores: Rows, customers: Rows) -> None:
    """Write the points of every customer's scores, and of those who left that they did."""
    by_customer: dict[uuid.UUID, Rows] = {}
    for score in scores:
        by_customer.setdefault(score["customer_id"], []).append(score)
    points = [point for each in by_customer.values() for point in points_of(each)]
    points += [
        _point(row["id"], "status", row["churned_at"], "churned") for row in customers if row["churned_at"]
    ]
    await session.execute(insert(FieldPointRow), points)
