"""The CSM's eye: what opens, goes on and ends when one looks at a customer again."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.features import CustomerFeatures, KindFreshness
from domain.scoring_policy import ScoringPolicy, Thresholds
from domain.signal_catalogue import CATALOGUE, RETURNS
from domain.signal_own import OwnSignal, spec_of
from domain.signal_readings import Ending, Evidence, Level, Member, Reading, Sight, SignalSpec, Whole
from domain.time import start_of_day
from domain.vocabulary import Severity, SignalKind, rank


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
    is_held_back: bool = False
    """One of many that opened at once: it is no news, however bad it gets, until a person says so."""


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


@dataclass(frozen=True)
class Outlook:
    """How the tenant wants to look, and what is known of the customer beside its facts."""

    policy: ScoringPolicy
    own: Sequence[OwnSignal] = ()
    whole: Whole | None = None
    is_first: bool = False
    """On the first look, all that is found is baseline."""


def look(features: CustomerFeatures, outlook: Outlook, held: Sequence[HeldSignal]) -> SignalChanges:
    """Run every detector whose sources can be trusted."""
    eye = _Eye(features, outlook, held, _by_kind(held), told_of(features), features.as_of.date())
    own = [one for one in outlook.own if one.enabled]
    for spec in (*CATALOGUE, *map(spec_of, own)):
        eye.look_for(spec)
    keys = {one.dedupe_key for one in own}
    eye.end(one for one in held if one.kind is SignalKind.OWN and one.dedupe_key not in keys)
    return SignalChanges(tuple(eye.opened), tuple(eye.updated), tuple(eye.resolved))


def _by_kind(held: Sequence[HeldSignal]) -> dict[SignalKind, list[HeldSignal]]:
    found: dict[SignalKind, list[HeldSignal]] = {}
    for one in held:
        found.setdefault(one.kind, []).append(one)
    return found


@dataclass
class _Eye:
    """One look at one customer, and what was found so far."""

    features: CustomerFeatures
    outlook: Outlook
    held: Sequence[HeldSignal]
    by_kind: Mapping[SignalKind, Sequence[HeldSignal]]
    told: Mapping[str, KindFreshness]
    """What is told today."""
    today: dt.date
    opened: list[Sighting] = field(default_factory=list)
    updated: list[tuple[HeldSignal, Sighting]] = field(default_factory=list)
    resolved: list[tuple[HeldSignal, Ending]] = field(default_factory=list)

    def look_for(self, spec: SignalSpec) -> None:
        """Run one detector; what the tenant switched off ends, what cannot be seen today stays."""
        open_now = self.by_kind.get(spec.kind, ())
        mine = {one.dedupe_key: one for one in open_now if spec.owns(one.kind, one.dedupe_key)}
        if not is_wanted(spec, self.outlook.policy):
            self.end(mine.values())
            return
        if not can_look(spec, self.told, self.today):
            return
        for reading in self._readings(spec, mine.values()):
            self._take(spec, reading, mine.pop(reading.key, None))
        self.end(mine.values())

    def end(self, signals: Iterable[HeldSignal]) -> None:
        """End signals that do not apply any more."""
        self.resolved += [(signal, Ending.EXPIRED) for signal in signals]

    def _take(self, spec: SignalSpec, reading: Reading, before: HeldSignal | None) -> None:
        if reading.level is Level.KEEP:
            return
        if before is None:
            if reading.level is Level.OPEN:
                self.opened.append(self._sighting(spec, reading))
        elif reading.level is Level.CLEAR:
            self.resolved.append((before, reading.ending))
        elif change := _change(spec, before, reading, self.features):
            self.updated.append((before, change))

    def _readings(self, spec: SignalSpec, mine: Iterable[HeldSignal]) -> list[Reading]:
        opened: Mapping[str, Evidence] = {signal.dedupe_key: signal.evidence for signal in mine}
        limits = thresholds(spec, self.features, self.outlook.policy)
        members = self._members() if spec.kind is SignalKind.COMPOUND_RISK else ()
        return spec.detect(Sight(self.features, limits, opened, self.outlook.whole, members))

    def _members(self) -> tuple[Member, ...]:
        """Return what is open after all that was looked at so far."""
        ended = {signal.id for signal, _ending in self.resolved}
        going_on = [one for one in self.held if one.id not in ended]
        found: list[HeldSignal | Sighting] = [*going_on, *self.opened]
        return tuple(Member(one.kind, one.title, one.is_baseline) for one in found)

    def _sighting(self, spec: SignalSpec, reading: Reading) -> Sighting:
        old = self.outlook.is_first or reading.is_baseline
        baseline = old or rests_on_history(spec, reading, self.features)
        return Sighting(spec.kind, reading.key, reading.severity, reading.title, reading.evidence, baseline)


def is_wanted(spec: SignalSpec, policy: ScoringPolicy) -> bool:
    """Tell whether the tenant wants this kind."""
    return spec.kind not in policy.signals or policy.signals[spec.kind].enabled


def told_of(features: CustomerFeatures) -> dict[str, KindFreshness]:
    """Return the kinds of fact that can be relied on today."""
    return {kind: one for kind, one in features.freshness.items() if one.is_usable}


def can_look(spec: SignalSpec, told: Mapping[str, KindFreshness], today: dt.date) -> bool:
    """Tell whether all that a detector rests on is told and fresh; otherwise it abstains."""
    for kind in spec.needs:
        one = told.get(kind)
        if one is None or not one.is_fresh_for(spec.fresh_days, today):
            return False
    return True


def thresholds(spec: SignalSpec, features: CustomerFeatures, policy: ScoringPolicy) -> Thresholds:
    """Return the tenant's thresholds for the customer's segment, else the catalogue's."""
    tuned = policy.signals.get(spec.kind)
    own = tuned.thresholds.get(features.segment) if tuned else None
    return own or spec.defaults[features.segment]


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
    worse = rank(reading.severity) > rank(held.severity)
    is_news = worse and not (reading.is_baseline or rests_on_history(spec, reading, features))
    baseline = held.is_baseline and (held.is_held_back or not is_news)
    seen = (reading.severity, reading.title, reading.evidence, baseline)
    if seen == (held.severity, held.title, held.evidence, held.is_baseline):
        return None
    return Sighting(spec.kind, reading.key, reading.severity, reading.title, reading.evidence, baseline)
