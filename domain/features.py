"""What we know of one customer as of one instant: one row of numbers, never looked up again later."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.money import whole_units
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, Segment, TouchTier

KINDS = (
    "usage",
    "ticket",
    "survey",
    "meeting",
    "goal",
    "invoice",
    "subscription",
    "touchpoint",
    "contact",
    "onboarding",
)
"""Kinds of fact that verdicts rest on, in the words of `domain.facts`."""

BASELINE_WEEKS = 8
"""Weeks before the current one that make a customer's own baseline."""
LONG_WEEKS = 12
"""Weeks of use from which the oldest four say what was usual long ago."""


@dataclass(frozen=True, slots=True)
class KindFreshness:
    """Whether anybody tells this kind of fact, and when the newest one about this customer is from."""

    provided: bool = False
    silent: bool = False
    connected_at: BusinessInstant | None = None
    last_on: dt.date | None = None
    settling: bool = False
    """It was silent until lately: what was missed is still coming in, or never will."""
    fresh_from: dt.date | None = None
    """Where what was missed never came: when it was told again."""

    def is_fresh_for(self, days: int, today: dt.date) -> bool:
        """Tell whether a detector that looks back so many days looks at days that were told."""
        return self.fresh_from is None or (today - self.fresh_from).days >= days

    @property
    def is_usable(self) -> bool:
        """Somebody tells it and is still talking: only then does silence of a customer mean anything."""
        return self.provided and not self.silent and not self.settling


ABSENT = KindFreshness()


