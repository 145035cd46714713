"""The scorecard's lines, one per factor; docs/scoring.md is printed from here."""

from domain.features import CustomerFeatures
from domain.risk_factors import (
    FOREVER,
    Factor,
    breadth_ratio,
    long_ratio,
    month_ratio,
    revenue_change,
    say_breadth,
    say_dropped,
    say_long,
    say_month,
    say_overdue,
    say_past_due,
    say_revenue,
    say_silence,
    say_surge,
    say_usage_drop,
    seat_share,
    sentiment_change,
    silence,
    stalled_days,
    surge_ratio,
    week_ratio,
)
from domain.vocabulary import HealthComponent, TouchTier
from domain.wording import count, number, percent

FAMILY_CAPS: dict[HealthComponent, float] = {
    HealthComponent.USAGE: 48,
    HealthComponent.ADOPTION: 28,
    HealthComponent.SUPPORT: 40,
    HealthComponent.SENTIMENT: 22,
    HealthComponent.RELATIONSHIP: 36,
    HealthComponent.COMMERCIAL: 44,
    HealthComponent.OUTCOMES: 12,
}
"""Most that one family can add: facts that go together are not counted twice over."""

_USAGE = (
    Factor(
        "usage_week", HealthComponent.USAGE, "usage", "last week over the median of the eight weeks before",
        "low", ((0.25, 34), (0.5, 24), (0.7, 14), (0.85, 5), (1.15, 0), (1.5, -4), (FOREVER, -8)),
        week_ratio, say_usage_drop, lambda f: f.usage.baseline, lambda f: f.usage.week,
    ),
    Factor(
        "usage_months", HealthComponent.USAGE, "usage", "last four weeks over the eight weeks before",
        "low", ((0.4, 22), (0.6, 16), (0.75, 10), (0.9, 4), (1.1, 0), (FOREVER, -3)),
        month_ratio, say_month, lambda f: f.usage.month_before, lambda f: f.usage.month,
    ),
    Factor(
        "usage_long_ago", HealthComponent.USAGE, "usage", "last four weeks over four of half a year ago",
        "low", ((0.3, 42), (0.5, 40), (0.65, 28), (0.8, 16), (0.9, 6), (1.15, 0), (1.5, -4), (FOREVER, -6)),
        long_ratio, say_long, lambda f: f.usage.long_ago, lambda f: f.usage.month,
    ),
    Factor(
        "login_silence", HealthComponent.USAGE, "usage", "days without use, beyond three usual gaps",
        "high", ((30, 38), (21, 30), (14, 22), (7, 10)),
        silence, say_silence, lambda f: f.usage.usual_gap_days,
    ),
)  # fmt: skip

_ADOPTION = (
    Factor(
        "breadth", HealthComponent.ADOPTION, "usage", "features used in 28 days over the 28 before",
        "low", ((0.5, 12), (0.7, 7), (1.2, 0), (FOREVER, -3)),
        breadth_ratio, say_breadth, lambda f: f.usage.features_before, lambda f: f.usage.features_28,
    ),
    Factor(
        "feature_drop_off", HealthComponent.ADOPTION, "usage", "mainstay features untouched for a fortnight",
        "high", ((2, 12), (1, 8)),
        lambda f: len(f.usage.dropped), say_dropped,
    ),
    Factor(
        "onboarding_stall", HealthComponent.ADOPTION, "onboarding", "days since the start, not onboarded",
        "high", ((60, 16), (30, 10)),
        stalled_days, lambda f: f"not onboarded {count(f.tenure_days, 'day')} after the start",
    ),
    Factor(
        "seat_use", HealthComponent.ADOPTION, "usage", "people seen in 28 days over seats paid for",
        "low", ((0.15, 12), (0.3, 7), (0.7, 0), (FOREVER, -3)),
        seat_share,
        lambda f: f"{number(f.usage.users_peak_28 or 0)} of {count(f.commercial.seats or 0, 'seat')} in use",
        lambda f: f.commercial.seats, lambda f: f.usage.users_peak_28,
    ),
)  # fmt: skip

_SUPPORT = (
    Factor(
        "ticket_overdue", HealthComponent.SUPPORT, "ticket", "open tickets past a service deadline",
        "high", ((3, 20), (2, 15), (1, 8)),
        lambda f: f.support.overdue, say_overdue,
    ),
    Factor(
        "support_surge", HealthComponent.SUPPORT, "ticket", "tickets of 30 days over the usual number",
        "high", ((4, 18), (2.5, 11)),
        surge_ratio, say_surge, lambda f: f.support.opened_usual, lambda f: f.support.opened_30,
    ),
    Factor(
        "escalation", HealthComponent.SUPPORT, "ticket", "escalated tickets, open or of the last 30 days",
        "high", ((2, 14), (1, 9)),
        lambda f: f.support.escalated, lambda f: f"{count(f.support.escalated, 'ticket')} escalated",
    ),
    Factor(
        "satisfaction", HealthComponent.SUPPORT, "ticket", "mean satisfaction (1 to 5) of 90 days",
        "low", ((2.5, 10), (3.5, 4), (4.4, 0), (FOREVER, -3)),
        lambda f: f.support.satisfaction,
        lambda f: f"satisfaction with support is {f.support.satisfaction or 0:.1f} of 5",
    ),
)  # fmt: skip

