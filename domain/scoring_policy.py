"""The editable document behind every verdict: weights, thresholds, the prior. Policy key `scoring`."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.vocabulary import HealthComponent, HealthStatus, RiskTier, Segment, SignalKind

POLICY_KEY = "scoring"
TIER_FLOORS = {RiskTier.LOW: 0, RiskTier.MEDIUM: 25, RiskTier.HIGH: 50, RiskTier.CRITICAL: 75}
STATUS_FLOORS = {
    HealthStatus.THRIVING: 80,
    HealthStatus.ENGAGED: 65,
    HealthStatus.NEUTRAL: 50,
    HealthStatus.NEEDS_ATTENTION: 35,
    HealthStatus.AT_RISK: 0,
}


class Document(BaseModel):
    """A frozen part of the policy; an unknown word is an error, not a wish."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _weights(*values: float) -> dict[HealthComponent, float]:
    return dict(zip(HealthComponent, values, strict=True))


class Thresholds(Document):
    """Where a signal opens, where it closes again, and from where on it is severe."""

    open: float
    close: float
    severe: float


class SignalPolicy(Document):
    """What a tenant changed in the signal catalogue."""

    enabled: bool = True
    thresholds: dict[Segment, Thresholds] = Field(default_factory=dict)


class RiskPolicy(Document):
    """The prior of the scorecard and the patience of change detection."""

    base_rate: float = Field(0.05, gt=0, lt=1)
    """Share of customers that leave within the horizon, before anything is known of them."""
    horizon_days: int = Field(90, ge=1)
    points_per_doubling: float = Field(20.0, gt=0)
    """So many points double the odds."""
    quiet_points: float = 20.0
    """A customer of whom nothing stands out has so many points less than the average one."""
    up_margin: int = Field(2, ge=0)
    """A tier is entered at once this far above its floor, and nearer to it only after the dwell time."""
    dwell_days: int = Field(3, ge=0)
    """A lower tier is acted on when every score of so many days was in it."""
    even_evidence: float = Field(50.0, gt=0)
    """A trained model that learned from so many churners weighs as much as the scorecard.

    With 50 churners the standard error of an AUC of .75 is .04 (Hanley and McNeil): about what separates a
    usable model from a poor one, so neither of the two is to be trusted over the other.
    """
    shadow_nights: int = Field(7, ge=0)
    """A model that won its trial scores so many nights beside the champion before it is acted on."""


class HealthPolicy(Document):
    """Weights of the components per segment (they need not add up to 1), and floors of the status words."""

    weights: dict[Segment, dict[HealthComponent, float]] = Field(
        default_factory=lambda: {
            Segment.SMALL: _weights(0.34, 0.18, 0.14, 0.10, 0.06, 0.12, 0.06),
            Segment.MID_MARKET: _weights(0.28, 0.16, 0.16, 0.10, 0.12, 0.12, 0.06),
            Segment.ENTERPRISE: _weights(0.20, 0.14, 0.16, 0.10, 0.20, 0.10, 0.10),
        }
    )
    floors: dict[HealthStatus, int] = Field(default_factory=lambda: dict(STATUS_FLOORS))
    limited_below: float = Field(0.4, ge=0, le=1)
    """Share of weight with fresh data under which a verdict calls itself limited."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Refuse a table with holes: every customer gets a verdict."""
        if set(self.weights) != set(Segment) or set(self.floors) != set(HealthStatus):
            message = "weights need every segment, and floors every status"
            raise ValueError(message)
        if any(sum(weights.values()) <= 0 for weights in self.weights.values()):
            message = "each segment needs at least one component with weight"
            raise ValueError(message)
        return self


class FreshnessPolicy(Document):
    """When a source counts as silent: so that a dead connector is not taken for dead customers."""

    silent_after_days: float = Field(7.0, gt=0)
    rhythms: float = Field(3.0, gt=0)
    """Or after so many of its own rhythms, where it has one."""
    usage_gap_days: int = Field(4, ge=1)
    """Usage of nobody at all for so many days is a dead feed (where at least `usage_customers` used it)."""
    usage_customers: int = Field(5, ge=1)
    usage_share: float = Field(0.5, ge=0, le=1)
    """Share of a usual week's active customers that must be active now: fewer is the feed, not they."""
    usage_share_customers: int = Field(20, ge=1)
    """So many must be active in a usual week for the share to say something."""
    learned_least_days: float = Field(2.0, gt=0)
    """A source whose rhythm was learned from its own days is not called silent sooner than this."""
    settle_hours: float = Field(24.0, ge=0)
    """For so long after a silence its signals go on abstaining: what was missed is still coming in."""
    settle_days: int = Field(7, ge=0)
    """And for so long where what was missed never came."""
    mass_share: float = Field(0.2, gt=0, le=1)
    """More than this share of customers showing the same signal at once is held back, and told once."""
    mass_customers: int = Field(10, ge=1)
    """Unless they are no more than so many."""
    mass_hold_days: float = Field(3.0, gt=0)
    """What still holds after so many days is believed, and told."""


class WeightPolicy(Document):
    """How far outcomes may move the weights of health."""

    least_churned: int = Field(20, ge=1)
    """Customers of a segment that must have left before its weights are proposed anew."""
    prior_churned: float = Field(50.0, gt=0)
    """The present weights count as much as so many customers that left."""


class DisagreementPolicy(Document):
    """When people must reconcile health, risk and the CSM's forecast, and what holds if nobody does."""

    lasting_days: int = Field(7, ge=0)
    """A disagreement, and its end, count once they have lasted so long."""
    decision_days: int = Field(5, ge=1)
    forecast_days: int = Field(90, ge=1)
    """A forecast that is older says nothing any more."""
    settle: Literal["leaving", "risk", "health"] = "leaving"
    """After the deadline: the graver view holds, or that of the model, or that of the rules."""
    most_open: int = Field(50, ge=0)
    """Decisions that wait for people at a time; the largest revenue comes first."""


class DriftPolicy(Document):
    """From where on a change in what a model reads, or in how well it does, is told."""

    sample: int = Field(500, ge=50)
    """Customers that are looked at each night."""
    least_customers: int = Field(100, ge=1)
    """With fewer, shares say nothing."""
    psi_watch: float = Field(0.1, gt=0)
    """From here on a change of the probability is told,"""
    psi_alarm: float = Field(0.25, gt=0)
    """and from here on one of a column: the usual thresholds of the stability index (Siddiqi 2006)."""
    log_loss_margin: float = Field(0.02, ge=0)
    """By so much (in nats) the newest matured month may be worse than the model's card."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.psi_alarm < self.psi_watch:
            raise ValueError("the index of a column is below that of the probability")
        return self


class ScoringPolicy(Document):
    """Everything that a tenant may set about scores, health, signals and freshness."""

    risk: RiskPolicy = Field(default_factory=RiskPolicy)
    health: HealthPolicy = Field(default_factory=HealthPolicy)
    freshness: FreshnessPolicy = Field(default_factory=FreshnessPolicy)
    signals: dict[SignalKind, SignalPolicy] = Field(default_factory=dict)
    weights: WeightPolicy = Field(default_factory=WeightPolicy)
    disagreement: DisagreementPolicy = Field(default_factory=DisagreementPolicy)
    drift: DriftPolicy = Field(default_factory=DriftPolicy)
