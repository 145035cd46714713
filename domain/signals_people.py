"""Detectors that watch people: support, what they say, who is there, when we spoke."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from domain.points_table import executive_days
from domain.risk_factors import say_overdue, say_surge, sentiment_change, surge_ratio
from domain.signal_readings import Level, Reading, Sight, falling, rising, severity
from domain.time import BusinessInstant
from domain.vocabulary import Severity, TouchTier
from domain.wording import count, number, sentence


def _title(clause: str) -> str:
    return sentence(clause).removesuffix(".")


def ticket_overdue(sight: Sight) -> list[Reading]:
    """Notice tickets past a service deadline."""
    support = sight.features.support
    level = rising(support.overdue, sight.limits)
    is_severe = support.overdue >= sight.limits.severe
    evidence = {"overdue": support.overdue, "oldest_days": support.oldest_overdue_days}
    title = _title(say_overdue(sight.features)) if support.overdue else "No ticket is overdue any more"
    rests_on = sight.days_ago(support.oldest_overdue_days)
    return [Reading("ticket_overdue", level, severity(is_severe=is_severe), title, evidence, rests_on)]


def support_surge(sight: Sight) -> list[Reading]:
    """Notice many more tickets than usual."""
    support = sight.features.support
    ratio = surge_ratio(sight.features)
    level = rising(ratio, sight.limits)
    evidence = {"tickets": support.opened_30, "usual": round(support.opened_usual, 1)}
    is_severe = ratio >= sight.limits.severe
    title = _title(say_surge(sight.features))
    rests_on = sight.features.fresh("ticket").last_on
    return [Reading("support_surge", level, severity(is_severe=is_severe), title, evidence, rests_on)]


def sentiment_drop(sight: Sight) -> list[Reading]:
    """Notice tickets whose tone turns worse."""
    change = sentiment_change(sight.features)
    if change is None:
        return []
    said = sight.features.sentiment
    evidence = {"now": round(said.tickets or 0, 2), "before": round(said.tickets_before or 0, 2)}
    is_severe = change <= sight.limits.severe
    rests_on = sight.features.fresh("ticket").last_on
    title = "The tone of tickets has turned worse"
    level = falling(change, sight.limits)
    return [Reading("sentiment_drop", level, severity(is_severe=is_severe), title, evidence, rests_on)]


def poor_survey(sight: Sight) -> list[Reading]:
    """Notice a poor answer; a later and better one clears it."""
    said = sight.features.sentiment
    answers = (("nps", said.nps, said.nps_on, 1.0), ("csat", said.csat, said.csat_on, 3.0))
    return [
        _poor_answer(sight, kind, score, on, scale)
        for kind, score, on, scale in answers
        if score is not None and on is not None
    ]


def _poor_answer(sight: Sight, kind: str, score: float, on: dt.date, scale: float) -> Reading:
    """Judge NPS on its own scale, and CSAT (1 to 5) by thirds of it."""
    value = score if kind == "nps" else (score - 1) * scale
    level = falling(value, sight.limits)
    is_severe = value <= sight.limits.severe
    top = 10 if kind == "nps" else 5
    title = f"{kind.upper()} answer of {number(score)} of {top}"
    evidence = {"kind": kind, "score": score, "answered_on": on.isoformat()}
    return Reading(f"poor_survey:{kind}", level, severity(is_severe=is_severe), title, evidence, on)


def champion_left(sight: Sight) -> list[Reading]:
    """Notice that a champion is gone; a successor clears it."""
    people = sight.features.relationship
    days = people.champion_left_days
    gone = days is not None and not people.champions
    if not gone and not sight.opened:
        return []
    level = Level.OPEN if gone else Level.CLEAR
    title = _title(f"the champion left {count(days or 0, 'day')} ago and nobody has taken over")
    evidence = {"left_on": sight.days_ago(days or 0).isoformat()}
    return [Reading("champion_left", level, Severity.HIGH, title, evidence, sight.days_ago(days or 0))]


def executive_silence(sight: Sight) -> list[Reading]:
    """Notice that no executive sponsor was reached for long (strategic and managed)."""
    days = executive_days(sight.features)
    if days is None:
        return []
    level = rising(days, sight.limits)
    strategic = sight.features.touch_tier is TouchTier.STRATEGIC
    is_severe = strategic and days >= sight.limits.severe
    title = _title(f"no executive was reached for {count(days, 'day')}")
    crossed = sight.days_ago(days - sight.limits.open)
    evidence = {"since": sight.days_ago(days).isoformat()}
    return [Reading("executive_silence", level, severity(is_severe=is_severe), title, evidence, crossed)]


def qbr_missed(sight: Sight) -> list[Reading]:
    """Notice business reviews that were declined or did not happen."""
    people = sight.features.relationship
    level = rising(people.qbr_missed, sight.limits)
    is_severe = people.qbr_missed >= sight.limits.severe
    title = _title(f"{count(people.qbr_missed, 'business review')} missed in half a year")
    rests_on = sight.days_ago(people.qbr_missed_days or 0)
    evidence = {"missed": people.qbr_missed, "last_on": rests_on.isoformat()}
    return [Reading("qbr_missed", level, severity(is_severe=is_severe), title, evidence, rests_on)]


def no_contact(
    last_touch_at: BusinessInstant | None, longest_silence_days: int, tier: TouchTier
) -> tuple[Severity, str, Mapping[str, Any]]:
    """Word the signal that the customer's workflow opens when its silence deadline passes."""
    since = last_touch_at.date().isoformat() if last_touch_at else None
    title = f"Nobody has spoken with this customer for {count(longest_silence_days, 'day')}"
    evidence = {"longest_silence_days": longest_silence_days, "since": since}
    return severity(is_severe=tier is TouchTier.STRATEGIC), title, evidence
