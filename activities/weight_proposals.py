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
from domain.learning_rows import DAY, NEVER, Outcome, Sample
from domain.ports import Clock
from domain.scoring_policy import ScoringPolicy
from domain.statistician import Statistician, WeightEvidence
from domain.time import BusinessInstant, after, start_of_day
from domain.vocabulary import HealthComponent, Segment
from models.component_history import PastScores, load_component_history
from models.database import Database
from models.relations import load_relations
from models.scores import load_policy
from models.snapshots import told_until
from models.weight_proposals import is_proposed, keep_proposal

log: Any = structlog.get_logger("health")


@dataclass(frozen=True)
class Question:
    """What outcomes are asked: who had which scores, and who was still there later."""

    past: Sequence[PastScores]
    relations: Mapping[uuid.UUID, Relation]
    policy: ScoringPolicy
    known_until: BusinessInstant


@dataclass(frozen=True)
class Learnt:
    """What outcomes say: weights by segment, as stored, and the evidence."""

    weights: dict[str, dict[str, float]]
    evidence: dict[str, dict[str, Any]]


async def propose_once_a_quarter(
    database: Database, clock: Clock, statistician: Statistician, business_date: dt.date
) -> bool:
    """Propose weights where this quarter has no proposal yet; tell whether it was asked."""
    quarter, now = quarter_of(business_date), clock.now()
    async with database.transaction() as session:
        if await is_proposed(session, quarter):
            return False
        policy = await load_policy(session)
        past = await load_component_history(session, now)
        relations = await load_relations(session, {one.customer_id for one in past})
        known_until = await told_until(session, now)
    asked = Question(past, relations, policy, known_until)
    learnt = await asyncio.to_thread(learn_weights, asked, statistician)
    present = weights_document(policy.health.weights)
    async with database.transaction() as session:
        await keep_proposal(session, quarter, present, present | learnt.weights, learnt.evidence, now)
    verdicts = {segment: one["verdict"] for segment, one in learnt.evidence.items()}
    log.info("weights of health were asked of outcomes", quarter=quarter, verdicts=verdicts)
    return True


def learn_weights(asked: Question, statistician: Statistician) -> Learnt:
    """Return what each segment's outcomes propose; segments without enough of them have only evidence."""
    weights, evidence = {}, {}
    for segment in Segment:
        proposed, said = _learn_segment(segment, asked, statistician)
        evidence[segment.value] = said
        if proposed is not None:
            weights[segment.value] = proposed
    return Learnt(weights, evidence)


def _learn_segment(
    segment: Segment, asked: Question, statistician: Statistician
) -> tuple[dict[str, float] | None, dict[str, Any]]:
    policy, samples = asked.policy, _samples(asked, segment)
    present = [policy.health.weights[segment].get(name, 0.0) for name in HealthComponent]
    nothing = WeightEvidence(0, 0, 0, policy.weights.least_churned, tuple(present))
    horizon = policy.risk.horizon_days
    found = statistician.weigh(samples, present, horizon, policy.weights) if samples else nothing
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
    by_name = dict(zip(HealthComponent, found.weights, strict=True))
    return {name.value: weight for name, weight in in_hundredths(by_name).items()}, said


def _plain(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: round(value, 4) if math.isfinite(value) else None for name, value in figures.items()}


def _samples(asked: Question, segment: Segment) -> list[Sample]:
    """Put scores and outcomes of a segment side by side, in order of date and customer."""
    codes = {key: place for place, key in enumerate(sorted({one.customer_id for one in asked.past}))}
    live = [one for one in asked.past if one.segment is segment and _is_live(asked, one)]
    return [
        Sample(
            customer=codes[one.customer_id],
            as_of=one.as_of,
            values=[math.nan if score is None else score for score in one.scores],
            yearly=one.arr,
            outcome=_outcome(asked, one),
        )
        for one in sorted(live, key=lambda one: (one.as_of, one.customer_id))
    ]


def _is_live(asked: Question, one: PastScores) -> bool:
    relation = asked.relations.get(one.customer_id)
    return relation is not None and relation.is_live_at(start_of_day(one.as_of))


def _outcome(asked: Question, one: PastScores) -> Outcome:
    settled, start = after(asked.known_until, -GRACE), start_of_day(one.as_of)
    gone = asked.relations[one.customer_id].left_within(start, settled)
    return Outcome(NEVER if gone is None else (gone.since - start) / DAY, (settled - start) / DAY)
