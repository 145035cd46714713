"""The retention specialist: how likely a customer is to leave, how that is scored, and why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from domain.features import CustomerFeatures
from domain.outlook import NO_MODEL, Outlook
from domain.points_table import FACTORS, FAMILY_CAPS
from domain.risk_factors import Factor
from domain.scoring_policy import TIER_FLOORS, RiskPolicy
from domain.vocabulary import HealthComponent, RiskTier

ANCHORS = ((-3.0, 0.0), (0.0, 25.0), (1.0, 50.0), (2.0, 75.0), (4.0, 100.0))
"""Doublings of the odds against the base rate, and the score there: 1/8, 1, 2, 4 and 16 times the odds."""

SCORECARD_VERSION = "scorecard-2"


@dataclass(frozen=True, slots=True)
class Driver:
    """One reason, in words and in numbers. Points are what it adds to the scorecard (negative protects).

    `sentence` is a clause without capital and full stop, so that others can be built from it.
    """

    key: str
    family: HealthComponent
    sentence: str
    points: float
    now: float | None
    baseline: float | None

    def scaled(self, by: float) -> "Driver":
        """Return it with so many times its points."""
        return Driver(self.key, self.family, self.sentence, self.points * by, self.now, self.baseline)

    def document(self) -> dict[str, Any]:
        """Return it as stored with the score."""
        return {
            "key": self.key,
            "family": self.family.value,
            "sentence": self.sentence,
            "points": self.points,
            "now": self.now,
            "baseline": self.baseline,
        }


@dataclass(frozen=True, slots=True)
class RiskVerdict:
    """A score with everything that must stand beside it."""

    churn_probability: float
    churn_risk_score: int
    churn_risk_tier: RiskTier
    points: float
    drivers: tuple[Driver, ...]
    """Worst first; what protects comes last."""
    horizon_days: int
    model_version: str
    outlook: Outlook = NO_MODEL


class RiskModel(Protocol):
    """What turns features into a verdict: the scorecard now, a trained model later."""

    @property
    def version(self) -> str:
        """Return the name under which scores are filed."""
        ...

    def assess_all(self, features: Sequence[CustomerFeatures]) -> list[RiskVerdict]:
        """Return the verdicts, each the same to the bit in whatever company it is asked for; pure."""
        ...


def log_odds(probability: float) -> float:
    """Return the natural logarithm of the odds."""
    return math.log(probability / (1 - probability))


def score_of_doublings(doublings: float) -> float:
    """Return the score (0 to 100) of an odds ratio to the base rate, given in doublings: fixed, monotone."""
    if doublings <= ANCHORS[0][0]:
        return ANCHORS[0][1]
    for (left, low), (right, high) in pairwise(ANCHORS):
        if doublings <= right:
            return low + (high - low) * (doublings - left) / (right - left)
    return ANCHORS[-1][1]


def risk_score(probability: float, base_rate: float) -> int:
    """Return the integer score of a probability in a population with this base rate."""
    doublings = (log_odds(probability) - log_odds(base_rate)) / math.log(2)
    return math.floor(score_of_doublings(doublings) + 1e-9)


def tier_of(score: int) -> RiskTier:
    """Return the tier of a raw score."""
    return max((tier for tier, floor in TIER_FLOORS.items() if score >= floor), key=lambda tier: tier.rank)


class Scorecard:
    """Points that anyone can add up, turned into odds: so many points double them."""

    def __init__(self, policy: RiskPolicy) -> None:
        """Take the prior and the scale from policy; the points are published in docs/scoring.md."""
        self._policy = policy
        self.version = SCORECARD_VERSION

    def assess(self, features: CustomerFeatures) -> RiskVerdict:
        """Add up the points of every factor whose source can be trusted today."""
        drivers = drivers_of(features)
        points = sum(driver.points for driver in drivers)
        probability = self.probability(points)
        score = risk_score(probability, self._policy.base_rate)
        return RiskVerdict(
            probability, score, tier_of(score), points, drivers, self._policy.horizon_days, self.version
        )

    def assess_all(self, features: Sequence[CustomerFeatures]) -> list[RiskVerdict]:
        """Return the verdict of each."""
        return [self.assess(one) for one in features]

    def probability(self, points: float) -> float:
        """Return the probability of leaving within the horizon at so many points."""
        policy = self._policy
        doublings = (points - policy.quiet_points) / policy.points_per_doubling
        odds = math.exp(log_odds(policy.base_rate) + math.log(2) * doublings)
        return odds / (1 + odds)


def drivers_of(features: CustomerFeatures) -> tuple[Driver, ...]:
    """Return every factor that adds or takes points, each family held to its cap."""
    found = [driver for factor in FACTORS if (driver := _driver(factor, features))]
    scales = {family: _scale(family, found) for family in {driver.family for driver in found}}
    scaled = [_scaled(driver, scales[driver.family]) for driver in found]
    return tuple(sorted(scaled, key=lambda driver: (-driver.points, driver.key)))


def _driver(factor: Factor, features: CustomerFeatures) -> Driver | None:
    value = factor.read(features) if features.fresh(factor.needs).is_usable else None
    points = factor.points(value) if value is not None else 0.0
    if not points:
        return None
    now = factor.now(features) if factor.now else value
    return Driver(factor.key, factor.family, factor.say(features), points, now, factor.baseline(features))


def _scale(family: HealthComponent, drivers: list[Driver]) -> float:
    bad = sum(driver.points for driver in drivers if driver.family is family and driver.points > 0)
    return min(1.0, FAMILY_CAPS[family] / bad) if bad else 1.0


def _scaled(driver: Driver, scale: float) -> Driver:
    if driver.points < 0 or scale == 1.0:
        return driver
    return driver.scaled(scale)
