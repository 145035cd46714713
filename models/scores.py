"""Keeps scores and assessments, and the customers' current state that lists read."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from domain.assessment import Assessment, Override, Previous
from domain.features import CustomerFeatures
from domain.health import HealthVerdict
from domain.outlook import Outlook
from domain.risk import RiskVerdict
from domain.scoring_policy import POLICY_KEY, ScoringPolicy
from domain.tier_changes import ActedTier
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, HealthComponent, HealthStatus
from models.arrays import among_ids
from models.field_points import note_points, save_values
from models.many_rows import source_of, write_rows
from models.tables.customers import CustomerRow
from models.tables.judgement import HealthOverrideRow
from models.tables.scoring import AssessmentRow, ScoreRow
from models.tables.system import PolicyRow

TREND_DAYS = 30
TREND_SLACK = 15
"""A score up to so many days older will do where the very day has none."""


@dataclass(frozen=True)
class Standing:
    """What we thought of a customer until now."""

    acted: ActedTier | None
    override: Override | None
    previous: Previous | None
    components_before: Mapping[str, int]
    """Component scores of 30 days ago."""
    recent_scores: tuple[int, ...]
    """Churn risk scores of the dwell time, today's left out."""
    health_status: HealthStatus | None = None


@dataclass(frozen=True)
class Verdict:
    """Everything that one scoring says of one customer."""

    features: CustomerFeatures
    risk: RiskVerdict
    health: HealthVerdict
    assessment: Assessment
    acted: ActedTier
    is_news: bool
    """The assessment's inputs have changed."""


async def load_policy(session: AsyncSession) -> ScoringPolicy:
    """Return the tenant's scoring policy, or the defaults."""
    document = await session.scalar(select(PolicyRow.document).where(PolicyRow.key == POLICY_KEY))
    return ScoringPolicy() if document is None else ScoringPolicy.model_validate(document)


async def scorable_ids(
    session: AsyncSession, first: uuid.UUID | None = None, last: uuid.UUID | None = None
) -> list[uuid.UUID]:
    """Return everyone who has not left, in order of id, within a range if one is given."""
    query = select(CustomerRow.id).where(CustomerRow.status != CustomerStatus.CHURNED)
    if first is not None and last is not None:
        query = query.where(CustomerRow.id.between(first, last))
    return list(await session.scalars(query.order_by(CustomerRow.id)))


