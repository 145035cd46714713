"""Columns about contract, money and what the customer wants to reach."""

from domain.features import CustomerFeatures
from domain.model_column import Column, days_ago, mrr, price, ratio
from domain.risk_factors import revenue_change, say_past_due, say_revenue
from domain.vocabulary import HealthComponent
from domain.wording import count, number, percent

COMMERCIAL, OUTCOMES = HealthComponent.COMMERCIAL, HealthComponent.OUTCOMES


def _price_per_seat(f: CustomerFeatures) -> float | None:
    return ratio(f.commercial.mrr, f.commercial.seats)


def _say_term(f: CustomerFeatures) -> str:
    return f"the billing period ends in {count(f.commercial.period_days or 0, 'day')}"


COMMERCIAL_COLUMNS = (
    Column(
        "commercial.mrr", COMMERCIAL, "subscription", "MRR", 0, mrr, lambda f: f"they pay {price(f)} a month"
    ),
    Column("commercial.mrr_change", COMMERCIAL, "subscription", "ratio", -1, revenue_change, say_revenue),
    Column(
        "commercial.seats",
        COMMERCIAL,
        "subscription",
        "seats",
        0,
        lambda f: f.commercial.seats,
        lambda f: f"{count(f.commercial.seats or 0, 'seat')} paid for",
    ),
    Column(
        "commercial.price_per_seat",
        COMMERCIAL,
        "subscription",
        "MRR per seat",
        0,
        _price_per_seat,
        lambda f: f"a seat costs {f.commercial.currency} {number(_price_per_seat(f) or 0)} a month",
    ),
    Column(
        "commercial.discount",
        COMMERCIAL,
        "subscription",
        "share",
        0,
        lambda f: f.commercial.discount,
        lambda f: f"a discount of {percent(f.commercial.discount or 0)}",
    ),
    Column(
        "commercial.auto_renew",
        COMMERCIAL,
        "subscription",
        "1 or 0",
        0,
        lambda f: None if f.commercial.auto_renew is None else float(f.commercial.auto_renew),
        lambda f: (
            "the contract renews by itself"
            if f.commercial.auto_renew
            else "the contract does not renew by itself"
        ),
    ),
    Column(
        "commercial.billing_months",
        COMMERCIAL,
        "subscription",
        "months",
        0,
        lambda f: f.commercial.billing_months,
        lambda f: f"billed every {count(f.commercial.billing_months or 0, 'month')}",
    ),
    Column(
        "commercial.period_days",
        COMMERCIAL,
        "subscription",
        "days",
        0,
        lambda f: f.commercial.period_days,
        _say_term,
    ),
    Column(
        "commercial.renewal_days",
        COMMERCIAL,
        "subscription",
        "days",
        0,
        lambda f: f.commercial.renewal_days,
        lambda f: f"the contract comes up for renewal in {count(f.commercial.renewal_days or 0, 'day')}",
    ),
    Column(
        "commercial.ending",
        COMMERCIAL,
        "subscription",
        "1 or 0",
        1,
        lambda f: float(f.commercial.ending_days is not None),
        lambda f: f"a subscription ends in {count(f.commercial.ending_days or 0, 'day')}",
    ),
    Column(
        "commercial.unchanged_days",
        COMMERCIAL,
        "subscription",
        "days",
        0,
        lambda f: f.commercial.unchanged_days,
        days_ago("the contract last changed", lambda f: f.commercial.unchanged_days),
    ),
    Column(
        "commercial.terms",
        COMMERCIAL,
        "subscription",
        "terms",
        0,
        lambda f: f.commercial.past_subscriptions,
        lambda f: f"{count(f.commercial.past_subscriptions, 'term')} so far",
    ),
    Column(
        "commercial.products",
        COMMERCIAL,
        "subscription",
        "subscriptions",
        0,
        lambda f: f.commercial.active_subscriptions,
        lambda f: f"{count(f.commercial.active_subscriptions, 'subscription')} running",
    ),
    Column(
        "commercial.tenure",
        COMMERCIAL,
        "subscription",
        "days",
        0,
        lambda f: f.tenure_days,
        lambda f: f"a customer for {count(f.tenure_days, 'day')}",
    ),
    Column(
        "commercial.past_due_days",
        COMMERCIAL,
        "invoice",
        "days",
        1,
        lambda f: f.commercial.past_due_days,
        say_past_due,
    ),
    Column(
        "commercial.past_due",
        COMMERCIAL,
        "invoice",
        "months of MRR",
        1,
        lambda f: ratio(f.commercial.past_due_minor, f.commercial.mrr_minor),
        say_past_due,
    ),
    Column(
        "commercial.failed_attempts",
        COMMERCIAL,
        "invoice",
        "attempts",
        1,
        lambda f: f.commercial.failed_attempts,
        lambda f: f"{count(f.commercial.failed_attempts, 'attempt')} to collect an invoice failed",
    ),
)

OUTCOMES_COLUMNS = (
    Column(
        "outcomes.goals",
        OUTCOMES,
        "goal",
        "goals",
        0,
        lambda f: f.outcomes.goals,
        lambda f: f"{count(f.outcomes.goals, 'goal')} agreed on",
    ),
    Column(
        "outcomes.reached",
        OUTCOMES,
        "goal",
        "share",
        -1,
        lambda f: ratio(f.outcomes.achieved, f.outcomes.goals),
        lambda f: f"{f.outcomes.achieved} of {count(f.outcomes.goals, 'goal')} reached",
    ),
    Column(
        "outcomes.overdue",
        OUTCOMES,
        "goal",
        "goals",
        1,
        lambda f: f.outcomes.overdue,
        lambda f: f"{count(f.outcomes.overdue, 'goal')} past their date",
    ),
    Column(
        "outcomes.progress",
        OUTCOMES,
        "goal",
        "share",
        -1,
        lambda f: f.outcomes.progress,
        lambda f: f"goals are {percent(f.outcomes.progress or 0)} done",
    ),
)
