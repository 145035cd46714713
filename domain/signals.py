"""The CSM's eye: the catalogue of signals, and what opens, goes on and ends when one looks again."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain.features import CustomerFeatures
from domain.scoring_policy import ScoringPolicy, Thresholds
from domain.signal_readings import (
    Ending,
    Evidence,
    Level,
    Reading,
    Sight,
    SignalSpec,
    by_size,
    same_for_all,
)
from domain.signals_commercial import contract_stagnation, invoice_past_due
from domain.signals_people import (
    champion_left,
    executive_silence,
    poor_survey,
    qbr_missed,
    sentiment_drop,
    support_surge,
    ticket_overdue,
)
from domain.signals_usage import (
    breadth_growth,
    feature_drop_off,
    limit_proximity,
    login_silence,
    onboarding_stall,
    usage_drop,
    usage_surge,
)
from domain.time import start_of_day
from domain.vocabulary import Severity, SignalKind

K = SignalKind
CATALOGUE: tuple[SignalSpec, ...] = (
    SignalSpec(K.USAGE_DROP, ("usage",), "last week over the usual one, below the usual range", "ratio",
               by_size((0.5, 0.8, 0.25), (0.6, 0.85, 0.3), (0.65, 0.85, 0.35)), usage_drop, is_return=True),
    SignalSpec(K.LOGIN_SILENCE, ("usage",), "days without use, at least three usual gaps", "days",
               by_size((14, 3, 28), (10, 3, 21), (7, 3, 14)), login_silence, is_return=True),
    SignalSpec(K.FEATURE_DROP_OFF, ("usage",), "a mainstay untouched for a fortnight", "features",
               same_for_all(1, 0, 2), feature_drop_off, is_return=True),
    SignalSpec(K.ONBOARDING_STALL, ("onboarding",), "days since the start, not onboarded", "days",
               by_size((30, 0, 60), (45, 0, 75), (60, 0, 90)), onboarding_stall),
    SignalSpec(K.TICKET_OVERDUE, ("ticket",), "open tickets past a service deadline", "tickets",
               same_for_all(1, 0, 3), ticket_overdue),
    SignalSpec(K.SUPPORT_SURGE, ("ticket",), "tickets of 30 days over the usual number", "ratio",
               same_for_all(2.5, 1.5, 4), support_surge),
    SignalSpec(K.SENTIMENT_DROP, ("ticket",), "change of tone in tickets (-1 to 1)", "points",
               same_for_all(-0.4, -0.15, -0.8), sentiment_drop),
    SignalSpec(K.POOR_SURVEY, ("survey",), "latest answer on the NPS scale (CSAT by thirds)", "points",
               same_for_all(6, 7, 3), poor_survey),
    SignalSpec(K.CHAMPION_LEFT, ("contact",), "a champion left and none is there", "people",
               same_for_all(1, 0, 1), champion_left),
    SignalSpec(K.EXECUTIVE_SILENCE, ("touchpoint",), "days since an executive sponsor was reached", "days",
               by_size((180, 30, 270), (120, 30, 240), (90, 30, 180)), executive_silence),
    SignalSpec(K.QBR_MISSED, ("meeting",), "business reviews missed in 180 days", "reviews",
               same_for_all(1, 0, 2), qbr_missed),
    SignalSpec(K.LIMIT_PROXIMITY, ("usage",), "use over the plan's nearest ceiling", "share",
               same_for_all(0.9, 0.8, 1.0), limit_proximity),
    SignalSpec(K.USAGE_SURGE, ("usage",), "last week over the usual one, above every usual week", "ratio",
               same_for_all(1.6, 1.2, 2.5), usage_surge),
    SignalSpec(K.BREADTH_GROWTH, ("usage",), "features in use beyond the month before", "features",
               same_for_all(3, 0, 6), breadth_growth),
    SignalSpec(K.CONTRACT_STAGNATION, ("subscription", "usage"), "days unchanged while use grows", "days",
               same_for_all(365, 30, 730), contract_stagnation),
    SignalSpec(K.INVOICE_PAST_DUE, ("invoice",), "days that the oldest invoice is past due", "days",
               by_size((1, 0, 15), (1, 0, 21), (5, 0, 30)), invoice_past_due),
)  # fmt: skip
"""Everything but no_contact, which the customer's own workflow opens when its deadline passes."""

RETURNS = frozenset(spec.kind for spec in CATALOGUE if spec.is_return)


