"""Where the commercial relation stands, from what subscriptions and cancellations say together."""

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from domain.time import BusinessInstant
from domain.vocabulary import CancellationReason, CustomerStatus

SHORTEST_RENEWING_TERM = 3
"""Months. A monthly bill is not a contract that comes up for renewal; a quarter or more is."""


@dataclass(frozen=True)
class Term:
    """One subscription as far as the relation depends on it."""

    started_at: BusinessInstant
    ended_at: BusinessInstant | None
    ended_known_at: BusinessInstant | None
    mrr_minor: int
    currency: str
    is_trial: bool
    billing_months: int | None
    canceled: bool = False

    def runs_at(self, now: BusinessInstant) -> bool:
        """Tell whether the term is running, or will."""
        if self.ended_at is None:
            return not self.canceled
        return self.ended_at > now


@dataclass(frozen=True)
class Departure:
    """A customer said that they leave, or that they are back."""

    occurred_at: BusinessInstant
    known_at: BusinessInstant
    reason: str
    reactivated: bool


@dataclass(frozen=True)
class Standing:
    """The verdict: status, recurring revenue, and since when a churned customer is gone."""

    status: CustomerStatus
    arr_minor: int
    last_arr_minor: int
    """Recurring revenue now, or, of a churned customer, just before it left (what its tier rests on)."""
    currency: str
    renewal_on: dt.date | None
    churned_at: BusinessInstant | None = None
    churn_known_at: BusinessInstant | None = None
    reason: CancellationReason | None = None


@dataclass(frozen=True)
class Declared:
    """What the source says of the relation itself; None where it says nothing."""

    status: CustomerStatus | None = None
    arr_minor: int | None = None
    currency: str | None = None
    renewal_on: dt.date | None = None
    told_at: BusinessInstant | None = None


def standing(
    declared: Declared, terms: Sequence[Term], departures: Sequence[Departure], now: BusinessInstant
) -> Standing:
    """Weigh the evidence: what happened (departures, ended terms) beats what the source declares."""
    currency = declared.currency or _main_currency(terms)
    gone = _departure(terms, departures, now) or _end_of_terms(terms, now) or _declared_end(declared)
    if gone is not None:
        before = BusinessInstant(gone.occurred_at - dt.timedelta(microseconds=1))
        revenue = _arr(declared, terms, currency, before)
        reason = _reason(gone.reason)
        return Standing(
            CustomerStatus.CHURNED, 0, revenue, currency, None, gone.occurred_at, gone.known_at, reason
        )
    revenue = _arr(declared, terms, currency, now)
    renewal = declared.renewal_on or _next_renewal(terms, now)
    return Standing(_living_status(declared, terms, now), revenue, revenue, currency, renewal)


def _reason(word: str) -> CancellationReason:
    return CancellationReason(word) if word in set(CancellationReason) else CancellationReason.OTHER


def _main_currency(terms: Sequence[Term]) -> str:
    totals: dict[str, int] = {}
    for term in terms:
        totals[term.currency] = totals.get(term.currency, 0) + term.mrr_minor
    return max(totals, key=lambda code: (totals[code], code)) if totals else "USD"


def _arr(declared: Declared, terms: Sequence[Term], currency: str, at: BusinessInstant) -> int:
    if declared.arr_minor is not None:
        return declared.arr_minor
    paid = (
        t for t in terms if t.started_at <= at and t.runs_at(at) and not t.is_trial and t.currency == currency
    )
    return 12 * sum(term.mrr_minor for term in paid)


def _departure(
    terms: Sequence[Term], departures: Sequence[Departure], now: BusinessInstant
) -> Departure | None:
    """Return the last departure, unless the customer came back: said so, or began another term since."""
    past = [one for one in departures if one.occurred_at <= now]
    if not past:
        return None
    last = max(past, key=lambda one: (one.occurred_at, one.known_at))
    back = last.reactivated or any(last.occurred_at < term.started_at <= now for term in terms)
    return None if back else last


def _end_of_terms(terms: Sequence[Term], now: BusinessInstant) -> Departure | None:
    """Return the end of the last term, where there were terms and none runs or is to begin."""
    if not terms or any(term.runs_at(now) for term in terms):
        return None
    last = max(terms, key=lambda term: term.ended_at or term.started_at)
    ended = last.ended_at or last.started_at
    return Departure(ended, last.ended_known_at or ended, CancellationReason.OTHER, reactivated=False)


def _declared_end(declared: Declared) -> Departure | None:
    if declared.status is not CustomerStatus.CHURNED or declared.told_at is None:
        return None
    return Departure(declared.told_at, declared.told_at, CancellationReason.OTHER, reactivated=False)


def _living_status(declared: Declared, terms: Sequence[Term], now: BusinessInstant) -> CustomerStatus:
    running = [term for term in terms if term.runs_at(now)]
    if running:
        trial = all(term.is_trial for term in running)
        return CustomerStatus.TRIAL if trial else CustomerStatus.ACTIVE
    return declared.status or CustomerStatus.ACTIVE


def _next_renewal(terms: Sequence[Term], now: BusinessInstant) -> dt.date | None:
    dates = [_term_end(term, now) for term in terms if term.runs_at(now) and not term.is_trial]
    return min((date for date in dates if date is not None), default=None)


def _term_end(term: Term, now: BusinessInstant) -> dt.date | None:
    if term.ended_at is not None:
        return term.ended_at.date()
    if term.billing_months is None or term.billing_months < SHORTEST_RENEWING_TERM:
        return None
    return next_period_end(term.started_at.date(), term.billing_months, now.date())


def next_period_end(start: dt.date, months: int, today: dt.date) -> dt.date:
    """Return the first end of a billing period after today, of periods of so many months since the start."""
    elapsed = (today.year - start.year) * 12 + today.month - start.month
    count = max(1, elapsed // months)
    while add_months(start, count * months) <= today:
        count += 1
    return add_months(start, count * months)


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day of a later month, or that month's last day where it is shorter."""
    year, month = divmod(day.month - 1 + months, 12)
    year += day.year
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))