_SENTIMENT = (
    Factor(
        "sentiment_drop", HealthComponent.SENTIMENT, "ticket", "change of tone in tickets (-1 to 1)",
        "low", ((-0.6, 12), (-0.3, 7)),
        sentiment_change, lambda _f: "the tone of tickets has turned worse",
        lambda f: f.sentiment.tickets_before, lambda f: f.sentiment.tickets,
    ),
    Factor(
        "nps", HealthComponent.SENTIMENT, "survey", "latest NPS answer of 180 days (0 to 10)",
        "low", ((3, 14), (6, 8), (8, 0), (FOREVER, -5)),
        lambda f: f.sentiment.nps, lambda f: f"the latest NPS answer is {number(f.sentiment.nps or 0)} of 10",
        lambda f: f.sentiment.nps_before,
    ),
    Factor(
        "csat", HealthComponent.SENTIMENT, "survey", "latest CSAT answer of 180 days (1 to 5)",
        "low", ((2, 8), (3, 4)),
        lambda f: f.sentiment.csat,
        lambda f: f"the latest CSAT answer is {number(f.sentiment.csat or 0)} of 5",
    ),
)  # fmt: skip


def champion_gap(f: CustomerFeatures) -> float:
    """2: the champion left and nobody stepped in; 1: somebody did; 0: nobody left."""
    if f.relationship.champion_left_days is None:
        return 0.0
    return 1.0 if f.relationship.champions else 2.0


def executive_days(f: CustomerFeatures) -> float | None:
    """Return days since an executive sponsor was reached, None where none is looked after."""
    cared_for = f.touch_tier is not TouchTier.TECH_TOUCH and f.relationship.executives
    days = f.relationship.executive_days
    return float(f.tenure_days if days is None else days) if cared_for else None


def _touch_days(f: CustomerFeatures) -> float:
    days = f.relationship.touch_days
    return float(f.tenure_days if days is None else days)


_RELATIONSHIP = (
    Factor(
        "champion_left", HealthComponent.RELATIONSHIP, "contact", "2: a champion left; 1: and was replaced",
        "high", ((2, 22), (1, 6)),
        champion_gap,
        lambda f: f"the champion left {count(f.relationship.champion_left_days or 0, 'day')} ago",
        lambda _f: None, lambda f: f.relationship.champion_left_days,
    ),
    Factor(
        "executive_silence", HealthComponent.RELATIONSHIP, "touchpoint",
        "days since an executive sponsor was reached (strategic and managed)",
        "high", ((180, 9), (90, 5)),
        executive_days,
        lambda f: f"no executive was reached for {count(executive_days(f) or 0, 'day')}",
    ),
    Factor(
        "no_contact", HealthComponent.RELATIONSHIP, "touchpoint", "days since any contact",
        "high", ((120, 8), (60, 4)),
        _touch_days, lambda f: f"no contact for {count(_touch_days(f), 'day')}",
    ),
    Factor(
        "qbr_missed", HealthComponent.RELATIONSHIP, "meeting", "business reviews missed in 180 days",
        "high", ((2, 12), (1, 6)),
        lambda f: f.relationship.qbr_missed,
        lambda f: f"{count(f.relationship.qbr_missed, 'business review')} missed",
    ),
)  # fmt: skip


def _without_subscription(f: CustomerFeatures) -> float:
    return float(f.commercial.past_subscriptions > 0 and f.commercial.active_subscriptions == 0)


def _ends_soon(f: CustomerFeatures) -> float | None:
    days = f.commercial.renewal_days
    return float(days) if f.commercial.auto_renew is False and days is not None and days >= 0 else None


_COMMERCIAL = (
    Factor(
        "invoice_past_due", HealthComponent.COMMERCIAL, "invoice", "days that the oldest invoice is past due",
        "high", ((30, 24), (15, 15), (1, 6)),
        lambda f: f.commercial.past_due_days, say_past_due,
    ),
    Factor(
        "payment_failed", HealthComponent.COMMERCIAL, "invoice", "failed attempts on an open invoice",
        "high", ((3, 8), (1, 4)),
        lambda f: f.commercial.failed_attempts,
        lambda f: f"{count(f.commercial.failed_attempts, 'payment')} failed",
    ),
    Factor(
        "revenue_change", HealthComponent.COMMERCIAL, "subscription",
        "change of recurring revenue over 90 days",
        "low", ((-0.25, 14), (-0.1, 8), (0.1, 0), (FOREVER, -5)),
        revenue_change, say_revenue,
        lambda f: f.commercial.mrr_before, lambda f: f.commercial.mrr,
    ),
    Factor(
        "no_subscription", HealthComponent.COMMERCIAL, "subscription", "1: every subscription has ended",
        "high", ((1, 30),),
        _without_subscription, lambda _f: "no subscription is active any more",
    ),
    Factor(
        "no_auto_renewal", HealthComponent.COMMERCIAL, "subscription",
        "days to a renewal that is not automatic",
        "low", ((30, 9), (90, 5)),
        _ends_soon,
        lambda f: f"the contract ends in {count(f.commercial.renewal_days or 0, 'day')} unless renewed",
    ),
)  # fmt: skip

_OUTCOMES = (
    Factor(
        "goals_overdue", HealthComponent.OUTCOMES, "goal", "goals past their date and not reached",
        "high", ((2, 9), (1, 5)),
        lambda f: f.outcomes.overdue, lambda f: f"{count(f.outcomes.overdue, 'goal')} overdue",
    ),
    Factor(
        "goals_reached", HealthComponent.OUTCOMES, "goal", "share of goals reached",
        "low", ((0.49, 0), (FOREVER, -4)),
        lambda f: f.outcomes.achieved / f.outcomes.goals if f.outcomes.goals else None,
        lambda f: f"{percent(f.outcomes.achieved / max(f.outcomes.goals, 1))} of the goals are reached",
    ),
)  # fmt: skip

FACTORS: tuple[Factor, ...] = (
    *_USAGE, *_ADOPTION, *_SUPPORT, *_SENTIMENT, *_RELATIONSHIP, *_COMMERCIAL, *_OUTCOMES,
)  # fmt: skip
