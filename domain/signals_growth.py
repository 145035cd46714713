"""Detectors that watch room to grow: what is left unused, whether more makes sense, what is in the way."""

from domain.features import CustomerFeatures
from domain.risk_factors import month_ratio, seat_share
from domain.signal_readings import Level, Reading, Sight, falling, rising, severity
from domain.vocabulary import Severity
from domain.wording import count, listed, percent, sentence

GROWING = 1.15
"""A month of use over the two before, from which a customer is growing; it goes on down to the next."""
STILL_GROWING = 1.05
NEAR_LIMIT = 0.8
STILL_NEAR_LIMIT = 0.7
POOR_NPS = 6.0
POOR_CSAT = 2.0
SETTLED_DAYS = 90
"""A younger customer has not had the time to fill its seats."""


def adoption_lag(sight: Sight) -> list[Reading]:
    """Notice features that most customers of the same plan and age use, and this one does not."""
    f = sight.features
    if f.adoption.peers == 0 or not f.usage.active_days_7:
        return _as_before(sight, "adoption_lag")
    unused = f.adoption.lagging
    level = rising(len(unused), sight.limits)
    words = [name.replace("_", " ") for name in unused[:3]]
    title = "Everything that similar customers use is in use"
    if words:
        title = sentence(f"{listed(words)} unused, unlike most similar customers").removesuffix(".")
    evidence = {"features": list(unused), "peers": f.adoption.peers}
    is_severe = len(unused) >= sight.limits.severe
    usual = severity(is_severe=False, usual=Severity.MEDIUM if is_severe else Severity.INFO)
    return [Reading("adoption_lag", level, usual, title, evidence, sight.days_ago(1))]


def _as_before(sight: Sight, key: str) -> list[Reading]:
    """Keep what is open as it is, where today nothing can be said."""
    before = sight.opened.get(key)
    if before is None:
        return []
    return [Reading(key, Level.KEEP, Severity.INFO, "", before, None)]


def upsell_potential_low(sight: Sight) -> list[Reading]:
    """Notice a customer who pays for far more seats than it uses and does not grow: selling more is early."""
    f = sight.features
    share = seat_share(f)
    if share is None or f.tenure_days < SETTLED_DAYS:
        return []
    level = falling(share, sight.limits)
    if wants_more(f, is_open=False) and level is Level.OPEN:
        level = Level.HOLD
    title = f"{percent(share)} of the seats are in use, and use does not grow"
    if level is Level.CLEAR:
        title = "The seats are in use again"
    evidence = {"seats": f.commercial.seats, "used": f.usage.users_peak_28}
    return [Reading("upsell_potential_low", level, Severity.INFO, title, evidence, sight.days_ago(1))]


def expansion_blocker(sight: Sight) -> list[Reading]:
    """Notice a customer who could grow, while something of ours stands in the way."""
    f = sight.features
    before = sight.opened.get("expansion_blocker")
    held_up = blockers(f)
    if before is not None and _cannot_tell(f, before.get("blockers", ())):
        return _as_before(sight, "expansion_blocker")
    potential = wants_more(f, is_open=before is not None)
    level = rising(len(held_up) if potential else 0, sight.limits)
    title = "Nothing stands in the way of growth any more"
    if held_up:
        title = sentence(f"growth is held up by {listed(list(held_up.values()))}").removesuffix(".")
    evidence = {"blockers": sorted(held_up)}
    is_severe = len(held_up) >= sight.limits.severe
    return [
        Reading("expansion_blocker", level, severity(is_severe=is_severe), title, evidence, sight.days_ago(1))
    ]


def wants_more(f: CustomerFeatures, *, is_open: bool) -> bool:
    """Tell whether use grows, or nears a limit of the plan; what has been seen holds a little longer."""
    growth, share = month_ratio(f) or 0.0, f.usage.limit_share or 0.0
    if is_open:
        return growth >= STILL_GROWING or share >= STILL_NEAR_LIMIT
    return growth >= GROWING or share >= NEAR_LIMIT


def blockers(f: CustomerFeatures) -> dict[str, str]:
    """Return what stands in the way of a talk about more, by the kind of fact that tells it."""
    said = f.sentiment
    found = {
        "ticket": (f.support.overdue > 0, count(f.support.overdue, "overdue ticket")),
        "invoice": (f.commercial.past_due_days > 0, "an invoice that is past due"),
        "survey": (
            (said.nps is not None and said.nps <= POOR_NPS)
            or (said.csat is not None and said.csat <= POOR_CSAT),
            "a poor survey answer",
        ),
    }
    return {kind: words for kind, (holds, words) in found.items() if holds and f.fresh(kind).is_usable}


def _cannot_tell(f: CustomerFeatures, kinds: object) -> bool:
    """Tell whether what stood in the way is told by a source that has fallen silent since."""
    known = kinds if isinstance(kinds, list) else []
    return any(not f.fresh(str(kind)).is_usable for kind in known)
