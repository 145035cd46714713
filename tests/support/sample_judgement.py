"""What people say of the sample customers, a proposal of weights, and a look at the model."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.health_preview import weights_document
from domain.scoring_policy import HealthPolicy
from domain.stances import Forecast, Stance
from domain.time import BusinessInstant
from domain.vocabulary import HealthStatus
from models.tables.customers import CustomerRow
from models.tables.judgement import (
    DisagreementRow,
    ForecastRow,
    HealthOverrideRow,
    ModelHealthRow,
    WeightProposalRow,
)

PROPOSAL = uuid.UUID("8d0f5c1e-0000-4000-8000-0000000000aa")
INTERVAL = {"value": 0.68, "low": 0.61, "high": 0.74}


async def add_judgement(session: AsyncSession, rows: list[dict[str, Any]], now: BusinessInstant) -> None:
    """Write one of each: about the first customer, and about a neutral one, who stays neutral by hand."""
    first, second = rows[0]["id"], rows[min(8, len(rows) - 1)]["id"]
    until, before = now + dt.timedelta(days=20), now - dt.timedelta(days=9)
    said = {"reason": "They signed for another year", "by": "Jonas Weber"}
    override = {"status": HealthStatus.NEUTRAL, "set_at": before, "until": until, **said}
    rules = {"rules_status": HealthStatus.AT_RISK, "rules_score": 22}
    await session.execute(
        insert(HealthOverrideRow).values(id=uuid.uuid4(), customer_id=second, **override, **rules)
    )
    held = {"health_override": HealthStatus.NEUTRAL, "health_override_until": until}
    await session.execute(update(CustomerRow).where(CustomerRow.id == second).values(**held))
    forecast = {"forecast": Forecast.WILL_RENEW, "said_at": before, **said}
    await session.execute(insert(ForecastRow).values(id=uuid.uuid4(), customer_id=first, **forecast))
    stances = {"health": Stance.LEAVING, "risk": Stance.LEAVING, "csm": Stance.STAYING}
    asked = {
        "began_at": before,
        "opened_at": now - dt.timedelta(days=2),
        "due_at": now + dt.timedelta(days=3),
    }
    await session.execute(
        insert(DisagreementRow).values(id=uuid.uuid4(), customer_id=first, **stances, **asked)
    )
    over = {"decided": Stance.LEAVING, "by_policy": "leaving", "ended_at": before, "left": False}
    judged = {"decided_at": before, "judged_at": before}
    await session.execute(
        insert(DisagreementRow).values(
            id=uuid.uuid4(), customer_id=second, **stances, **asked, **over, **judged
        )
    )
    await session.execute(insert(WeightProposalRow).values(_proposal(now)))
    await session.execute(insert(ModelHealthRow).values(_health(now)))


def _proposal(now: BusinessInstant) -> dict[str, Any]:
    present = weights_document(HealthPolicy().weights)
    proposed = present | {"enterprise": present["enterprise"] | {"usage": 0.05, "support": 0.31}}
    told = {"rows": 900, "customers": 80, "needed": 0, "moved": 0.31, "verdict": "better", "left": 22}
    aucs = {"auc_present": INTERVAL, "auc_proposed": INTERVAL, "auc_difference": INTERVAL}
    nothing = {"verdict": "not_enough", "moved": 0.0, "needed": 14, "left": 6} | dict.fromkeys(aucs)
    evidence = {"enterprise": told | aucs, "small": told | nothing, "mid_market": told | nothing}
    return {
        "id": PROPOSAL, "quarter": "2026-Q4", "proposed_at": now - dt.timedelta(days=40), "is_open": True,
        "present": present, "proposed": proposed, "evidence": evidence,
    }  # fmt: skip


def _health(now: BusinessInstant) -> dict[str, Any]:
    sentence = "Adoption, seats in use: a third of customers moved since 3 May (stability index 0.31)."
    return {
        "model_version": "scorecard-2", "as_of": now.date(), "measured_at": now, "customers": 30,
        "reference_on": dt.date(2026, 5, 3), "score_psi": 0.04, "columns": [], "outcomes": {"rows": 12},
        "alerts": [{"level": "watch", "about": "adoption.seats_in_use", "sentence": sentence}],
    }  # fmt: skip
