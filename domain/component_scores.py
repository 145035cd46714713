"""The rules behind each health component: 0 to 100, high is good, None where there is nothing to go by."""

from itertools import pairwise

from domain.features import CustomerFeatures, OutcomeNumbers
from domain.risk_factors import (
    ONBOARDING_DAYS,
    breadth_ratio,
    has_baseline,
    month_ratio,
    revenue_change,
    seat_share,
    silence,
    surge_ratio,
    week_ratio,
)

Line = tuple[tuple[float, float], ...]

LEVEL: Line = ((0.0, 0.0), (0.5, 35.0), (0.85, 70.0), (1.0, 80.0), (1.5, 100.0))
"""Use over usual use."""
SILENCE: Line = ((0.0, 90.0), (7.0, 50.0), (14.0, 20.0), (30.0, 0.0))
"""Days without use, beyond the habit."""
BREADTH: Line = ((0.0, 0.0), (0.5, 40.0), (1.0, 78.0), (1.5, 100.0))
SEATS: Line = ((0.0, 10.0), (0.3, 45.0), (0.7, 80.0), (1.0, 100.0))
VALUE: Line = ((0.0, 10.0), (0.3, 45.0), (0.7, 80.0), (1.0, 100.0))
"""Share of the value that was bought."""
NPS: Line = ((0.0, 0.0), (6.0, 40.0), (7.0, 60.0), (9.0, 90.0), (10.0, 100.0))
CSAT: Line = ((1.0, 0.0), (3.0, 45.0), (4.0, 75.0), (5.0, 100.0))
TONE: Line = ((-1.0, 0.0), (0.0, 60.0), (1.0, 100.0))
TOUCH: Line = ((0.0, 95.0), (30.0, 75.0), (60.0, 50.0), (120.0, 20.0), (240.0, 0.0))
"""Days since any contact."""
REVENUE: Line = ((-0.5, 0.0), (-0.1, 45.0), (0.0, 75.0), (0.25, 100.0))
PAST_DUE: Line = ((0.0, 85.0), (1.0, 60.0), (15.0, 30.0), (30.0, 5.0))
SURGE: Line = ((0.0, 90.0), (1.0, 80.0), (2.5, 50.0), (5.0, 20.0))
OVERDUE_COST = 18.0
OVERDUE_MOST = 54.0
ESCALATION_COST = 12.0
CHAMPION_SCORES = {"there": 85.0, "replaced": 60.0, "left": 10.0}
QBR_COST = 15.0
GOAL_COST = 20.0
NEW_CUSTOMER_DAYS = 14
STALLED_SCORE = 30.0
ONBOARDED_SCORE = 80.0
NEVER_USED_DAYS = 90


def along(line: Line, value: float) -> float:
    """Return the value of a piecewise linear line, flat beyond its ends."""
    if value <= line[0][0]:
        return line[0][1]
    for (left, low), (right, high) in pairwise(line):
        if value <= right:
            return low + (high - low) * (value - left) / (right - left)
    return line[-1][1]


def mean(*values: float | None) -> float | None:
    """Return the mean of what is known."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _clamped(value: float) -> float:
    return max(0.0, min(100.0, value))


def usage_score(f: CustomerFeatures) -> float | None:
    """Level against the own baseline, the month's direction, and silence, which outweighs both."""
    quiet = silence(f)
    if quiet is None:
        return _never_used(f)
    ratio, months = week_ratio(f) if has_baseline(f) else None, month_ratio(f)
    level = mean(
        along(LEVEL, ratio) if ratio is not None else None,
        along(LEVEL, months) if months is not None else None,
    )
    return min(along(SILENCE, quiet), level if level is not None else 70.0)


def _never_used(f: CustomerFeatures) -> float | None:
    if f.tenure_days > NEVER_USED_DAYS:
        return None
    return STALLED_SCORE if f.tenure_days > NEW_CUSTOMER_DAYS else 60.0


