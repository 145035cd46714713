"""The points table of the scorecard: what counts for how much, and how to say it."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.features import CustomerFeatures
from domain.vocabulary import HealthComponent
from domain.wording import count, number, percent

Reader = Callable[[CustomerFeatures], float | None]
FOREVER = float("inf")


@dataclass(frozen=True)
class Factor:
    """One line of the table. `bands` are tried in order, worst first; the first that fits counts."""

    key: str
    family: HealthComponent
    needs: str
    """The kind of fact it rests on; it abstains where nobody tells that, or where the source fell silent."""
    measures: str
    worse: str
    """`low`: a value at or below the limit fits; `high`: one at or above it."""
    bands: tuple[tuple[float, float], ...]
    read: Reader
    say: Callable[[CustomerFeatures], str]
    baseline: Reader = lambda _features: None
    now: Reader | None = None
    """The value to show, where the reading itself is a ratio."""

    def points(self, value: float) -> float:
        """Return the points of a reading."""
        for limit, points in self.bands:
            if (value <= limit) if self.worse == "low" else (value >= limit):
                return points
        return 0.0


LEAST_VOLUME = 5.0
"""Uses a week under which a ratio says nothing."""
LEAST_WEEKS = 3
QUIET_GAPS = 3.0
"""So many usual gaps without use are within a customer's habit."""
ONBOARDING_DAYS = 180
"""After half a year it is no longer a matter of onboarding."""
LEAST_TICKETS = 3
LEAST_FEATURES = 3
DAILY_GAP = 1.5


def has_baseline(f: CustomerFeatures) -> bool:
    """Tell whether there is a usual level to compare use with."""
    return len(f.usage.baseline_weeks) >= LEAST_WEEKS and f.usage.baseline >= LEAST_VOLUME


def week_ratio(f: CustomerFeatures) -> float | None:
    """Return the last week over the usual one; within the usual range it is no fall."""
    if not has_baseline(f):
        return None
    ratio = f.usage.week / f.usage.baseline
    return ratio if f.usage.week < f.usage.usual_low else max(ratio, 0.9)


def month_ratio(f: CustomerFeatures) -> float | None:
    """Return the last four weeks over the eight before; within their usual range it is no fall."""
    usage = f.usage
    if len(usage.weeks) < 4 + LEAST_WEEKS or usage.month_before < LEAST_VOLUME:
        return None
    ratio = usage.month / usage.month_before
    return ratio if usage.month < usage.usual_low_before else max(ratio, 1.0)


def long_ratio(f: CustomerFeatures) -> float | None:
    """Return the last four weeks over four weeks of half a year ago (a quarter, of a newer customer).

    A slow decline outruns every baseline that moves with it: who lost a tenth a week for months is within the
    usual range of the last two, and who has arrived at the bottom is steady.
    """
    before = f.usage.long_ago
    return f.usage.month / before if before is not None and before >= LEAST_VOLUME else None


def silence(f: CustomerFeatures) -> float | None:
    """Return days without use, 0 while they are within three usual gaps."""
    days, gap = f.usage.days_since_last, f.usage.usual_gap_days
    if days is None or gap is None:
        return None
    return float(days) if days >= QUIET_GAPS * gap else 0.0


def breadth_ratio(f: CustomerFeatures) -> float | None:
    """Return features used lately over those used in the month before; the loss of one is no loss."""
    now, before = f.usage.features_28, f.usage.features_before
    if before < LEAST_FEATURES:
        return None
    return now / before if before - now > 1 else max(now / before, 0.9)


def seat_share(f: CustomerFeatures) -> float | None:
    """Return people seen at their busiest over seats paid for."""
    seats, users = f.commercial.seats, f.usage.users_peak_28
    return users / seats if seats and users is not None else None


def stalled_days(f: CustomerFeatures) -> float | None:
    """Return how long a customer of the first half year has not been onboarded."""
    if f.tenure_days > ONBOARDING_DAYS or f.is_onboarded or f.has_first_value:
        return 0.0
    return float(f.tenure_days)


def surge_ratio(f: CustomerFeatures) -> float:
    """Return tickets of 30 days over the usual number; fewer than three are no surge."""
    support = f.support
    return support.opened_30 / max(support.opened_usual, 1.0) if support.opened_30 >= LEAST_TICKETS else 0.0


def revenue_change(f: CustomerFeatures) -> float | None:
    """Return the relative change of recurring revenue over 90 days."""
    before = f.commercial.mrr_before_minor
    return f.commercial.mrr_minor / before - 1 if before > 0 else None


def sentiment_change(f: CustomerFeatures) -> float | None:
    """Return the change of tone in tickets."""
    now, before = f.sentiment.tickets, f.sentiment.tickets_before
    return now - before if now is not None and before is not None else None


def say_usage_drop(f: CustomerFeatures) -> str:
    """Say how a week of use compares with the usual one."""
    verb = "fell" if f.usage.week < f.usage.baseline else "rose"
    return f"use {verb} from {number(f.usage.baseline)} to {count(f.usage.week, 'action')} a week"


def say_silence(f: CustomerFeatures) -> str:
    """Say how long nobody used the product, and what was usual."""
    gap = f.usage.usual_gap_days or 0.0
    usual = "every day" if gap < DAILY_GAP else f"every {number(gap)} days"
    return f"nobody has used the product for {count(f.usage.days_since_last or 0, 'day')} (usually {usual})"


def say_overdue(f: CustomerFeatures) -> str:
    """Say how many tickets are past their deadline."""
    verb = "is" if f.support.overdue == 1 else "are"
    days = count(f.support.oldest_overdue_days, "day")
    return f"{count(f.support.overdue, 'ticket')} {verb} overdue, the oldest by {days}"


def say_surge(f: CustomerFeatures) -> str:
    """Say how many tickets came, and how many are usual."""
    usual = number(f.support.opened_usual) if f.support.opened_usual else "none"
    return f"{count(f.support.opened_30, 'ticket')} in 30 days, usually {usual}"


def say_past_due(f: CustomerFeatures) -> str:
    """Say for how long money is owed."""
    return f"an invoice is {count(f.commercial.past_due_days, 'day')} past due"


def say_revenue(f: CustomerFeatures) -> str:
    """Say how recurring revenue changed."""
    change = revenue_change(f) or 0.0
    verb = "fell" if change < 0 else "grew"
    return f"recurring revenue {verb} by {percent(abs(change))} in 90 days"


def say_month(f: CustomerFeatures) -> str:
    """Say how a month of use compares with the two before."""
    usage = f.usage
    verb = "down" if usage.month < usage.month_before else "up"
    return f"four weeks of use are {verb} to {number(usage.month)} a week from {number(usage.month_before)}"


def say_long(f: CustomerFeatures) -> str:
    """Say how a month of use compares with one of long ago."""
    before = f.usage.long_ago or 0.0
    when = "a quarter" if f.usage.half_year_ago is None else "half a year"
    verb, now = "down" if f.usage.month < before else "up", number(f.usage.month)
    return f"four weeks of use are {verb} to {now} a week from {number(before)} {when} ago"


def say_dropped(f: CustomerFeatures) -> str:
    """Say which mainstay is no longer used."""
    dropped = f.usage.dropped
    if len(dropped) == 1:
        return f"{dropped[0].replace('_', ' ')}, a mainstay, is no longer used"
    return f"{len(dropped)} features they relied on are no longer used"


def say_breadth(f: CustomerFeatures) -> str:
    """Say how many features are in use."""
    usage = f.usage
    return f"{count(usage.features_28, 'feature')} in use, {number(usage.features_before)} the month before"
