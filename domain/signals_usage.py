"""Detectors that watch how the product is used."""

import datetime as dt

from domain.features import CustomerFeatures
from domain.risk_factors import LEAST_VOLUME, has_baseline, say_silence, say_usage_drop
from domain.signal_readings import Ending, Level, Reading, Sight, falling, rising, severity
from domain.vocabulary import Severity
from domain.wording import count, number, percent, sentence

ADAPTED_WEEKS = 12
"""After so long at another level, that level is this customer's usual one."""
RETURN_DAYS = 2
"""Active days in a week that make a return, not a slip of the finger."""


def _title(clause: str) -> str:
    return sentence(clause).removesuffix(".")


def usage_drop(sight: Sight) -> list[Reading]:
    """Compare the week with the usual one; recovery is measured against the level before the fall."""
    f = sight.features
    before = sight.opened.get("usage_drop")
    if before is None and not has_baseline(f):
        return []
    usual = float(before["baseline"]) if before else f.usage.baseline
    ratio = f.usage.week / usual if usual else 1.0
    level = falling(ratio, sight.limits)
    if before is None and f.usage.week >= f.usage.usual_low:
        level = Level.CLEAR
    evidence = {"baseline": round(usual, 1), "now": round(f.usage.week, 1), "ratio": round(ratio, 2)}
    if before is not None and _has_adapted(f):
        return [_usage_reading(sight, Level.CLEAR, evidence, Ending.NEW_NORMAL)]
    return [_usage_reading(sight, level, evidence, Ending.RECOVERED)]


def _has_adapted(f: CustomerFeatures) -> bool:
    """Tell whether even the best of the weeks in sight is at today's level."""
    known = f.usage.weeks[:ADAPTED_WEEKS]
    return len(known) == ADAPTED_WEEKS and f.usage.week >= 0.9 * max(known) and f.usage.week > 0


def _usage_reading(sight: Sight, level: Level, evidence: dict[str, float], ending: Ending) -> Reading:
    is_severe = evidence["ratio"] <= sight.limits.severe
    fall = _title(
        f"use fell from {number(evidence['baseline'])} to {count(evidence['now'], 'action')} a week"
    )
    return Reading(
        "usage_drop", level, severity(is_severe=is_severe), fall, evidence, _last_change(sight), ending
    )


def _last_change(sight: Sight) -> dt.date:
    """Return the last day that the week's sum rests on: the day after which it could only stay."""
    days = sight.features.usage.days_since_last
    return sight.days_ago(max(0, (days or 0) - 7))


def login_silence(sight: Sight) -> list[Reading]:
    """Notice when nobody uses the product for much longer than is this customer's habit."""
    f = sight.features
    days, gap = f.usage.days_since_last, f.usage.usual_gap_days
    if days is None or gap is None:
        return []
    opens = max(sight.limits.open, 3 * gap)
    returned = days <= sight.limits.close and f.usage.active_days_7 >= min(RETURN_DAYS, round(7 / gap) or 1)
    level = Level.OPEN if days >= opens else Level.CLEAR if returned else Level.HOLD
    evidence = {"last_used_on": sight.days_ago(days).isoformat(), "usual_gap_days": round(gap, 1)}
    is_severe = days >= max(sight.limits.severe, 3 * gap)
    title = _title(say_silence(f)) if level is not Level.CLEAR else "People use the product again"
    crossed = sight.days_ago(days - opens)
    return [Reading("login_silence", level, severity(is_severe=is_severe), title, evidence, crossed)]


def feature_drop_off(sight: Sight) -> list[Reading]:
    """Notice each mainstay that is not touched any more, one signal per feature.

    Where nothing at all is used, that is silence and not the loss of every feature.
    """
    usage = sight.features.usage
    gone = {f"feature_drop_off:{name}": name for name in usage.dropped if usage.active_days_7}
    open_names = {key: str(evidence["feature"]) for key, evidence in sight.opened.items()}
    readings = []
    for key, name in sorted((gone | open_names).items()):
        back = name in usage.used_7
        level = Level.CLEAR if back else Level.OPEN if key in gone else Level.HOLD
        words = name.replace("_", " ")
        title = f"{words} is used again" if back else f"{words}, a mainstay, is no longer used"
        is_severe = len(usage.dropped) >= sight.limits.severe
        crossed = sight.days_ago(1)
        readings.append(
            Reading(key, level, severity(is_severe=is_severe), _title(title), {"feature": name}, crossed)
        )
    return readings


def usage_surge(sight: Sight) -> list[Reading]:
    """Notice a week far above the usual range: a reason to talk about more."""
    f = sight.features
    before = sight.opened.get("usage_surge")
    if before is None and not has_baseline(f):
        return []
    usual = float(before["baseline"]) if before else f.usage.baseline
    ratio = f.usage.week / usual if usual else 1.0
    level = rising(ratio, sight.limits)
    if before is None and f.usage.week <= f.usage.usual_high:
        level = Level.CLEAR
    evidence = {"baseline": round(usual, 1), "now": round(f.usage.week, 1), "ratio": round(ratio, 2)}
    title = _title(say_usage_drop(f))
    return [Reading("usage_surge", level, Severity.INFO, title, evidence, _last_change(sight))]


def breadth_growth(sight: Sight) -> list[Reading]:
    """Notice when a customer takes up more of the product."""
    usage = sight.features.usage
    if usage.features_before < 1 or usage.month < LEAST_VOLUME:
        return []
    gained = usage.features_28 - usage.features_before
    evidence = {"features": usage.features_28, "before": usage.features_before}
    title = _title(f"{count(gained, 'more feature')} in use than the month before")
    level = rising(gained, sight.limits)
    return [Reading("breadth_growth", level, Severity.INFO, title, evidence, sight.days_ago(1))]


def onboarding_stall(sight: Sight) -> list[Reading]:
    """Notice a young customer whose onboarding does not come to its end."""
    f = sight.features
    done = f.is_onboarded or f.has_first_value
    young = f.tenure_days <= 4 * sight.limits.severe
    if not young and not sight.opened:
        return []
    level = Level.CLEAR if done or not young else rising(f.tenure_days, sight.limits)
    is_severe = f.tenure_days >= sight.limits.severe
    title = _title(f"not onboarded {count(f.tenure_days, 'day')} after the start")
    crossed = sight.days_ago(f.tenure_days - sight.limits.open)
    evidence = {"tenure_days": f.tenure_days}
    return [Reading("onboarding_stall", level, severity(is_severe=is_severe), title, evidence, crossed)]


def limit_proximity(sight: Sight) -> list[Reading]:
    """Notice a plan limit that is nearly full."""
    usage = sight.features.usage
    if usage.limit_share is None:
        return []
    level = rising(usage.limit_share, sight.limits)
    words = str(usage.limit_metric).replace("_", " ")
    title = _title(f"{words} is at {percent(usage.limit_share)} of the plan's limit")
    evidence = {"metric": usage.limit_metric, "share": round(usage.limit_share, 3)}
    usual = Severity.MEDIUM if usage.limit_share >= sight.limits.severe else Severity.INFO
    return [Reading("limit_proximity", level, usual, title, evidence, sight.days_ago(1))]
