"""What a detector is given and what it returns."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.features import CustomerFeatures
from domain.scoring_policy import Thresholds
from domain.vocabulary import HealthStatus, RiskTier, Severity, SignalKind

Evidence = Mapping[str, Any]
"""Numbers, dates and names of features: what a person needs to check the claim."""


class Level(StrEnum):
    """Beyond the open threshold, between the two, or back beyond the close threshold."""

    OPEN = "open"
    HOLD = "hold"
    CLEAR = "clear"
    KEEP = "keep"
    """Nothing can be said today: what is open stays as it is."""


class Ending(StrEnum):
    """Why a signal ended."""

    RECOVERED = "recovered"
    NEW_NORMAL = "new_normal"
    """Nothing came back; the old level is simply too long ago to be called usual."""
    EXPIRED = "expired"
    """What it rested on is too old, or does not apply any more."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a detector sees today. `rests_on` is the day on which its newest piece of evidence arose."""

    key: str
    level: Level
    severity: Severity
    title: str
    evidence: Evidence
    rests_on: dt.date | None
    ending: Ending = Ending.RECOVERED
    is_baseline: bool = False
    """It is made of nothing but old evidence."""


@dataclass(frozen=True, slots=True)
class Member:
    """An open signal, as one that is made of several sees it."""

    kind: SignalKind
    title: str
    is_baseline: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """What health and risk say of the customer today, and what its health usually was."""

    score: int
    status: HealthStatus
    is_limited: bool = False
    usual_score: int | None = None
    """Of the last month; None where it was not scored for long enough."""
    usual_status: HealthStatus | None = None
    risk_score: int | None = None
    risk_tier: RiskTier | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What a detector looks at: the customer, its thresholds, and the evidence of what is open already."""

    features: CustomerFeatures
    limits: Thresholds
    opened: Mapping[str, Evidence] = field(default_factory=dict)
    whole: Whole | None = None
    members: tuple[Member, ...] = ()
    """Signals that are open after all other detectors have looked."""

    @property
    def today(self) -> dt.date:
        """The business day."""
        return self.features.as_of.date()

    def days_ago(self, days: float) -> dt.date:
        """Return the day so many days before today."""
        return self.today - dt.timedelta(days=round(days))


Detector = Callable[[Sight], list[Reading]]


@dataclass(frozen=True)
class SignalSpec:
    """One line of the catalogue."""

    kind: SignalKind
    needs: tuple[str, ...]
    """Kinds of fact that must all be told and fresh; otherwise the detector abstains."""
    measures: str
    unit: str
    defaults: Mapping[str, Thresholds]
    """Per segment."""
    detect: Detector
    is_return: bool = False
    """Its recovery means that people came back to the product."""
    fresh_days: int = 1
    """After a gap that was never filled, it abstains until so many days were told again."""
    key: str | None = None
    """Of a signal that the tenant declared: its dedupe key."""

    def owns(self, kind: SignalKind, dedupe_key: str) -> bool:
        """Tell whether an open signal is this one's."""
        return kind is self.kind and (self.key is None or self.key == dedupe_key)


def rising(value: float, limits: Thresholds) -> Level:
    """Judge a value of which more is worse."""
    if value >= limits.open:
        return Level.OPEN
    return Level.HOLD if value > limits.close else Level.CLEAR


def falling(value: float, limits: Thresholds) -> Level:
    """Judge a value of which less is worse."""
    if value <= limits.open:
        return Level.OPEN
    return Level.HOLD if value < limits.close else Level.CLEAR


def severity(*, is_severe: bool, usual: Severity = Severity.MEDIUM) -> Severity:
    """Return the usual severity, or high."""
    return Severity.HIGH if is_severe else usual


def same_for_all(opens: float, close: float, severe: float) -> dict[str, Thresholds]:
    """Return thresholds that do not depend on size."""
    limits = Thresholds(open=opens, close=close, severe=severe)
    return {"small": limits, "mid_market": limits, "enterprise": limits}


def by_size(
    small: tuple[float, float, float],
    mid_market: tuple[float, float, float],
    enterprise: tuple[float, float, float],
) -> dict[str, Thresholds]:
    """Return thresholds (open, close, severe) per segment."""
    found = {"small": small, "mid_market": mid_market, "enterprise": enterprise}
    return {name: Thresholds(open=o, close=c, severe=s) for name, (o, c, s) in found.items()}
