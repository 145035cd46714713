"""Detectors that watch how well we keep our word in support."""

import datetime as dt

from domain.signal_readings import Ending, Level, Reading, Sight, rising, severity
from domain.wording import count, sentence


def sla_breach(sight: Sight) -> list[Reading]:
    """Notice targets of first response or resolution that passed unmet, even if they were met later."""
    support = sight.features.support
    broken, days = support.breached_30, support.breached_days
    level = rising(broken, sight.limits)
    is_severe = broken >= sight.limits.severe
    if not broken or days is None:
        title, evidence = "No service target was missed for 30 days", {"breached": 0}
        return [
            Reading("sla_breach", level, severity(is_severe=False), title, evidence, None, Ending.EXPIRED)
        ]
    title = sentence(f"{count(broken, 'service target')} missed in 30 days").removesuffix(".")
    evidence_now = {"breached": broken, "newest_on": sight.days_ago(days).isoformat()}
    return [
        Reading("sla_breach", level, severity(is_severe=is_severe), title, evidence_now, sight.days_ago(days))
    ]


def ticket_unresolved(sight: Sight) -> list[Reading]:
    """Notice a ticket that stays open for too long, or that had to be opened again."""
    support = sight.features.support
    days, reopened = support.oldest_open_days, support.reopened_open
    level = Level.OPEN if reopened else rising(days, sight.limits)
    is_severe = days >= sight.limits.severe
    title = f"{count(reopened, 'ticket')} had to be opened again" if reopened else _since(sight, days)
    if level is Level.CLEAR:
        title = "No ticket is open for long any more"
    evidence = {"oldest_since": sight.days_ago(days).isoformat(), "reopened": reopened}
    rests_on = sight.features.fresh("ticket").last_on if reopened else _crossed(sight, days)
    return [Reading("ticket_unresolved", level, severity(is_severe=is_severe), title, evidence, rests_on)]


def _since(sight: Sight, days: int) -> str:
    """Name the day, not the age: a title that changes every day is no news."""
    since = sight.days_ago(days)
    return f"A ticket is open since {since.day} {since:%B}"


def _crossed(sight: Sight, days: int) -> dt.date:
    return sight.days_ago(max(0.0, days - sight.limits.open))
