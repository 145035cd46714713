"""Plays the detectors back over the past: how often they would have fired, and who left afterwards."""

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.features import CustomerFeatures, KindFreshness
from domain.health import assess_health, health_status
from domain.risk import Scorecard
from domain.scoring_policy import ScoringPolicy
from domain.signal_own import OwnSignal
from domain.signal_readings import Whole
from domain.signals import HeldSignal, Outlook, Sighting, SignalChanges, look
from domain.time import BusinessInstant
from models.adoption import compute_norms
from models.features import load_features
from models.freshness import load_freshness

WEEKS = 13
"""Snapshots of a preview: one a week over the last 90 days, and the one that it starts from."""
SAMPLE = 150
"""Customers that are played back; a portfolio of no more than so many is played back whole."""
LEAST_HEALTHS = 3


@dataclass(frozen=True)
class Fired:
    """How often one signal would have opened."""

    times: int = 0
    customers: int = 0
    already_open: int = 0
    """Customers that showed it on the first day: no news of these 90 days."""


@dataclass(frozen=True)
class Preview:
    """What a playback of the last 90 days says, and of whom."""

    sampled: int
    of: int
    snapshots: int
    since: dt.date
    fired: Mapping[str, Fired]
    """By kind, and for signals of the tenant's own by dedupe key."""


@dataclass
class Playback:
    """The detectors in one sample of customers, from snapshot to snapshot."""

    policy: ScoringPolicy
    own: tuple[OwnSignal, ...] = ()
    held: dict[uuid.UUID, list[HeldSignal]] = field(default_factory=lambda: defaultdict(list))
    healths: dict[uuid.UUID, list[int]] = field(default_factory=lambda: defaultdict(list))

    async def look_at(
        self, session: AsyncSession, ids: Sequence[uuid.UUID], at: BusinessInstant
    ) -> dict[uuid.UUID, SignalChanges]:
        """Look at everybody as of an instant, with what was known then."""
        told = _as_if_always_connected(await load_freshness(session, at, self.policy.freshness))
        norms = await compute_norms(session, at)
        rows = await load_features(session, ids, at, told, exact=True)
        return {one.customer_id: self._look(norms.measure(one)) for one in rows}

    def _look(self, features: CustomerFeatures) -> SignalChanges:
        held = self.held[features.customer_id]
        outlook = Outlook(self.policy, self.own, self._whole(features))
        changes = look(features, outlook, held)
        ended = {signal.id for signal, _ending in changes.resolved}
        worded = {signal.id: sighting for signal, sighting in changes.updated}
        kept = [
            replace(one, evidence=worded[one.id].evidence) if one.id in worded else one
            for one in held
            if one.id not in ended
        ]
        kept += [
            HeldSignal(
                uuid.uuid4(), one.kind, one.key, one.severity, one.title, one.evidence, is_baseline=False
            )
            for one in changes.opened
        ]
        self.held[features.customer_id] = kept
        return changes

    def _whole(self, features: CustomerFeatures) -> Whole:
        """Score health and risk as of that day; what is usual comes from the snapshots before."""
        health = assess_health(features, self.policy.health)
        risk = Scorecard(self.policy.risk).assess(features)
        before = sorted(self.healths[features.customer_id][-4:])
        usual = before[(3 * len(before)) // 4] if len(before) >= LEAST_HEALTHS else None
        self.healths[features.customer_id].append(health.score)
        word = None if usual is None else health_status(usual, self.policy.health)
        scored = (risk.churn_risk_score, risk.churn_risk_tier)
        return Whole(health.score, health.status, health.limited, usual, word, *scored)


def _as_if_always_connected(told: Mapping[str, KindFreshness]) -> dict[str, KindFreshness]:
    """Let history count: a preview asks what would have been seen, not what was connected when."""
    long_ago = BusinessInstant(dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
    return {kind: replace(one, connected_at=long_ago) for kind, one in told.items()}


async def preview(
    session: AsyncSession, policy: ScoringPolicy, own: tuple[OwnSignal, ...], now: BusinessInstant
) -> Preview:
    """Play the last 90 days back with a policy that may not be in force yet."""
    ids, of = await _sample(session, now)
    playback = Playback(policy, own)
    instants = [BusinessInstant(now - dt.timedelta(weeks=back)) for back in range(WEEKS, -1, -1)]
    times: Counter[str] = Counter()
    who: dict[str, set[uuid.UUID]] = defaultdict(set)
    already: dict[str, set[uuid.UUID]] = defaultdict(set)
    for place, at in enumerate(instants):
        for customer_id, changes in (await playback.look_at(session, ids, at)).items():
            for key in map(name_of, changes.opened):
                if place == 0:
                    already[key].add(customer_id)
                else:
                    times[key] += 1
                    who[key].add(customer_id)
    keys = times.keys() | already.keys()
    fired = {key: Fired(times[key], len(who[key]), len(already[key])) for key in keys}
    return Preview(len(ids), of, len(instants), instants[0].date(), fired)


def name_of(signal: Sighting) -> str:
    """Return the name under which a signal is counted."""
    return signal.key if signal.key.startswith("own:") else signal.kind.value


async def _sample(session: AsyncSession, now: BusinessInstant) -> tuple[list[uuid.UUID], int]:
    """Return customers of the last 90 days, the same ones every time, and how many there are."""
    values = {"first": now - dt.timedelta(weeks=WEEKS), "now": now, "most": SAMPLE}
    rows = (await session.execute(text(_SAMPLE), values)).all()
    return sorted(row.id for row in rows), rows[0].whole if rows else 0


_SAMPLE = """
SELECT id, count(*) OVER () AS whole FROM customers
WHERE known_at <= :now AND (churned_at IS NULL OR churned_at > :first)
ORDER BY md5(CAST(id AS text)) LIMIT :most
"""
