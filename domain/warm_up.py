"""What a new sender domain has earned: it starts small, and grows while little of its mail comes back."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.sending import DAY, DomainLimits, SendingPolicy, WarmUp

USED_SHARE = 0.5
"""A day on which less of the warm-up's cap was sent proves nothing, and earns nothing."""
RESTING_SHARE = 0.5
"""From this part of a threshold on the warm-up rests."""


@dataclass(frozen=True)
class SentDay:
    """What a domain sent on one day, and what came back of it."""

    day: dt.date
    sent: int
    bounced: int
    complained: int


@dataclass(frozen=True)
class Earned:
    """What a warm-up allows on a day, and why."""

    per_day: int
    because: str


def earned(policy: SendingPolicy, limits: DomainLimits, days: Sequence[SentDay], today: dt.date) -> Earned:
    """Return what the warm-up allows today, by what came back of each day before it.

    A day earns growth if at least half of its cap was sent and little came back; a day with too much takes
    the last growth away again, never below the start. The caller has looked that there is a warm-up.
    """
    warm_up, target = limits.warm_up, limits.per_day
    assert warm_up is not None  # noqa: S101 - the caller asked
    assert target is not None  # noqa: S101 - validated with the warm-up
    told = {each.day: each for each in days}
    allowed, because = float(warm_up.start_per_day), "the warm-up's first day"
    day = warm_up.started_on
    while day < today and day <= max(told, default=day):
        allowed, because = _after_day(policy, warm_up, told, day, allowed)
        allowed = min(allowed, float(target))
        day += DAY
    allowed, because = _today(policy, warm_up, told, today, (allowed, because))
    return Earned(target, "the warm-up is over") if allowed >= target else Earned(int(allowed), because)


def _today(
    policy: SendingPolicy,
    warm_up: WarmUp,
    told: Mapping[dt.date, SentDay],
    today: dt.date,
    so_far: tuple[float, str],
) -> tuple[float, str]:
    """Take the last growth away at once where too much comes back on the day itself."""
    sent, strain, worst = _strain(policy, told, today)
    if today not in told or sent < policy.judged_from or strain <= 1:
        return so_far
    return _fallen_back(warm_up, so_far[0]), f"lowered: {worst}"


def _after_day(
    policy: SendingPolicy, warm_up: WarmUp, told: Mapping[dt.date, SentDay], day: dt.date, allowed: float
) -> tuple[float, str]:
    """Return what is allowed on the next day."""
    sent, strain, worst = _strain(policy, told, day)
    if sent >= policy.judged_from and strain > 1:
        return _fallen_back(warm_up, allowed), f"lowered: {worst}"
    if sent >= policy.judged_from and strain > RESTING_SHARE:
        return allowed, f"resting: {worst}"
    of_the_day = told[day].sent if day in told else 0
    if of_the_day < allowed * USED_SHARE:
        return allowed, "resting: less than half of the last day's cap was sent"
    return allowed * warm_up.growth, f"grown: {worst}"


def _strain(policy: SendingPolicy, told: Mapping[dt.date, SentDay], day: dt.date) -> tuple[int, float, str]:
    """Return what the days until this one sent, the worse rate in parts of its threshold, and words."""
    window = [told[each] for each in _days_until(day, policy.judged_days) if each in told]
    sent = sum(each.sent for each in window)
    bounces = sum(each.bounced for each in window) / max(sent, 1)
    complaints = sum(each.complained for each in window) / max(sent, 1)
    strain = max(bounces / policy.most_bounces, complaints / policy.most_complaints)
    return sent, strain, f"{bounces:.1%} bounced and {complaints:.2%} reported as spam"


def _fallen_back(warm_up: WarmUp, allowed: float) -> float:
    return max(allowed / warm_up.growth, float(warm_up.start_per_day))


def _days_until(day: dt.date, count: int) -> list[dt.date]:
    return [day - DAY * back for back in range(count)]