def _lower_quarter(weeks: tuple[float, ...]) -> float:
    ordered = sorted(weeks)
    return ordered[len(ordered) // 4] if ordered else 0.0


@dataclass(frozen=True, slots=True)
class FeatureUse:
    """Use of one feature of the product in the last 28 and 91 complete days, and what it was worth."""

    quantity_28: float
    quantity_91: float
    value_91: float = 0.0


@dataclass(frozen=True, slots=True)
class UsageNumbers:
    """Use of the product. Weeks are the seven complete days before as-of, and the weeks before those."""

    weeks: tuple[float, ...] = ()
    """Quantity per week, newest first, as far back as the first use (at most thirteen)."""
    half_year_ago: float | None = None
    """Quantity in the mean week of the four that ended half a year ago; None: no use was known before."""
    active_days_7: int = 0
    active_days_28: int = 0
    active_days_91: int = 0
    usual_gap_days: float | None = None
    """Days from one active day to the next, over the eight weeks up to the last use."""
    users_28: float | None = None
    users_before: float | None = None
    """People per active day in the last 28 days, and in the eight weeks before those."""
    users_peak_28: int | None = None
    features_28: int = 0
    features_before: int = 0
    """Features used in the last 28 days, and in the 28 days before those."""
    dropped: tuple[str, ...] = ()
    """Mainstays of the eight weeks before, untouched for a fortnight."""
    used_7: frozenset[str] = frozenset()
    used_91: frozenset[str] = frozenset()
    """Features used in the last thirteen weeks."""
    by_feature: Mapping[str, FeatureUse] = field(default_factory=dict)
    """The same, with how much."""
    days_since_last: int | None = None
    first_on: dt.date | None = None
    limit_metric: str | None = None
    limit_share: float | None = None
    """Use over ceiling, of the plan's limit that is nearest to full."""
    limits_used: float | None = None
    """Mean of use over ceiling, each at most 1, of all the plan's limits that are measured."""

    @property
    def week(self) -> float:
        """Quantity in the last seven complete days."""
        return self.weeks[0] if self.weeks else 0.0

    @property
    def baseline_weeks(self) -> tuple[float, ...]:
        """The weeks that the current one is compared with."""
        return self.weeks[1 : 1 + BASELINE_WEEKS]

    @property
    def baseline(self) -> float:
        """The median of those weeks: one odd week moves it little."""
        ordered = sorted(self.baseline_weeks)
        if not ordered:
            return 0.0
        middle = len(ordered) // 2
        return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2

    @property
    def usual_low(self) -> float:
        """The lower quarter of those weeks: what is below it is below the usual range."""
        return _lower_quarter(self.baseline_weeks)

    @property
    def usual_high(self) -> float:
        """The strongest of those weeks."""
        return max(self.baseline_weeks, default=0.0)

    @property
    def month(self) -> float:
        """Mean week of the last four."""
        recent = self.weeks[:4]
        return sum(recent) / len(recent) if recent else 0.0

    @property
    def month_before(self) -> float:
        """Mean week of the eight before those."""
        earlier = self.weeks[4:12]
        return sum(earlier) / len(earlier) if earlier else 0.0

    @property
    def long_ago(self) -> float | None:
        """Mean week of half a year ago; of a newer customer the oldest month of a quarter that is known."""
        if self.half_year_ago is not None or len(self.weeks) < LONG_WEEKS:
            return self.half_year_ago
        return sum(self.weeks[-4:]) / 4

    @property
    def usual_low_before(self) -> float:
        """The lower quarter of those eight."""
        return _lower_quarter(self.weeks[4:12])


@dataclass(frozen=True, slots=True)
class AdoptionNumbers:
    """What customers of the same plan and age use, and this one does not."""

    lagging: tuple[str, ...] = ()
    """Features that most peers use and this customer has not touched in thirteen weeks."""
    peers: int = 0
    usual: int = 0
    """Features that most peers use."""


@dataclass(frozen=True, slots=True)
class SupportNumbers:
    """Tickets as known."""

    open: int = 0
    overdue: int = 0
    oldest_overdue_days: int = 0
    opened_30: int = 0
    opened_usual: float = 0.0
    """Tickets per 30 days in the 90 days before the last 30."""
    escalated: int = 0
    """Escalated and open, or escalated within 30 days."""
    satisfaction: float | None = None
    """Mean of the answers (1 to 5) of the last 90 days."""
    breached_30: int = 0
    """Service targets that passed unmet in the last 30 days, whether met late or still missed."""
    breached_days: int | None = None
    """Days since the newest of them passed."""
    oldest_open_days: int = 0
    reopened_open: int = 0
    """Open tickets that had been resolved before."""


@dataclass(frozen=True, slots=True)
class SentimentNumbers:
    """What people said."""

    tickets: float | None = None
    tickets_before: float | None = None
    """Mean sentiment (-1 to 1) of tickets of the last 30 days, and of the 180 before."""
    nps: float | None = None
    nps_on: dt.date | None = None
    nps_before: float | None = None
    csat: float | None = None
    csat_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class RelationshipNumbers:
    """Who is there and when we last spoke."""

    contacts: int = 0
    champions: int = 0
    executives: int = 0
    champion_left_days: int | None = None
    """Days since the last champion who left, within 180."""
    touch_in_days: int | None = None
    touch_out_days: int | None = None
    executive_days: int | None = None
    """Days since an executive sponsor was met or reached."""
    last_touch_at: BusinessInstant | None = None
    meetings_90: int = 0
    qbr_missed: int = 0
    qbr_missed_days: int | None = None

    @property
    def touch_days(self) -> int | None:
        """Days since the last contact in either direction."""
        known = [days for days in (self.touch_in_days, self.touch_out_days) if days is not None]
        return min(known, default=None)


@dataclass(frozen=True, slots=True)
class CommercialNumbers:
    """Contract and money; amounts in minor units of the customer's currency."""

    active_subscriptions: int = 0
    past_subscriptions: int = 0
    mrr_minor: int = 0
    mrr_before_minor: int = 0
    """Monthly recurring revenue now, and 90 days ago."""
    currency: str = "USD"
    seats: int | None = None
    discount: float | None = None
    auto_renew: bool | None = None
    billing_months: int | None = None
    renewal_days: int | None = None
    period_days: int | None = None
    """Days to the end of the billing period that ends next, be it a month's."""
    ending_days: int | None = None
    """Days to an end that is announced: a term that was cancelled and still runs."""
    unchanged_days: int | None = None
    """Days since the newest active term began."""
    past_due_minor: int = 0
    past_due_days: int = 0
    failed_attempts: int = 0

    @property
    def mrr(self) -> float:
        """In whole units."""
        return whole_units(self.mrr_minor, self.currency)

    @property
    def mrr_before(self) -> float:
        """In whole units, 90 days ago."""
        return whole_units(self.mrr_before_minor, self.currency)


@dataclass(frozen=True, slots=True)
class OutcomeNumbers:
    """Goals."""

    goals: int = 0
    achieved: int = 0
    overdue: int = 0
    progress: float | None = None
    """Mean progress (0 to 1) of all goals."""


@dataclass(frozen=True, slots=True)
class CustomerFeatures:
    """One customer as of one instant. Verdicts are pure functions of this and of policy."""

    customer_id: uuid.UUID
    as_of: BusinessInstant
    segment: Segment
    touch_tier: TouchTier
    status: CustomerStatus
    known_on: dt.date
    tenure_days: int = 0
    is_onboarded: bool = False
    has_first_value: bool = False
    usage: UsageNumbers = field(default_factory=UsageNumbers)
    support: SupportNumbers = field(default_factory=SupportNumbers)
    sentiment: SentimentNumbers = field(default_factory=SentimentNumbers)
    relationship: RelationshipNumbers = field(default_factory=RelationshipNumbers)
    commercial: CommercialNumbers = field(default_factory=CommercialNumbers)
    outcomes: OutcomeNumbers = field(default_factory=OutcomeNumbers)
    adoption: AdoptionNumbers = field(default_factory=AdoptionNumbers)
    plan: str | None = None
    freshness: Mapping[str, KindFreshness] = field(default_factory=dict)

    def fresh(self, kind: str) -> KindFreshness:
        """Return how fresh a kind of fact is; unknown kinds are absent."""
        return self.freshness.get(kind, ABSENT)

    @property
    def data_on(self) -> dt.date | None:
        """The day of the newest fact about this customer."""
        return max((kind.last_on for kind in self.freshness.values() if kind.last_on), default=None)