def adoption_score(f: CustomerFeatures) -> float | None:
    """Breadth against the month before, seats in use, mainstays kept, onboarding."""
    breadth, seats = breadth_ratio(f), seat_share(f)
    if breadth is None and seats is None and f.tenure_days > ONBOARDING_DAYS:
        return None
    base = mean(
        along(BREADTH, breadth) if breadth is not None else None,
        along(SEATS, seats) if seats is not None else None,
        _onboarding(f),
    )
    return None if base is None else _clamped(base - 15.0 * min(len(f.usage.dropped), 3))


def _onboarding(f: CustomerFeatures) -> float | None:
    if not f.fresh("onboarding").is_usable:
        return None
    if f.is_onboarded or f.has_first_value:
        return ONBOARDED_SCORE
    return along(((14.0, 65.0), (30.0, 45.0), (90.0, 15.0)), float(f.tenure_days))


def support_score(f: CustomerFeatures) -> float | None:
    """Fewer open wounds and happier answers."""
    support = f.support
    base = mean(
        along(SURGE, surge_ratio(f)), along(CSAT, support.satisfaction) if support.satisfaction else None
    )
    wounds = min(OVERDUE_MOST, OVERDUE_COST * support.overdue) + ESCALATION_COST * support.escalated
    return _clamped((base or 0.0) - wounds)


def sentiment_score(f: CustomerFeatures) -> float | None:
    """Average what people said in surveys and tickets."""
    said = f.sentiment
    return mean(
        along(NPS, said.nps) if said.nps is not None else None,
        along(CSAT, said.csat) if said.csat is not None else None,
        along(TONE, said.tickets) if said.tickets is not None else None,
    )


def relationship_score(f: CustomerFeatures) -> float | None:
    """Who is there, and how long ago we spoke."""
    people = f.relationship
    touch = people.touch_days
    if touch is None and f.fresh("touchpoint").is_usable:
        touch = f.tenure_days
    base = mean(along(TOUCH, float(touch)) if touch is not None else None, _champion(f))
    return None if base is None else _clamped(base - QBR_COST * people.qbr_missed)


def _champion(f: CustomerFeatures) -> float | None:
    people = f.relationship
    if people.champion_left_days is not None:
        return CHAMPION_SCORES["replaced" if people.champions else "left"]
    return CHAMPION_SCORES["there"] if people.champions else None


def commercial_score(f: CustomerFeatures) -> float | None:
    """Paying on time, and paying as much as before."""
    money = f.commercial
    if money.past_subscriptions and not money.active_subscriptions:
        return 5.0
    change = revenue_change(f)
    paying = along(PAST_DUE, float(money.past_due_days)) if f.fresh("invoice").last_on else None
    base = mean(along(REVENUE, change) if change is not None else None, paying)
    if base is None:
        return 70.0 if money.active_subscriptions else None
    return min(base, paying) if paying is not None and money.past_due_days else base


def outcomes_score(f: CustomerFeatures) -> float | None:
    """How far the customer's own goals are, and how much of the value that was bought is realised."""
    goals = f.outcomes if f.fresh("goal").is_usable else OutcomeNumbers()
    progress = 40.0 + 60.0 * min(goals.progress or 0.0, 1.0) if goals.goals else None
    value = value_realised(f)
    base = mean(progress, along(VALUE, value) if value is not None else None)
    return None if base is None else _clamped(base - GOAL_COST * goals.overdue)


def value_realised(f: CustomerFeatures) -> float | None:
    """Return the mean of goals met and of the use of what was bought (0 to 1); None: neither is known.

    Goals met are those reached, of those reached or past their date: one that is not due is no failure.
    """
    goals = f.outcomes
    asked = goals.achieved + goals.overdue
    met = goals.achieved / asked if asked and f.fresh("goal").is_usable else None
    return mean(met, bought_use(f))


def bought_use(f: CustomerFeatures) -> float | None:
    """Return the share in use of what was bought: seats, the plan's limits, what peers on the plan use."""
    if not f.fresh("usage").is_usable or f.usage.first_on is None:
        return None
    seats, limits, usual = seat_share(f), f.usage.limits_used, f.adoption.usual
    return mean(
        min(seats, 1.0) if seats is not None else None,
        min(limits, 1.0) if limits is not None else None,
        1.0 - len(f.adoption.lagging) / usual if usual else None,
    )