@dataclass(frozen=True, slots=True)
class HeldSignal:
    """A signal that is open already."""

    id: uuid.UUID
    kind: SignalKind
    dedupe_key: str
    severity: Severity
    title: str
    evidence: Evidence
    is_baseline: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    """One signal to open, or to go on with."""

    kind: SignalKind
    key: str
    severity: Severity
    title: str
    evidence: Evidence
    is_baseline: bool


@dataclass(frozen=True, slots=True)
class SignalChanges:
    """What looking again changed; what did not change is not in it."""

    opened: tuple[Sighting, ...] = ()
    updated: tuple[tuple[HeldSignal, Sighting], ...] = ()
    resolved: tuple[tuple[HeldSignal, Ending], ...] = ()

    @property
    def returns(self) -> tuple[HeldSignal, ...]:
        """Signals that ended because people came back."""
        return tuple(
            held for held, ending in self.resolved if held.kind in RETURNS and ending is Ending.RECOVERED
        )


def look(
    features: CustomerFeatures, policy: ScoringPolicy, held: Sequence[HeldSignal], *, is_first: bool
) -> SignalChanges:
    """Run every detector whose sources can be trusted. On the first look, all that is found is baseline."""
    opened: list[Sighting] = []
    updated: list[tuple[HeldSignal, Sighting]] = []
    resolved: list[tuple[HeldSignal, Ending]] = []
    for spec in CATALOGUE:
        if not can_look(spec, features, policy):
            continue
        mine = {signal.dedupe_key: signal for signal in held if signal.kind is spec.kind}
        for reading in _readings(spec, features, policy, mine.values()):
            before = mine.pop(reading.key, None)
            if before is None and reading.level is Level.OPEN:
                opened.append(_sighting(spec, reading, features, is_first=is_first))
            elif before is not None and reading.level is Level.CLEAR:
                resolved.append((before, reading.ending))
            elif before is not None and (change := _change(spec, before, reading, features)):
                updated.append((before, change))
        resolved += [(signal, Ending.EXPIRED) for signal in mine.values()]
    return SignalChanges(tuple(opened), tuple(updated), tuple(resolved))


def can_look(spec: SignalSpec, features: CustomerFeatures, policy: ScoringPolicy) -> bool:
    """Tell whether the tenant wants this kind, and whether all that it rests on is told and fresh."""
    enabled = spec.kind not in policy.signals or policy.signals[spec.kind].enabled
    return enabled and all(features.fresh(kind).is_usable for kind in spec.needs)


def thresholds(spec: SignalSpec, features: CustomerFeatures, policy: ScoringPolicy) -> Thresholds:
    """Return the tenant's thresholds for the customer's segment, else the catalogue's."""
    tuned = policy.signals.get(spec.kind)
    own = tuned.thresholds.get(features.segment) if tuned else None
    return own or spec.defaults[features.segment.value]


def _readings(
    spec: SignalSpec, features: CustomerFeatures, policy: ScoringPolicy, held: Iterable[HeldSignal]
) -> list[Reading]:
    opened: Mapping[str, Evidence] = {signal.dedupe_key: signal.evidence for signal in held}
    return spec.detect(Sight(features, thresholds(spec, features, policy), opened))


def _sighting(spec: SignalSpec, reading: Reading, features: CustomerFeatures, *, is_first: bool) -> Sighting:
    baseline = is_first or rests_on_history(spec, reading, features)
    return Sighting(spec.kind, reading.key, reading.severity, reading.title, reading.evidence, baseline)


def rests_on_history(spec: SignalSpec, reading: Reading, features: CustomerFeatures) -> bool:
    """Tell whether the newest evidence is older than the connection of the source that tells it."""
    connected = [at for kind in spec.needs if (at := features.fresh(kind).connected_at)]
    if not connected or reading.rests_on is None:
        return False
    return start_of_day(reading.rests_on) < max(connected)


def _change(
    spec: SignalSpec, held: HeldSignal, reading: Reading, features: CustomerFeatures
) -> Sighting | None:
    """Return the new wording of an open signal, None where nothing has changed.

    A baseline signal that has become worse since the source was connected is news, and baseline no more.
    """
    worse = list(Severity).index(reading.severity) > list(Severity).index(held.severity)
    baseline = held.is_baseline and not (worse and not rests_on_history(spec, reading, features))
    seen = (reading.severity, reading.title, reading.evidence, baseline)
    if seen == (held.severity, held.title, held.evidence, held.is_baseline):
        return None
    return Sighting(spec.kind, reading.key, reading.severity, reading.title, reading.evidence, baseline)
