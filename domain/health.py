"""The CSM's health score: seven components by plain rules, weighted per segment; high is good."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.component_scores import (
    adoption_score,
    commercial_score,
    outcomes_score,
    relationship_score,
    sentiment_score,
    support_score,
    usage_score,
)
from domain.features import CustomerFeatures
from domain.scoring_policy import HealthPolicy
from domain.vocabulary import HealthComponent, HealthStatus

NEUTRAL_SCORE = 50
"""What is said of a customer of whom nothing is known; always marked as limited."""
TREND_STEP = 5
"""Points within which a component counts as unchanged."""


class ComponentStatus(StrEnum):
    """A component in a word; unknown where its source is absent or silent."""

    STRONG = "strong"
    GOOD = "good"
    FAIR = "fair"
    WEAK = "weak"
    POOR = "poor"
    UNKNOWN = "unknown"


COMPONENT_FLOORS = (
    (80, ComponentStatus.STRONG),
    (65, ComponentStatus.GOOD),
    (50, ComponentStatus.FAIR),
    (35, ComponentStatus.WEAK),
    (0, ComponentStatus.POOR),
)

SCORES: Mapping[HealthComponent, tuple[tuple[str, ...], Callable[[CustomerFeatures], float | None]]] = {
    HealthComponent.USAGE: (("usage",), usage_score),
    HealthComponent.ADOPTION: (("usage",), adoption_score),
    HealthComponent.SUPPORT: (("ticket",), support_score),
    HealthComponent.SENTIMENT: (("survey", "ticket"), sentiment_score),
    HealthComponent.RELATIONSHIP: (("touchpoint", "contact", "meeting"), relationship_score),
    HealthComponent.COMMERCIAL: (("subscription", "invoice"), commercial_score),
    HealthComponent.OUTCOMES: (("goal", "usage"), outcomes_score),
}
"""Per component: the kinds of fact that feed it (any usable one will do), and its rule."""


@dataclass(frozen=True, slots=True)
class Component:
    """One component with what must stand beside its number."""

    score: int | None
    status: ComponentStatus
    trend: int | None
    """Points against 30 days before; None where there was no score then."""
    limited: bool
    weight: float
    """Share of the health score that it carries today, after absent ones gave theirs away."""

    def document(self) -> dict[str, Any]:
        """Return it as stored with scores and assessments."""
        return {
            "score": self.score,
            "status": self.status.value,
            "trend": self.trend,
            "limited": self.limited,
            "weight": round(self.weight, 4),
        }


@dataclass(frozen=True, slots=True)
class HealthVerdict:
    """The score, its status word and its parts."""

    score: int
    status: HealthStatus
    components: Mapping[HealthComponent, Component]
    limited: bool
    """So little of the weight has fresh data that the status is a guess and says so."""


def component_status(score: float | None) -> ComponentStatus:
    """Return the word for a component's score."""
    if score is None:
        return ComponentStatus.UNKNOWN
    return next(status for floor, status in COMPONENT_FLOORS if score >= floor)


def health_status(score: float, policy: HealthPolicy) -> HealthStatus:
    """Return the word for a health score: the best status whose floor it reaches."""
    ordered = sorted(policy.floors.items(), key=lambda item: -item[1])
    return next((status for status, floor in ordered if score >= floor), HealthStatus.AT_RISK)


def assess_health(
    features: CustomerFeatures, policy: HealthPolicy, before: Mapping[str, int] | None = None
) -> HealthVerdict:
    """Score every component that has fresh data. `before`: component scores of 30 days ago, by name."""
    scores = {component: _score(component, features) for component in HealthComponent}
    weights = policy.weights[features.segment]
    shares = shares_of(scores, weights)
    components = {
        component: _component(component, score, shares.get(component, 0.0), before or {})
        for component, score in scores.items()
    }
    score = overall({component: part.score for component, part in components.items()}, weights)
    known = sum(weights.get(component, 0.0) for component, score in scores.items() if score is not None)
    limited = known < policy.limited_below * sum(weights.values())
    return HealthVerdict(score, health_status(score, policy), components, limited)


def shares_of(
    scores: Mapping[HealthComponent, float | None], weights: Mapping[HealthComponent, float]
) -> dict[HealthComponent, float]:
    """Return the share of each component that is known; an absent one gives its weight to the others."""
    known = {
        component: weights.get(component, 0.0) for component, score in scores.items() if score is not None
    }
    whole = sum(known.values())
    return {component: weight / whole for component, weight in known.items()} if whole else {}


def overall(scores: Mapping[HealthComponent, int | None], weights: Mapping[HealthComponent, float]) -> int:
    """Return the health score that component scores come to, as stored; neutral where nothing counts."""
    shares = shares_of(scores, weights)
    return (
        round(sum(share * (scores[component] or 0) for component, share in shares.items()))
        if shares
        else NEUTRAL_SCORE
    )


def _score(component: HealthComponent, features: CustomerFeatures) -> float | None:
    kinds, rule = SCORES[component]
    return rule(features) if any(features.fresh(kind).is_usable for kind in kinds) else None


def _component(
    component: HealthComponent, score: float | None, weight: float, before: Mapping[str, int]
) -> Component:
    if score is None:
        return Component(None, ComponentStatus.UNKNOWN, None, limited=True, weight=0.0)
    rounded, earlier = round(score), before.get(component.value)
    trend = rounded - earlier if earlier is not None else None
    return Component(rounded, component_status(rounded), trend, limited=False, weight=weight)


def trend_word(trend: int | None) -> str:
    """Return up, down, level, or new where there is nothing to compare with."""
    if trend is None:
        return "new"
    if abs(trend) < TREND_STEP:
        return "level"
    return "up" if trend > 0 else "down"
