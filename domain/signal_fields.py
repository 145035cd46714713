"""What a signal of the tenant's own may speak of: name, type, meaning, and the facts that it rests on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.conditions import Value
from domain.features import CustomerFeatures
from domain.risk_factors import month_ratio, revenue_change, seat_share, week_ratio
from domain.signal_readings import Whole

Read = Callable[[CustomerFeatures], Value]
MINOR_UNITS = 100


@dataclass(frozen=True)
class SignalField:
    """One field. Where a kind that it `needs` is not told or silent, the signal abstains."""

    type: type
    meaning: str
    needs: str | None
    read: Read


def _fresh_days(kind: str) -> Read:
    def read(f: CustomerFeatures) -> Value:
        last = f.fresh(kind).last_on
        return None if last is None else (f.as_of.date() - last).days

    return read


F = SignalField
FROM_FEATURES: Mapping[str, SignalField] = {
    "segment": F(str, "small, mid_market or enterprise", None, lambda f: f.segment.value),
    "touch_tier": F(str, "strategic, managed or tech_touch", None, lambda f: f.touch_tier.value),
    "plan": F(str, "name of the plan", None, lambda f: f.plan),
    "tenure_days": F(int, "days since the customer started", None, lambda f: f.tenure_days),
    "is_onboarded": F(bool, "onboarding is done", "onboarding", lambda f: f.is_onboarded),
    "usage_week": F(float, "uses in the last seven complete days", "usage", lambda f: f.usage.week),
    "usage_baseline": F(float, "uses in a usual week (median of eight)", "usage", lambda f: f.usage.baseline),
    "usage_ratio": F(float, "last week over the usual one: 0.5 is half", "usage", week_ratio),
    "usage_month_ratio": F(float, "four weeks over the eight before them", "usage", month_ratio),
    "active_days_7": F(int, "days with use in the last seven", "usage", lambda f: f.usage.active_days_7),
    "days_since_use": F(int, "days since anybody used it", "usage", lambda f: f.usage.days_since_last),
    "features_28": F(int, "features used in 28 days", "usage", lambda f: f.usage.features_28),
    "limit_share": F(float, "use over the plan's nearest ceiling", "usage", lambda f: f.usage.limit_share),
    "seat_share": F(float, "seats in use over seats paid for", "subscription", seat_share),
    "tickets_open": F(int, "open tickets", "ticket", lambda f: f.support.open),
    "tickets_overdue": F(int, "open tickets past a deadline", "ticket", lambda f: f.support.overdue),
    "tickets_30": F(int, "tickets opened in 30 days", "ticket", lambda f: f.support.opened_30),
    "tickets_escalated": F(int, "tickets escalated lately", "ticket", lambda f: f.support.escalated),
    "targets_missed_30": F(int, "service targets missed in 30 days", "ticket",
                           lambda f: f.support.breached_30),
    "ticket_tone": F(float, "mean tone of tickets of 30 days, -1 to 1", "ticket",
                     lambda f: f.sentiment.tickets),
    "nps": F(float, "latest NPS answer, 0 to 10", "survey", lambda f: f.sentiment.nps),
    "csat": F(float, "latest CSAT answer, 1 to 5", "survey", lambda f: f.sentiment.csat),
    "days_since_touch": F(int, "days since the last contact either way", "touchpoint",
                          lambda f: f.relationship.touch_days),
    "days_since_inbound": F(int, "days since they wrote or spoke to us", "touchpoint",
                            lambda f: f.relationship.touch_in_days),
    "days_since_executive": F(int, "days since an executive was reached", "touchpoint",
                              lambda f: f.relationship.executive_days),
    "champions": F(int, "champions who are there", "contact", lambda f: f.relationship.champions),
    "contacts": F(int, "people who are there", "contact", lambda f: f.relationship.contacts),
    "meetings_90": F(int, "meetings held in 90 days", "meeting", lambda f: f.relationship.meetings_90),
    "mrr": F(float, "monthly recurring revenue in whole units", "subscription",
             lambda f: f.commercial.mrr_minor / MINOR_UNITS),
    "revenue_change": F(float, "change of recurring revenue in 90 days: -0.1 is a tenth less",
                        "subscription", revenue_change),
    "seats": F(int, "seats paid for", "subscription", lambda f: f.commercial.seats),
    "days_to_renewal": F(int, "days until the renewal date", None, lambda f: f.commercial.renewal_days),
    "past_due_days": F(int, "days that the oldest invoice is past due", "invoice",
                       lambda f: f.commercial.past_due_days),
    "failed_payments": F(int, "failed attempts on what is owed", "invoice",
                         lambda f: f.commercial.failed_attempts),
    "goals_overdue": F(int, "goals past their date", "goal", lambda f: f.outcomes.overdue),
    "goal_progress": F(float, "mean progress of goals, 0 to 1", "goal", lambda f: f.outcomes.progress),
    "days_since_ticket": F(int, "days since the newest ticket", "ticket", _fresh_days("ticket")),
    "days_since_survey": F(int, "days since the newest survey answer", "survey", _fresh_days("survey")),
}  # fmt: skip
FROM_VERDICT: Mapping[str, tuple[type, str]] = {
    "health_score": (int, "0 to 100, high is good"),
    "health_status": (str, "thriving, engaged, neutral, needs_attention or at_risk"),
    "churn_risk_score": (int, "0 to 100, high is bad"),
    "churn_risk_tier": (str, "low, medium, high or critical"),
}
SIGNAL_FIELDS: Mapping[str, tuple[type, str]] = {
    name: (field.type, field.meaning) for name, field in FROM_FEATURES.items()
} | dict(FROM_VERDICT)
"""The registry in the shape that `domain.conditions` checks against."""


def values_of(features: CustomerFeatures, whole: Whole | None) -> dict[str, Value]:
    """Return what every field is for one customer."""
    values = {name: field.read(features) for name, field in FROM_FEATURES.items()}
    if whole is not None:
        values["health_score"], values["health_status"] = whole.score, whole.status.value
        values["churn_risk_score"] = whole.risk_score
        values["churn_risk_tier"] = whole.risk_tier.value if whole.risk_tier else None
    return values


def needs_of(fields: frozenset[str]) -> tuple[str, ...]:
    """Return the kinds of fact that these fields rest on."""
    found = {need for name in fields if name in FROM_FEATURES and (need := FROM_FEATURES[name].needs)}
    return tuple(sorted(found))
