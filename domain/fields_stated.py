"""Fields that a customer's own record states, and those of a playbook's run."""

from collections.abc import Mapping

from domain.field_shape import AsOf, Field, Place, words_of
from domain.vocabulary import (
    CustomerStatus,
    HealthStatus,
    RiskTier,
    Segment,
    TaskOutcome,
    TouchTier,
)

_SCORED = AsOf.SCORING
_TIERS = words_of(RiskTier)
_HEALTH = words_of(HealthStatus)
_MONEY = "money in whole units"

STATED: Mapping[str, Field] = {
    "tier": Field(str, "churn risk tier that was last acted on: low, medium, high, critical",
                  words=_TIERS, as_of=_SCORED, has_history=True),
    "tier_rank": Field(int, "the same as a number from 0 (low) to 3 (critical)",
                       as_of=_SCORED, has_history=True),
    "health_score": Field(int, "0 to 100, high is good", "points", as_of=_SCORED, in_signals=True),
    "health_status": Field(str, "thriving, engaged, neutral, needs_attention or at_risk, by the rules",
                           words=_HEALTH, as_of=_SCORED, has_history=True, in_signals=True),
    "health_status_shown": Field(str, "what pages show: a person's override while it holds, else the rules'",
                                 words=_HEALTH),
    "churn_risk_score": Field(int, "0 to 100, high is bad", "points", as_of=_SCORED, in_signals=True),
    "churn_risk_tier": Field(str, "low, medium, high or critical, before any patience",
                             words=_TIERS, as_of=_SCORED, has_history=True, in_signals=True),
    "churn_probability": Field(float, "probability of leaving within the horizon, 0 to 1", "share",
                               as_of=_SCORED),
    "status": Field(str, "trial, active or churned", words=words_of(CustomerStatus), has_history=True),
    "touch_tier": Field(str, "strategic, managed or tech_touch", words=words_of(TouchTier),
                        has_history=True, read=lambda f: f.touch_tier.value, in_signals=True),
    "segment": Field(str, "small, mid_market or enterprise", words=words_of(Segment), has_history=True,
                     read=lambda f: f.segment.value, in_signals=True),
    "plan": Field(str, "name of the plan", read=lambda f: f.plan, in_signals=True),
    "arr": Field(float, "annual recurring revenue in whole units of the customer's currency", _MONEY),
    "currency": Field(str, "of the contract, in three letters such as USD"),
    "country": Field(str, "as the source writes it"),
    "industry": Field(str, "as the source writes it"),
    "employees": Field(int, "people who work there", "people"),
    "tenure_days": Field(int, "days since the customer started", "days",
                         read=lambda f: f.tenure_days, in_signals=True),
    "days_to_renewal": Field(int, "days until the renewal date, empty without one", "days",
                             read=lambda f: f.commercial.renewal_days, in_signals=True),
    "days_to_notice": Field(int, "days until the last day to give notice, empty without a renewal", "days"),
    "days_since_churn": Field(int, "days since the customer left, empty while it is here", "days"),
    "has_owner": Field(bool, "a CSM is assigned"),
    "do_not_contact": Field(bool, "somebody said not to write to anybody there"),
}  # fmt: skip
"""What the customer's record says, and its verdicts as of the last scoring."""

RUN_FIELDS: Mapping[str, Field] = {
    "causes_open": Field(bool, "what opened this run still holds", scope=Place.RUN),
    "replied": Field(bool, "somebody at the customer has answered since the run started", scope=Place.RUN),
    "last_task_outcome": Field(str, "how the last task of this run ended",
                               words=words_of(TaskOutcome), scope=Place.RUN),
}  # fmt: skip
"""What only a run knows of itself. One line here makes another one; who runs it gives its value."""
