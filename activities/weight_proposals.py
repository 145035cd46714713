"""Asks outcomes, once a quarter, which weights of health would have ranked customers better."""

import asyncio
import datetime as dt
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from domain.health_preview import in_hundredths, quarter_of, weights_document
from domain.labels import GRACE, Relation
from domain.ports import Clock
from domain.scoring_policy import ScoringPolicy
from domain.time import BusinessInstant, after, start_of_day
from domain.vocabulary import HealthComponent, Segment
from models.component_history import PastScores, load_component_history
from models.database import Database
from models.relations import load_relations
from models.scores import load_policy
from models.weight_proposals import is_proposed, keep_proposal

log: Any = structlog.get_logger("health")
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Learnt:
    """What outcomes say: weights by segment, as stored, and the evidence."""

    weights: dict[str, dict[str, float]]
    evidence: dict[str, dict[str, Any]]


async def propose_once_a_quarter(database: Database, clock: Clock, business_date: dt.date) -> bool:
    """Propose weights where this quarter has no proposal yet; tell whether it was asked."""
    quarter, now = quarter_of(business_date), clock.now()
    async with database.transaction() as session:
        if await is_proposed(session, quarter):
            return False
        policy = await load_policy(session)
        past = await load_component_history(session, now)
        relations = await load_relations(session, {one.customer_id for one in past})
    learnt = await asyncio.to_thread(learn_weights, past, relations, policy, now)
    present = weights_document(policy.health.weights)
    async with database.transaction() as session:
        await keep_proposal(session, quarter, present, present | learnt.weights, learnt.evidence, now)
    verdicts = {segment: one["verdict"] for segment, one in learnt.evidence.items()}
    log.info("weights of health were asked of outcomes", quarter=quarter, verdicts=verdicts)
    return True


def learn_weights(
    past: Sequence[PastScores],
    relations: Mapping[uuid.UUID, Relation],
    policy: ScoringPolicy,
    now: BusinessInstant,
) -> Learnt:
    """Return what each segment's outcomes propose; segments without enough of them have only evidence."""
    weights, evidence = {}, {}
    for segment in Segment:
        mine = [one for one in past if one.segment is segment and one.customer_id in relations]
        proposed, said = _learn_segment(segment, mine, relations, policy, now)
        evidence[segment.value] = said
        if proposed is not None:
            weights[segment.value] = proposed
    return Learnt(weights, evidence)


def _learn_segment(
    segment: Segment,
    past: Sequence[PastScores],
    relations: Mapping[uuid.UUID, Relation],
    policy: ScoringPolicy,
    now: BusinessInstant,
) -> tuple[dict[str, float] | None, dict[str, Any]]:
    """Import the learning only here: most processes never learn."""
    import numpy as np

    from ml.health_weights import propose_weights

    horizon, limits = policy.risk.horizon_days, policy.weights
    if not past:
        return None, {"rows": 0, "customers": 0, "left": 0, "needed": limits.least_churned} | NOTHING
    present = np.array([policy.health.weights[segment].get(name, 0.0) for name in HealthComponent])
    found = propose_weights(
        _samples(past, relations, now),
        present,
        horizon=horizon,
        least_left=limits.least_churned,
        prior_left=limits.prior_churned,
    )
    said: dict[str, Any] = {
        "rows": found.rows,
        "customers": found.customers,
        "left": found.left,
        "needed": found.needed,
        "verdict": found.verdict,
        "moved": round(found.moved, 4),
    }
    aucs = {"present": found.present_auc, "proposed": found.proposed_auc, "difference": found.difference}
    said |= {f"auc_{name}": None if one is None else _plain(one.document()) for name, one in aucs.items()}
    if found.verdict in {"not_enough", "worse"}:
        return None, said
    by_name = dict(zip(HealthComponent, (float(weight) for weight in found.weights), strict=True))
    return {name.value: weight for name, weight in in_hundredths(by_name).items()}, said


NOTHING: dict[str, Any] = {
    "verdict": "not_enough", "moved": 0.0, "auc_present": None, "auc_proposed": None, "auc_difference": None,
}  # fmt: skip


def _plain(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: round(value, 4) if math.isfinite(value) else None for name, value in figures.items()}


def _samples(
    past: Sequence[PastScores], relations: Mapping[uuid.UUID, Relation], now: BusinessInstant
) -> Any:
    """Put scores and outcomes side by side, in order of date and customer, as learning takes them."""
    import numpy as np

    from ml.samples import NEVER, Samples, days_of

    settled = after(now, -GRACE)
    codes = {key: place for place, key in enumerate(sorted({one.customer_id for one in past}))}
    live = [one for one in past if relations[one.customer_id].is_live_at(start_of_day(one.as_of))]
    live.sort(key=lambda one: (one.as_of, one.customer_id))
    gone = [relations[one.customer_id].left_within(start_of_day(one.as_of), settled) for one in live]
    starts = [start_of_day(one.as_of) for one in live]
    events = [NEVER if end is None else (end.since - at) / DAY for end, at in zip(gone, starts, strict=True)]
    scores = [[math.nan if score is None else score for score in one.scores] for one in live]
    return Samples(
        columns=tuple(name.value for name in HealthComponent),
        matrix=np.array(scores, dtype=np.float32).reshape(len(live), len(HealthComponent)),
        customers=np.array([codes[one.customer_id] for one in live], dtype=np.int64),
        as_of=np.array([days_of(one.as_of) for one in live], dtype=np.int64),
        event_days=np.array(events, dtype=np.float64),
        observed_days=np.array([(settled - at) / DAY for at in starts], dtype=np.float64),
        value=np.array([one.arr for one in live], dtype=np.float64),
    )
