"""Scores customers: load, judge, write, a batch per transaction; for the nightly run and on demand."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from activities.champions import open_voices
from activities.contracts_scoring import ScoreShardResult
from activities.customer_signals import (
    Watch,
    hold_back_expected,
    hold_back_shown,
    open_watch,
    probe_of,
    whole_of,
)
from domain.assessment import assess
from domain.features import CustomerFeatures, KindFreshness
from domain.health import assess_health
from domain.ports import Clock
from domain.risk import RiskModel, RiskVerdict
from domain.scoring_policy import ScoringPolicy
from domain.signals import HeldSignal
from domain.tier_changes import next_acted
from domain.time import BusinessInstant
from domain.vocabulary import HealthStatus, NoticeKind
from domain.voices import ModelReader, Voices
from models.adoption import compute_norms
from models.awaited import told_by_conditions
from models.customer_standing import refresh_customers
from models.database import Database, Session
from models.features import load_features
from models.freshness import load_freshness, watch_freshness
from models.outbox import Notice, put_notices
from models.playbooks import PlaybookShelf
from models.scores import Standing, Verdict, load_policy, load_standings, lock_customers, save_verdicts
from models.shadow_scores import save_shadow_scores
from models.signals import CustomerChanges, load_held, load_usual_health, save_changes
from models.standing_orders import load_standing_orders

BATCH = 500
"""Customers per transaction. Their rows are locked for about a second; what a call for contributions costs
before its first row (tables of every leaf) is shared by so many."""


IN_HAND = 2
"""Batches that one process is busy with at a time: while one is judged, the database answers another. More
would only lock their rows for longer."""


class Desk:
    """What the scorings of one process share: playbooks that it has read, and how much it takes at once."""

    def __init__(self, size: int = BATCH) -> None:
        """Take so many customers per transaction."""
        self.shelf = PlaybookShelf()
        self.size = size
        self.in_hand = asyncio.Semaphore(IN_HAND)


@dataclass(frozen=True)
class _Basis:
    """What all verdicts of one scoring share."""

    as_of: BusinessInstant
    policy: ScoringPolicy
    voices: Voices
    freshness: Mapping[str, KindFreshness]
    watch: Watch
    shelf: PlaybookShelf
    is_health_asked_for: bool = False
    """Some playbook opens by health that falls."""

    @property
    def model(self) -> RiskModel:
        """Return whose word is acted on."""
        return self.voices.model


@dataclass(frozen=True)
class _Before:
    """What was thought of one customer until now."""

    standing: Standing
    held: Sequence[HeldSignal]
    usual_health: int | None


@dataclass(frozen=True)
class _Found:
    verdict: Verdict
    changes: CustomerChanges
    notices: tuple[Notice, ...]


async def score_customers(
    database: Database,
    clock: Clock,
    reader: ModelReader,
    ids: Sequence[uuid.UUID],
    as_of: BusinessInstant | None = None,
    desk: Desk | None = None,
) -> ScoreShardResult:
    """Score customers now (or as of an instant of today) and write all that follows."""
    total = ScoreShardResult()
    async for _last, part in score_in_batches(database, clock, reader, ids, as_of, desk):
        total = total.plus(part)
    return total


async def score_in_batches(
    database: Database,
    clock: Clock,
    reader: ModelReader,
    ids: Sequence[uuid.UUID],
    as_of: BusinessInstant | None = None,
    desk: Desk | None = None,
) -> AsyncIterator[tuple[uuid.UUID, ScoreShardResult]]:
    """Score in order of id and yield after each commit the last id of the batch, to go on from."""
    ordered, desk = sorted(set(ids)), desk or Desk()
    basis = await _basis(database, reader, as_of or clock.now(), desk.shelf, is_live=True)
    if len(ordered) > desk.size:
        await _probe(database, ordered, basis)
    for start in range(0, len(ordered), desk.size):
        batch = ordered[start : start + desk.size]
        async with desk.in_hand:
            part = await _score_batch(database, clock, batch, basis)
        yield batch[-1], part


async def judge_customers(
    database: Database, reader: ModelReader, ids: Sequence[uuid.UUID], as_of: BusinessInstant, *, exact: bool
) -> list[Verdict]:
    """Return the verdicts as of an instant and write nothing."""
    basis = await _basis(database, reader, as_of, PlaybookShelf())
    async with database.transaction() as session:
        features = await load_features(session, ids, as_of, basis.freshness, exact=exact)
        norms = await compute_norms(session, as_of)
        standings = await load_standings(session, ids, as_of, basis.policy.risk.dwell_days)
    measured = [norms.measure(one) for one in features]
    risks = basis.model.assess_all(measured)
    return [
        _judge(one, risk, standings[one.customer_id], basis)
        for one, risk in zip(measured, risks, strict=True)
    ]


async def _basis(
    database: Database,
    reader: ModelReader,
    as_of: BusinessInstant,
    shelf: PlaybookShelf,
    *,
    is_live: bool = False,
) -> _Basis:
    """Load what all verdicts share; a live scoring also looks for signals, and notes what is silent."""
    freshness_of = watch_freshness if is_live else load_freshness
    async with database.transaction() as session:
        policy = await load_policy(session)
        freshness = await freshness_of(session, as_of, policy.freshness)
        watch = await open_watch(session, policy, as_of) if is_live else Watch(policy)
        known = (await load_standing_orders(session, shelf)).playbooks if is_live else ()
        voices = await open_voices(session, reader, policy.risk)
    by_health = any(one.document.trigger.health is not None for one in known)
    return _Basis(as_of, policy, voices, freshness, watch, shelf, by_health)


async def _probe(database: Database, ids: Sequence[uuid.UUID], basis: _Basis) -> None:
    """Look at some before all are told, so that a fault of ours is not told to everybody."""
    some = probe_of(ids)
    async with database.transaction() as session:
        standings = await load_standings(session, some, basis.as_of, basis.policy.risk.dwell_days)
        seen = await _look_at(session, some, standings, basis)
        found = [one.changes.changes for one in seen]
        await hold_back_expected(session, basis.watch, found, len(some), basis.as_of)


async def _look_at(
    session: Session, ids: Sequence[uuid.UUID], standings: Mapping[uuid.UUID, Standing], basis: _Basis
) -> list[_Found]:
    as_of = basis.as_of
    held = await load_held(session, ids)
    usual = await load_usual_health(session, ids, as_of.date())
    loaded = await load_features(session, ids, as_of, basis.freshness)
    features = [basis.watch.norms.measure(one) for one in loaded]
    return [
        _find(
            one,
            risk,
            _Before(standings[one.customer_id], held.get(one.customer_id, ()), usual.get(one.customer_id)),
            basis,
        )
        for one, risk in zip(features, basis.model.assess_all(features), strict=True)
    ]


async def _score_batch(
    database: Database, clock: Clock, batch: Sequence[uuid.UUID], basis: _Basis
) -> ScoreShardResult:
    as_of = basis.as_of
    async with database.transaction() as session:
        refreshed = await refresh_customers(session, batch, clock.now(), clock.wall_now())
        ids = await lock_customers(session, batch)
        standings = await load_standings(session, batch, as_of, basis.policy.risk.dwell_days)
        found = await _look_at(session, ids, standings, basis)
        await save_verdicts(session, [one.verdict for one in found])
        beside = basis.voices.beside([one.verdict.features for one in found])
        await save_shadow_scores(session, beside, as_of.date())
        notices = [notice for notice, _known_at in refreshed if standings[notice.customer_id].acted]
        notices += [notice for one in found for notice in one.notices]
        notices += _falls(found, standings) if basis.is_health_asked_for else []
        changes = [one.changes for one in found]
        await hold_back_shown(session, basis.watch, changes, as_of)
        notices += await save_changes(session, changes, as_of, basis.watch.held_back)
        notices += await told_by_conditions(session, basis.shelf, ids, clock.now())
        await put_notices(session, notices, clock.wall_now())
    return _summary(found, len(notices))


def _find(features: CustomerFeatures, risk: RiskVerdict, before: _Before, basis: _Basis) -> _Found:
    standing = before.standing
    verdict = _judge(features, risk, standing, basis)
    is_first = standing.acted is None
    whole = whole_of(verdict.health, verdict.risk, before.usual_health, basis.policy)
    changes = basis.watch.look(features, whole, before.held, is_first=is_first)
    told = CustomerChanges(features.customer_id, changes)
    return _Found(verdict, told, _tier_notice(verdict, standing))


def _judge(features: CustomerFeatures, risk: RiskVerdict, standing: Standing, basis: _Basis) -> Verdict:
    policy = basis.policy
    health = assess_health(features, policy.health, standing.components_before)
    acted = next_acted(
        standing.acted, risk.churn_risk_score, standing.recent_scores, policy.risk, features.as_of
    )
    words = assess(features, health, risk, standing.override, standing.previous)
    is_news = standing.previous is None or standing.previous.inputs_hash != words.inputs_hash
    return Verdict(features, risk, health, words, acted, is_news)


def _tier_notice(verdict: Verdict, standing: Standing) -> tuple[Notice, ...]:
    """Tell of a change of the tier that is acted on; the first score is a baseline."""
    before, after = standing.acted, verdict.acted
    if before is None or before.tier is after.tier:
        return ()
    payload: Mapping[str, object] = {
        "from": before.tier.value,
        "to": after.tier.value,
        "score": verdict.risk.churn_risk_score,
    }
    features = verdict.features
    return (Notice(features.customer_id, NoticeKind.TIER_CHANGED, dict(payload), features.as_of),)


def _falls(found: Sequence[_Found], standings: Mapping[uuid.UUID, Standing]) -> list[Notice]:
    """Tell of health that has fallen to a worse status; the first score is a baseline."""
    order = list(HealthStatus)
    fallen: list[Notice] = []
    for features, health in ((one.verdict.features, one.verdict.health) for one in found):
        before = standings[features.customer_id].health_status
        if before is not None and order.index(health.status) > order.index(before):
            payload = {"fields": ["health_status"]}
            notice = Notice(features.customer_id, NoticeKind.CUSTOMER_CHANGED, payload, features.as_of)
            fallen.append(notice)
    return fallen


def _summary(found: Sequence[_Found], notices: int) -> ScoreShardResult:
    return ScoreShardResult(
        scored=len(found),
        assessments=sum(one.verdict.is_news for one in found),
        signals_opened=sum(len(one.changes.changes.opened) for one in found),
        signals_resolved=sum(len(one.changes.changes.resolved) for one in found),
        tier_changes=sum(bool(one.notices) for one in found),
        notices=notices,
    )
