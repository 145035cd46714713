"""Columns about people: what they ask for, what they say, and whether we speak."""

from domain.features import CustomerFeatures
from domain.model_column import Column, days_ago
from domain.risk_factors import say_overdue, say_surge, sentiment_change, surge_ratio
from domain.vocabulary import HealthComponent
from domain.wording import count, number

SUPPORT, SENTIMENT = HealthComponent.SUPPORT, HealthComponent.SENTIMENT
RELATIONSHIP = HealthComponent.RELATIONSHIP


def _nps_change(f: CustomerFeatures) -> float | None:
    now, before = f.sentiment.nps, f.sentiment.nps_before
    return None if now is None or before is None else now - before


def _survey_age(f: CustomerFeatures) -> float | None:
    answered = [on for on in (f.sentiment.nps_on, f.sentiment.csat_on) if on is not None]
    return None if not answered else float((f.as_of.date() - max(answered)).days)


SUPPORT_COLUMNS = (
    Column(
        "support.open",
        SUPPORT,
        "ticket",
        "tickets",
        0,
        lambda f: f.support.open,
        lambda f: f"{count(f.support.open, 'ticket')} open",
    ),
    Column("support.overdue", SUPPORT, "ticket", "tickets", 1, lambda f: f.support.overdue, say_overdue),
    Column(
        "support.overdue_days",
        SUPPORT,
        "ticket",
        "days",
        1,
        lambda f: f.support.oldest_overdue_days,
        say_overdue,
    ),
    Column("support.opened_30", SUPPORT, "ticket", "tickets", 0, lambda f: f.support.opened_30, say_surge),
    Column("support.surge", SUPPORT, "ticket", "ratio", 1, surge_ratio, say_surge),
    Column(
        "support.escalated",
        SUPPORT,
        "ticket",
        "tickets",
        1,
        lambda f: f.support.escalated,
        lambda f: f"{count(f.support.escalated, 'escalation')} open or of the last 30 days",
    ),
    Column(
        "support.satisfaction",
        SUPPORT,
        "ticket",
        "1 to 5",
        -1,
        lambda f: f.support.satisfaction,
        lambda f: f"support was rated {f.support.satisfaction or 0:.1f} of 5 over 90 days",
    ),
    Column(
        "support.breached_30",
        SUPPORT,
        "ticket",
        "targets",
        1,
        lambda f: f.support.breached_30,
        lambda f: f"{count(f.support.breached_30, 'service target')} missed in 30 days",
    ),
    Column(
        "support.oldest_open",
        SUPPORT,
        "ticket",
        "days",
        1,
        lambda f: f.support.oldest_open_days,
        lambda f: f"a ticket has been open for {count(f.support.oldest_open_days, 'day')}",
    ),
    Column(
        "support.reopened",
        SUPPORT,
        "ticket",
        "tickets",
        1,
        lambda f: f.support.reopened_open,
        lambda f: f"{count(f.support.reopened_open, 'ticket')} reopened",
    ),
)

SENTIMENT_COLUMNS = (
    Column(
        "sentiment.tone",
        SENTIMENT,
        "ticket",
        "-1 to 1",
        -1,
        lambda f: f.sentiment.tickets,
        lambda f: f"the tone of tickets is {f.sentiment.tickets or 0:+.1f} (from -1 to 1)",
    ),
    Column(
        "sentiment.tone_change",
        SENTIMENT,
        "ticket",
        "-2 to 2",
        -1,
        sentiment_change,
        lambda f: (
            f"the tone of tickets went from {f.sentiment.tickets_before or 0:+.1f} "
            f"to {f.sentiment.tickets or 0:+.1f}"
        ),
    ),
    Column(
        "sentiment.nps",
        SENTIMENT,
        "survey",
        "0 to 10",
        -1,
        lambda f: f.sentiment.nps,
        lambda f: f"the latest NPS answer is {number(f.sentiment.nps or 0)} of 10",
    ),
    Column(
        "sentiment.nps_change",
        SENTIMENT,
        "survey",
        "points",
        -1,
        _nps_change,
        lambda f: f"NPS went from {number(f.sentiment.nps_before or 0)} to {number(f.sentiment.nps or 0)}",
    ),
    Column(
        "sentiment.csat",
        SENTIMENT,
        "survey",
        "1 to 5",
        -1,
        lambda f: f.sentiment.csat,
        lambda f: f"the latest CSAT answer is {number(f.sentiment.csat or 0)} of 5",
    ),
    Column(
        "sentiment.survey_age",
        SENTIMENT,
        "survey",
        "days",
        0,
        _survey_age,
        days_ago("last survey answered", _survey_age),
    ),
)

RELATIONSHIP_COLUMNS = (
    Column(
        "relationship.contacts",
        RELATIONSHIP,
        "contact",
        "people",
        0,
        lambda f: f.relationship.contacts,
        lambda f: f"{count(f.relationship.contacts, 'person', 'people')} known there",
    ),
    Column(
        "relationship.champions",
        RELATIONSHIP,
        "contact",
        "people",
        0,
        lambda f: f.relationship.champions,
        lambda f: f"{count(f.relationship.champions, 'champion')} there",
    ),
    Column(
        "relationship.executives",
        RELATIONSHIP,
        "contact",
        "people",
        0,
        lambda f: f.relationship.executives,
        lambda f: f"{count(f.relationship.executives, 'executive sponsor')} there",
    ),
    Column(
        "relationship.champion_left",
        RELATIONSHIP,
        "contact",
        "1 or 0",
        1,
        lambda f: float(f.relationship.champion_left_days is not None),
        lambda f: f"a champion left {count(f.relationship.champion_left_days or 0, 'day')} ago",
    ),
    Column(
        "relationship.heard_days",
        RELATIONSHIP,
        "touchpoint",
        "days",
        0,
        lambda f: f.relationship.touch_in_days,
        days_ago("last heard of them", lambda f: f.relationship.touch_in_days),
    ),
    Column(
        "relationship.reached_days",
        RELATIONSHIP,
        "touchpoint",
        "days",
        0,
        lambda f: f.relationship.touch_out_days,
        days_ago("last written to or called", lambda f: f.relationship.touch_out_days),
    ),
    Column(
        "relationship.executive_days",
        RELATIONSHIP,
        "touchpoint",
        "days",
        0,
        lambda f: f.relationship.executive_days,
        days_ago("an executive was last reached", lambda f: f.relationship.executive_days),
    ),
    Column(
        "relationship.meetings_90",
        RELATIONSHIP,
        "meeting",
        "meetings",
        0,
        lambda f: f.relationship.meetings_90,
        lambda f: f"{count(f.relationship.meetings_90, 'meeting')} in 90 days",
    ),
    Column(
        "relationship.qbr_missed",
        RELATIONSHIP,
        "meeting",
        "meetings",
        1,
        lambda f: f.relationship.qbr_missed,
        lambda f: f"{count(f.relationship.qbr_missed, 'business review')} missed in 180 days",
    ),
)
