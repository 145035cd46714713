"""Sixty days of scores, the assessments in words, and the signals of the sample customers."""

import datetime as dt
import random
import uuid
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.health import component_status
from domain.time import BusinessInstant
from domain.vocabulary import (
    HealthComponent,
    HealthStatus,
    RiskTier,
    Severity,
    SignalKind,
    SignalState,
)
from models.tables.scoring import AssessmentRow, ScoreRow, SignalRow
from tests.support.sample_tiers import add_points

DAYS = 40
FAMILY = uuid.UUID("8d0f5c1e-0000-4000-8000-000000000000")

WORDS = {
    HealthStatus.AT_RISK: (
        "Usage fell to less than half of what is usual here, and the champion has left.",
        "Call the executive sponsor this week; agree who succeeds the champion.",
        (
            ("usage", "Weekly actions 1,240, usually 3,100 (-60 %)", 18.0),
            ("relationship", "Hanna Brandt, the champion, left 11 days ago", 14.0),
            ("support", "Two tickets are past their deadline, the older one by 6 days", 6.5),
        ),
    ),
    HealthStatus.NEEDS_ATTENTION: (
        "Two support tickets are overdue and their tone is getting worse.",
        "Get the overdue tickets answered, then ask how the week went.",
        (
            ("support", "Two tickets are past their deadline, the older one by 6 days", 11.0),
            ("sentiment", "Tone of tickets fell from neutral to negative in 30 days", 7.0),
            ("usage", "Active people 14, usually 17 (-18 %)", 3.0),
        ),
    ),
    HealthStatus.NEUTRAL: (
        "Usage is steady; nobody has spoken with them for five weeks.",
        "Send a short check-in and offer a review of the last quarter.",
        (
            ("relationship", "Last two-way contact 36 days ago", 5.0),
            ("adoption", "3 of 9 features in use, unchanged in 60 days", 2.0),
        ),
    ),
    HealthStatus.ENGAGED: (
        "Usage is as usual and support is quiet.",
        "Nothing is needed; the next review is in the calendar.",
        (("usage", "Weekly actions 2,910, usually 2,870 (+1 %)", -4.0),),
    ),
    HealthStatus.THRIVING: (
        "Usage and breadth grew for the sixth week in a row; answers to surveys are good.",
        "Ask for a reference; show what the next plan would add.",
        (
            ("usage", "Weekly actions 5,400, usually 4,100 (+32 %)", -9.0),
            ("outcomes", "2 of 3 goals reached", -5.0),
        ),
    ),
}
WEAK = {
    HealthStatus.AT_RISK: ("usage", "relationship", "support"),
    HealthStatus.NEEDS_ATTENTION: ("support", "sentiment"),
    HealthStatus.NEUTRAL: ("relationship",),
}
SIGNALS = {
    HealthStatus.AT_RISK: (
        (SignalKind.USAGE_DROP, Severity.HIGH, "Usage is 60 % below the usual level", 6),
        (SignalKind.CHAMPION_LEFT, Severity.HIGH, "Hanna Brandt, the champion, has left", 11),
    ),
    HealthStatus.NEEDS_ATTENTION: (
        (SignalKind.TICKET_OVERDUE, Severity.MEDIUM, "Two tickets are past their deadline", 4),
    ),
    HealthStatus.NEUTRAL: ((SignalKind.NO_CONTACT, Severity.MEDIUM, "No contact for 36 days", 3),),
    HealthStatus.THRIVING: ((SignalKind.USAGE_SURGE, Severity.INFO, "Usage grew by a third in a month", 8),),
}


