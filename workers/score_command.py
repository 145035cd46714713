"""What `everstay score` does: the same scoring as at night, for whom and when it is asked."""

import datetime as dt
import uuid
from dataclasses import asdict
from typing import Any

from activities.customer_scoring import judge_customers, score_customers
from domain.errors import NotFoundError
from domain.time import BusinessInstant, business
from domain.wording import percent
from ml.adapters import CatBoostModelReader
from models.clock import open_clock
from models.database import Database
from models.scores import Verdict, scorable_ids
from settings import Settings


async def run_score(
    settings: Settings, customer: uuid.UUID | None, as_of: dt.datetime | None
) -> dict[str, Any]:
    """Score and return what was found; with `as_of`, judge a past instant and store nothing."""
    database, reader = Database(settings.database_url or "", pool_size=2), CatBoostModelReader()
    try:
        clock = await open_clock(database)
        async with database.transaction() as session:
            ids = await scorable_ids(session, customer, customer)
        if customer is not None and not ids:
            raise NotFoundError(what="customer that has not left", key=customer)
        if as_of is not None:
            instant = business(as_of if as_of.tzinfo else as_of.replace(tzinfo=dt.UTC))
            return _document(instant, await judge_customers(database, reader, ids, instant, exact=True))
        now = clock.now()
        found = await score_customers(database, clock, reader, ids, now)
        if customer is None:
            return {"as_of": now.isoformat(), **asdict(found)}
        verdicts = await judge_customers(database, reader, ids, now, exact=False)
        return _document(now, verdicts) | asdict(found)
    finally:
        await database.close()


def _document(as_of: BusinessInstant, verdicts: list[Verdict]) -> dict[str, Any]:
    return {"as_of": as_of.isoformat(), "customers": [_one(verdict) for verdict in verdicts]}


def _one(verdict: Verdict) -> dict[str, Any]:
    risk, said = verdict.risk, verdict.assessment
    return {
        "customer_id": str(verdict.features.customer_id),
        "churn_probability": risk.churn_probability,
        "churn_risk_score": risk.churn_risk_score,
        "churn_risk_tier": risk.churn_risk_tier.value,
        "horizon_days": risk.horizon_days,
        "model_version": risk.model_version,
        "renewal_probability": risk.outlook.renewal_probability,
        "expansion_probability": risk.outlook.expansion_probability,
        "outlook_missing": risk.outlook.reason,
        "drivers": [driver.document() for driver in risk.drivers],
        "health_score": verdict.health.score,
        "health_status": said.health_status.value,
        "reason": said.reason,
        "next_best_action": said.next_best_action,
        "limited_since": said.limited_since.isoformat() if said.limited_since else None,
        "components": said.components,
        "data_on": said.data_on.isoformat() if said.data_on else None,
    }


def shown(document: dict[str, Any]) -> str:
    """Return the same for people: a line of sums, or a paragraph per customer."""
    if "customers" in document:
        return "\n\n".join(_paragraph(one) for one in document["customers"])
    return (
        f"Scored {document['scored']} customers as of {document['as_of']}: "
        f"{document['signals_opened']} signals opened, {document['signals_resolved']} resolved, "
        f"{document['tier_changes']} changes of tier, {document['assessments']} new assessments."
    )


def _paragraph(one: dict[str, Any]) -> str:
    data = one["data_on"] or "none"
    tier, share = one["churn_risk_tier"], percent(one["churn_probability"])
    risk = f"churn risk {one['churn_risk_score']} of 100 ({tier}, high is bad)"
    basis = f"{share} within {one['horizon_days']} days, by {one['model_version']} on data up to {data}"
    status = one["health_status"].replace("_", " ")
    lines = [
        one["customer_id"],
        f"  {risk}: {basis}",
        f"  health {one['health_score']} of 100 ({status}): {one['reason']}",
        *(f"  {driver['points']:+.0f}  {driver['sentence']}" for driver in one["drivers"]),
        f"  next: {one['next_best_action']}",
    ]
    return "\n".join(lines)
