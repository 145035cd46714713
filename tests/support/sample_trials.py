"""Who of the sample was treated and who was left out, and a report of a larger company's effects."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.impact import DeclaredExperiment
from domain.time import BusinessInstant
from domain.trial_labels import Measure, TrialLabel
from domain.trials import Arm
from domain.vocabulary import CustomerStatus
from ml.impact import report
from models.impact import keep_report
from models.tables.trials import AssignmentRow, TrialOutcomeRow
from tests.support.sample_scores import FAMILY
from tests.support.trials import SEGMENTS, World, trial

PLAYBOOK = "low-engagement"
ARMS = (Arm.TREATED, Arm.TREATED, Arm.HOLDOUT, Arm.TREATED, Arm.GLOBAL_HOLDOUT)
WORLDS = (
    World(effect=dict.fromkeys(SEGMENTS, 0.08), share=0.3, global_share=0.05),
    World(effect={"small": 0.05, "mid_market": 0.04, "enterprise": -0.5}, share=0.3, name="qbr-missed"),
    World(share=0.0, name="stay-in-touch"),
)
EXPERIMENT = DeclaredExperiment(
    "tech-touch-check-in", "which", ("question", "hint"), Measure.GOAL, 0.1, is_measured=True
)


async def add_trials(session: AsyncSession, rows: list[dict[str, Any]], now: BusinessInstant) -> None:
    """Write one occasion for each customer, outcomes of the older ones, and the night's report."""
    assigned = [_assignment(place, row, now) for place, row in enumerate(rows)]
    await session.execute(insert(AssignmentRow), assigned)
    outcomes = [
        _outcome(row, one, now) for row, one in zip(rows, assigned, strict=True) if _is_over(one, now)
    ]
    if outcomes:
        await session.execute(insert(TrialOutcomeRow), outcomes)
    found = [one for place, world in enumerate(WORLDS) for one in trial(world, 400, place)]
    await keep_report(session, report(found, [EXPERIMENT], now), now)


def _assignment(place: int, row: dict[str, Any], now: BusinessInstant) -> dict[str, Any]:
    arm = ARMS[place % len(ARMS)]
    return {
        "id": uuid.uuid5(FAMILY, f"assignment/{place}"),
        "key": f"sample/{place}",
        "customer_id": row["id"],
        "playbook_key": PLAYBOOK,
        "version_id": uuid.uuid5(FAMILY, PLAYBOOK),
        "occasion": "tier:high",
        "arm": arm.value,
        "propensity": {Arm.TREATED: 0.855, Arm.HOLDOUT: 0.095, Arm.GLOBAL_HOLDOUT: 0.05}[arm],
        "global_share": 0.05,
        "assigned_at": BusinessInstant(now - dt.timedelta(days=20 + place * 8)),
        "segment": row["segment"],
        "touch_tier": row["touch_tier"],
        "acted_tier": row["acted_tier"],
        "churn_probability": row["churn_probability"],
        "arr_minor": row["arr_minor"],
        "currency": row["currency"],
    }


def _is_over(one: dict[str, Any], now: BusinessInstant) -> bool:
    return bool(now - one["assigned_at"] > dt.timedelta(days=120))


def _outcome(row: dict[str, Any], one: dict[str, Any], now: BusinessInstant) -> dict[str, Any]:
    has_left = row["status"] is CustomerStatus.CHURNED
    return {
        "assignment_id": one["id"],
        "measure": Measure.STAYED,
        "label": TrialLabel.CHURNED if has_left else TrialLabel.SAVED,
        "is_good": not has_left,
        "matured_at": BusinessInstant(one["assigned_at"] + dt.timedelta(days=120)),
        "known_at": now,
    }
