"""Detectors that look at the customer as a whole: its health, and what comes together."""

import datetime as dt
from collections.abc import Mapping

from domain.features import CustomerFeatures
from domain.signal_readings import Ending, Level, Member, Reading, Sight, rising, severity
from domain.vocabulary import Severity, SignalKind, rank
from domain.wording import listed, sentence

ADAPTED_DAYS = 60
"""After so long at a worse level, that level is this customer's usual one."""
NO_CONTACT_DAYS = 45
K = SignalKind
COMPOUND_PARTS: Mapping[str, tuple[SignalKind, ...]] = {
    "declining usage": (K.USAGE_DROP, K.LOGIN_SILENCE),
    "poor feedback": (K.POOR_SURVEY, K.SENTIMENT_DROP),
    "an overdue ticket": (K.TICKET_OVERDUE,),
    "no contact": (K.NO_CONTACT,),
}
"""What compound risk is made of; each part counts once, whichever of its signals is open."""
COMPOUND_MEMBERS = frozenset(kind for kinds in COMPOUND_PARTS.values() for kind in kinds)


def health_drop(sight: Sight) -> list[Reading]:
    """Notice health that crosses into a worse status than was usual in the last month.

    While a source is silent the score rests on other components than before, and nothing is said.
    """
    whole, before = sight.whole, sight.opened.get("health_drop")
    if whole is None or whole.is_limited or _has_gap(sight.features):
        return _kept(before)
    usual = int(before["from"]) if before else whole.usual_score
    if usual is None:
        return []
    if before and _is_old(sight.today, before):
        return [_drop(sight, Level.CLEAR, usual, Ending.NEW_NORMAL)]
    level = rising(usual - whole.score, sight.limits)
    crossed = rank(whole.status) > rank(whole.usual_status or whole.status)
    if before is None and not crossed and level is Level.OPEN:
        level = Level.CLEAR
    return [_drop(sight, level, usual, Ending.RECOVERED)]


def _kept(before: object) -> list[Reading]:
    evidence = before if isinstance(before, dict) else {}
    return [Reading("health_drop", Level.KEEP, Severity.INFO, "", evidence, None)] if before else []


def _has_gap(f: CustomerFeatures) -> bool:
    return any(fresh.provided and not fresh.is_usable for fresh in f.freshness.values())


def _is_old(today: dt.date, before: Mapping[str, object]) -> bool:
    return (today - dt.date.fromisoformat(str(before["since"]))).days >= ADAPTED_DAYS


def _drop(sight: Sight, level: Level, usual: int, ending: Ending) -> Reading:
    whole, before = sight.whole, sight.opened.get("health_drop")
    score = whole.score if whole else usual
    status = whole.status.value.replace("_", " ") if whole else ""
    is_severe = usual - score >= sight.limits.severe
    since = str(before["since"]) if before else sight.today.isoformat()
    evidence = {"from": usual, "to": score, "since": since}
    title = sentence(f"health fell from {usual} to {score} of 100: {status}").removesuffix(".")
    return Reading("health_drop", level, severity(is_severe=is_severe), title, evidence, sight.today, ending)


def compound_risk(sight: Sight) -> list[Reading]:
    """Notice warnings of different kinds that come together: they are one story, and told as one."""
    parts = {name: members for name, kinds in COMPOUND_PARTS.items() if (members := _open(sight, kinds))}
    silent = _no_contact_since(sight.features)
    if silent is not None and "no contact" not in parts:
        day = f"{silent.day} {silent:%B}"
        parts["no contact"] = [Member(K.NO_CONTACT, f"nobody spoke with them since {day}", is_baseline=True)]
    level = rising(len(parts), sight.limits)
    is_severe = len(parts) >= sight.limits.severe
    title = sentence(f"several warnings at once: {listed(list(parts) or ['none'])}").removesuffix(".")
    members = [member for found in parts.values() for member in found]
    evidence = {"members": [{"kind": one.kind.value, "title": one.title} for one in members]}
    old = all(member.is_baseline for member in members)
    weight = Severity.CRITICAL if is_severe else Severity.HIGH
    return [Reading("compound_risk", level, weight, title, evidence, None, is_baseline=old)]


def _open(sight: Sight, kinds: tuple[SignalKind, ...]) -> list[Member]:
    return [member for member in sight.members if member.kind in kinds]


def _no_contact_since(f: CustomerFeatures) -> dt.date | None:
    """Return since when nobody has spoken with them, if that is long and we could have heard it."""
    told = f.fresh("touchpoint")
    if not told.is_usable or told.connected_at is None:
        return None
    heard = (f.as_of - told.connected_at).days
    days = f.relationship.touch_days
    if days is None:
        days = min(f.tenure_days, heard)
    if min(days, heard) < NO_CONTACT_DAYS:
        return None
    return f.as_of.date() - dt.timedelta(days=days)