def _tier(score: int) -> RiskTier:
    return list(RiskTier)[min(3, score // 25)]


def components(status: HealthStatus, health: int) -> dict[str, Any]:
    """Seven components in the shape that scoring stores; one is without data."""
    weak = WEAK.get(status, ())
    found: dict[str, Any] = {}
    for place, component in enumerate(HealthComponent):
        bad = component.value in weak
        score = max(8, health - 22 - place) if bad else min(97, max(52, health + 6 - place * 2))
        found[component.value] = {
            "score": score,
            "status": component_status(score).value,
            "trend": -18 if bad else 1,
            "limited": False,
            "weight": 0.16,
        }
    found["outcomes"] = {"score": None, "status": "unknown", "trend": None, "limited": True, "weight": 0.0}
    return found


def _scores(row: dict[str, Any], dice: random.Random, now: BusinessInstant) -> list[dict[str, Any]]:
    status: HealthStatus = row["health_status"]
    last, health = row["churn_risk_score"], row["health_score"]
    drift = {HealthStatus.AT_RISK: 46, HealthStatus.NEEDS_ATTENTION: 24}.get(status, 0)
    found = []
    for back in range(DAYS, -1, -1):
        pull = drift * min(1.0, back / 14)
        noise = dice.randint(-3, 3) if back else 0
        score = max(0, min(100, round(last - pull + noise)))
        found.append(
            {
                "customer_id": row["id"],
                "as_of": (now - dt.timedelta(days=back)).date(),
                "scored_at": BusinessInstant(now - dt.timedelta(days=back, hours=12)),
                "churn_probability": row["churn_probability"],
                "churn_risk_score": score,
                "churn_risk_tier": _tier(score),
                "health_score": max(5, min(100, round(health + pull * 0.7 - noise))),
                "components": components(status, health),
                "drivers": [
                    {"family": family, "sentence": sentence, "points": points}
                    for family, sentence, points in WORDS[status][2]
                ],
                "horizon_days": 90,
                "model_version": "scorecard-2",
                "data_on": (now - dt.timedelta(days=back + 1)).date(),
            }
        )
    return found


def _assessment(row: dict[str, Any], index: int, now: BusinessInstant) -> dict[str, Any]:
    status = row["health_status"] or HealthStatus.NEUTRAL
    limited = row["health_status"] is None
    reason, action, drivers = WORDS[status]
    return {
        "id": uuid.uuid5(FAMILY, f"assessment/{index}"),
        "customer_id": row["id"],
        "assessed_at": BusinessInstant(now - dt.timedelta(hours=12)),
        "health_status": status,
        "limited_since": (now - dt.timedelta(days=34)).date() if limited else None,
        "reason": "There is too little fresh data for a verdict." if limited else reason,
        "changes": []
        if limited
        else [{"component": family, "sentence": sentence} for family, sentence, _ in drivers[:2]],
        "next_best_action": "Connect a source that tells of their usage." if limited else action,
        "components": components(status, row["health_score"] or 50),
        "data_on": (now - dt.timedelta(days=1)).date(),
        "inputs_hash": str(index),
    }


def _signals(row: dict[str, Any], index: int, now: BusinessInstant) -> list[dict[str, Any]]:
    found = []
    for kind, severity, title, days in SIGNALS.get(row["health_status"], ()):
        resolved = index in {12, 14}
        found.append(
            {
                "id": uuid.uuid5(FAMILY, f"signal/{index}/{kind}"),
                "customer_id": row["id"],
                "kind": kind,
                "dedupe_key": kind.value,
                "severity": severity,
                "state": SignalState.RESOLVED if resolved else SignalState.OPEN,
                "title": title,
                "evidence": {"now": 1240, "usual": 3100, "weeks": 8},
                "is_baseline": False,
                "opened_at": BusinessInstant(now - dt.timedelta(days=days)),
                "updated_at": BusinessInstant(now - dt.timedelta(days=1)),
                "resolved_at": BusinessInstant(now - dt.timedelta(days=1)) if resolved else None,
            }
        )
    return found


async def add_scores(session: AsyncSession, rows: list[dict[str, Any]], now: BusinessInstant) -> None:
    """Write scores for all who have one, an assessment for everyone, and open signals by status."""
    dice = random.Random(11)
    scored = [row for row in rows if row["churn_risk_score"] is not None]
    scores = [each for row in scored for each in _scores(row, dice, now)]
    await session.execute(insert(ScoreRow), scores)
    await add_points(session, scores, rows)
    verdicts = [_assessment(row, index, now) for index, row in enumerate(rows)]
    await session.execute(insert(AssessmentRow), verdicts)
    signals = [each for index, row in enumerate(rows) for each in _signals(row, index, now)]
    await session.execute(insert(SignalRow), signals)