async def lock_customers(session: AsyncSession, ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Lock those who have not left, in order of id as everybody does, and return them."""
    query = select(CustomerRow.id).where(
        among_ids(CustomerRow.id, ids), CustomerRow.status != CustomerStatus.CHURNED
    )
    return list(await session.scalars(query.order_by(CustomerRow.id).with_for_update(key_share=True)))


async def load_standings(
    session: AsyncSession, ids: Collection[uuid.UUID], as_of: BusinessInstant, dwell_days: int
) -> dict[uuid.UUID, Standing]:
    """Return what was thought of each customer before this scoring."""
    row, said = CustomerRow, HealthOverrideRow
    query = select(
        row.id,
        row.acted_tier,
        row.acted_tier_at,
        row.health_override,
        row.health_override_until,
        row.health_status,
        said.by,
        said.reason,
    ).where(among_ids(row.id, ids))
    query = query.outerjoin(said, (said.customer_id == row.id) & said.ended_at.is_(None))
    previous = await _previous(session, ids)
    before = await _components_before(session, ids, as_of.date())
    recent = await _recent_scores(session, ids, as_of.date(), dwell_days)
    return {
        customer_id: Standing(
            acted=ActedTier(tier, at) if tier and at else None,
            override=Override(status, until, by or "", reason or "") if status else None,
            previous=previous.get(customer_id),
            components_before=before.get(customer_id, {}),
            recent_scores=recent.get(customer_id, ()),
            health_status=health,
        )
        for customer_id, tier, at, status, until, health, by, reason in await session.execute(query)
    }


async def _previous(session: AsyncSession, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Previous]:
    row = AssessmentRow
    query = (
        select(row.customer_id, row.components, row.inputs_hash)
        .where(among_ids(row.customer_id, ids))
        .ext(distinct_on(row.customer_id))
        .order_by(row.customer_id, row.assessed_at.desc())
    )
    rows = await session.execute(query)
    return {customer_id: Previous(components, inputs) for customer_id, components, inputs in rows}


async def _components_before(
    session: AsyncSession, ids: Collection[uuid.UUID], today: dt.date
) -> dict[uuid.UUID, dict[str, int]]:
    row = ScoreRow
    newest = today - dt.timedelta(days=TREND_DAYS)
    query = (
        select(row.customer_id, row.components)
        .where(among_ids(row.customer_id, ids))
        .where(row.as_of.between(newest - dt.timedelta(days=TREND_SLACK), newest))
        .ext(distinct_on(row.customer_id))
        .order_by(row.customer_id, row.as_of.desc())
    )
    rows = await session.execute(query)
    return {customer_id: _scores(components) for customer_id, components in rows}


def _scores(components: Mapping[str, Any]) -> dict[str, int]:
    found = {name.value: components.get(name.value, {}).get("score") for name in HealthComponent}
    return {name: score for name, score in found.items() if score is not None}


async def _recent_scores(
    session: AsyncSession, ids: Collection[uuid.UUID], today: dt.date, dwell_days: int
) -> dict[uuid.UUID, tuple[int, ...]]:
    row = ScoreRow
    query = (
        select(row.customer_id, func.array_agg(row.churn_risk_score))
        .where(among_ids(row.customer_id, ids), row.as_of < today)
        .where(row.as_of >= today - dt.timedelta(days=dwell_days))
        .group_by(row.customer_id)
    )
    return {customer_id: tuple(scores) for customer_id, scores in await session.execute(query)}


async def save_verdicts(session: AsyncSession, verdicts: Sequence[Verdict]) -> None:
    """Write the day's scores, new assessments, the customers' current state, and what conditions read."""
    if not verdicts:
        return
    await _save_scores(session, verdicts)
    news = [_assessment_values(verdict) for verdict in verdicts if verdict.is_news]
    await write_rows(session, _ASSESSMENTS, news)
    await write_rows(session, _CURRENT, [_current_state(verdict) for verdict in verdicts])
    await _move_touch(session, verdicts)
    features = [verdict.features for verdict in verdicts]
    await save_values(session, features)
    await note_points(session, [one.customer_id for one in features], features[0].as_of)


async def _save_scores(session: AsyncSession, verdicts: Sequence[Verdict]) -> None:
    """Replace the day's row, unless it says the same already."""
    await write_rows(session, _SCORES, [_score_values(verdict) for verdict in verdicts])


_SCORE_FACTS = (
    "churn_probability", "health_score", "components", "drivers", "model_version", "data_on",
    "renewal_probability", "expansion_probability",
)  # fmt: skip
_SCORE_COLUMNS = (
    *_SCORE_FACTS,
    "scored_at",
    "churn_risk_score",
    "churn_risk_tier",
    "horizon_days",
    "outlook_missing",
)
_SCORE_ROW = ("customer_id", "as_of", *_SCORE_COLUMNS)
_SCORES = f"""
INSERT INTO scores AS old ({", ".join(_SCORE_ROW)})
SELECT {", ".join(_SCORE_ROW)} FROM {source_of(ScoreRow.metadata.tables["scores"], _SCORE_ROW)}
ON CONFLICT (customer_id, as_of) DO UPDATE
SET {", ".join(f"{one} = excluded.{one}" for one in _SCORE_COLUMNS)}
WHERE {" OR ".join(f"old.{one} IS DISTINCT FROM excluded.{one}" for one in _SCORE_FACTS)}
"""  # noqa: S608 - constants only
_ASSESSED = (
    "id", "customer_id", "assessed_at", "health_status", "limited_since", "reason", "changes",
    "next_best_action", "components", "data_on", "inputs_hash", "renewal_probability",
    "expansion_probability", "outlook_missing",
)  # fmt: skip
_ASSESSMENTS = f"""
INSERT INTO assessments ({", ".join(_ASSESSED)})
SELECT {", ".join(_ASSESSED)} FROM {source_of(AssessmentRow.metadata.tables["assessments"], _ASSESSED)}
"""  # noqa: S608 - constants only
_STATE = (
    "acted_tier", "acted_tier_at", "churn_risk_tier", "churn_risk_score", "churn_probability",
    "renewal_probability", "expansion_probability", "health_score", "health_status", "last_usage_on",
)  # fmt: skip
_CURRENT = f"""
UPDATE customers SET {", ".join(f"{one} = new.{one}" for one in _STATE)}
FROM {source_of(CustomerRow.metadata.tables["customers"], ("id", *_STATE))} WHERE customers.id = new.id
"""  # noqa: S608 - constants only


def _score_values(verdict: Verdict) -> dict[str, Any]:
    features, risk = verdict.features, verdict.risk
    return {
        "customer_id": features.customer_id,
        "as_of": features.as_of.date(),
        "scored_at": features.as_of,
        "churn_probability": risk.churn_probability,
        "churn_risk_score": risk.churn_risk_score,
        "churn_risk_tier": risk.churn_risk_tier,
        "health_score": verdict.health.score,
        "components": verdict.assessment.components,
        "drivers": [driver.document() for driver in risk.drivers],
        "horizon_days": risk.horizon_days,
        "model_version": risk.model_version,
        "data_on": features.data_on,
        **_outlook(risk.outlook),
    }


def _outlook(outlook: Outlook) -> dict[str, Any]:
    return {
        "renewal_probability": outlook.renewal_probability,
        "expansion_probability": outlook.expansion_probability,
        "outlook_missing": outlook.reason,
    }


def _assessment_values(verdict: Verdict) -> dict[str, Any]:
    said, features = verdict.assessment, verdict.features
    return {
        "id": uuid.uuid4(),
        "customer_id": features.customer_id,
        "assessed_at": features.as_of,
        "health_status": said.health_status,
        "limited_since": said.limited_since,
        "reason": said.reason,
        "changes": list(said.changes),
        "next_best_action": said.next_best_action,
        "components": said.components,
        "data_on": said.data_on,
        "inputs_hash": said.inputs_hash,
        **_outlook(verdict.risk.outlook),
    }


def _current_state(verdict: Verdict) -> dict[str, Any]:
    features, risk, usage = verdict.features, verdict.risk, verdict.features.fresh("usage")
    return {
        "id": features.customer_id,
        "acted_tier": verdict.acted.tier,
        "acted_tier_at": verdict.acted.since,
        "churn_risk_tier": risk.churn_risk_tier,
        "churn_risk_score": risk.churn_risk_score,
        "churn_probability": risk.churn_probability,
        "renewal_probability": risk.outlook.renewal_probability,
        "expansion_probability": risk.outlook.expansion_probability,
        "health_score": verdict.health.score,
        "health_status": verdict.health.status,
        "last_usage_on": usage.last_on,
    }


async def _move_touch(session: AsyncSession, verdicts: Sequence[Verdict]) -> None:
    """Move the last contact forward, never back: others write it the moment it happens."""
    touched = [
        (verdict.features.customer_id, at)
        for verdict in verdicts
        if (at := verdict.features.relationship.last_touch_at)
    ]
    if not touched:
        return
    ids, instants = zip(*touched, strict=True)
    await session.execute(text(_MOVE_TOUCH), {"ids": list(ids), "instants": list(instants)})


_MOVE_TOUCH = """
UPDATE customers SET last_touch_at = touched.at
FROM unnest(CAST(:ids AS uuid[]), CAST(:instants AS timestamptz[])) AS touched(id, at)
WHERE customers.id = touched.id AND COALESCE(customers.last_touch_at, '-infinity') < touched.at
"""
