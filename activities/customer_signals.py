"""How one scoring looks for signals: what all customers share, and whether too many would show the same."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.adoption import NO_NORMS, AdoptionNorms
from domain.features import CustomerFeatures
from domain.health import HealthVerdict, health_status
from domain.risk import RiskVerdict
from domain.scoring_policy import ScoringPolicy
from domain.signal_own import OwnSignal
from domain.signal_readings import Whole
from domain.signals import HeldSignal, Outlook, SignalChanges, look
from domain.time import BusinessInstant
from domain.vocabulary import SignalKind
from models.adoption import load_norms
from models.database import Session
from models.mass_alerts import count_active, held_kinds, hold_back, is_mass, opened_lately
from models.own_signals import load_own_signals
from models.signals import CustomerChanges

PROBE = 100
"""Customers looked at before a large scoring: what a fifth of them shows at once is held back for all."""


@dataclass(frozen=True)
class Watch:
    """What every look of one scoring shares. `held_back` grows when a batch shows too much of a kind."""

    policy: ScoringPolicy
    own: tuple[OwnSignal, ...] = ()
    norms: AdoptionNorms = NO_NORMS
    active: int = 0
    held_back: dict[SignalKind, uuid.UUID] = field(default_factory=dict)

    def look(
        self,
        features: CustomerFeatures,
        whole: Whole,
        held: Sequence[HeldSignal],
        *,
        is_first: bool,
    ) -> SignalChanges:
        """Look at one customer."""
        return look(features, Outlook(self.policy, self.own, whole, is_first), held)


async def open_watch(session: Session, policy: ScoringPolicy, as_of: BusinessInstant) -> Watch:
    """Load what all looks share."""
    return Watch(
        policy,
        await load_own_signals(session),
        await load_norms(session, as_of),
        await count_active(session),
        await held_kinds(session),
    )


def whole_of(
    health: HealthVerdict, risk: RiskVerdict | None, usual: int | None, policy: ScoringPolicy
) -> Whole:
    """Return what the detectors of the whole see."""
    return Whole(
        health.score,
        health.status,
        health.limited,
        usual,
        None if usual is None else health_status(usual, policy.health),
        risk.churn_risk_score if risk else None,
        risk.churn_risk_tier if risk else None,
    )


def probe_of(ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Return customers spread evenly over those that are about to be scored."""
    step = max(1, len(ids) // PROBE)
    return list(ids[::step])[:PROBE]


async def hold_back_expected(
    session: Session, watch: Watch, found: Iterable[SignalChanges], probed: int, as_of: BusinessInstant
) -> None:
    """Hold back what so many of the probed customers show that it would be a mass alert among all."""
    scale = watch.active / max(probed, 1)
    shown = {kind: count * scale for kind, count in _news(found).items()}
    await _hold_back(session, watch, shown, as_of)


async def hold_back_shown(
    session: Session, watch: Watch, changed: Sequence[CustomerChanges], as_of: BusinessInstant
) -> None:
    """Hold back what this batch and the last day together show too often."""
    shown = _news(one.changes for one in changed)
    fresh = [kind for kind in shown if kind not in watch.held_back]
    if not fresh:
        return
    before = await opened_lately(session, fresh, as_of)
    await _hold_back(session, watch, {kind: shown[kind] + before.get(kind, 0) for kind in fresh}, as_of)


async def _hold_back(
    session: Session, watch: Watch, shown: Mapping[SignalKind, float], as_of: BusinessInstant
) -> None:
    policy = watch.policy.freshness
    many = {kind: round(n) for kind, n in shown.items() if is_mass(n, watch.active, policy)}
    new = {kind: count for kind, count in many.items() if kind not in watch.held_back}
    if new:
        watch.held_back.update(await hold_back(session, new, watch.active, as_of))


def _news(found: Iterable[SignalChanges]) -> Counter[SignalKind]:
    """Count the customers that would be told of each kind."""
    return Counter(
        kind
        for one in found
        for kind in {sighting.kind for sighting in one.opened if not sighting.is_baseline}
    )
