"""Which offer a former customer gets, if any: pure arithmetic over a policy, with its reasons in words."""

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from domain.case_vocabulary import OfferState
from domain.money import minor_per_unit, say_money
from domain.offer_policy import OfferPolicy, Rung
from domain.time import BusinessInstant, after
from domain.vocabulary import CancellationReason

MONTH = dt.timedelta(days=365.25 / 12)
DISCOUNT = "discount"
UNUSED = frozenset({OfferState.EXPIRED, OfferState.WITHDRAWN})
OPEN = frozenset({OfferState.PROPOSED, OfferState.GRANTED})
AMOUNT = "amount"
"""What evidence names an offer with that is made as an amount off one invoice."""


@dataclass(frozen=True)
class PastOffer:
    """An offer that this customer had, of whatever run or case."""

    state: OfferState
    expires_at: BusinessInstant | None = None
    redeemed_at: BusinessInstant | None = None
    is_of_this_case: bool = False
    was_made: bool = True
    """The customer could use it; what nobody agreed to, or nobody could make, was never before them."""


@dataclass(frozen=True)
class OfferFacts:
    """What speaks for and against an offer to one customer. Money in minor units."""

    arr_minor: int
    """Yearly revenue before they left."""
    currency: str
    tenure: dt.timedelta
    reason: CancellationReason | None = None
    past: tuple[PastOffer, ...] = ()
    billing_months: int = 1
    """So many months one bill of theirs is for."""
    has_discount: bool = False
    """Something they pay, or would pay again, is discounted already."""
    returns: tuple[BusinessInstant, ...] = ()
    """When they came back after leaving."""
    disputed_payments: int = 0
    used_by_twins: tuple[str, ...] = ()
    """What they share with another customer who has used an offer: an address, a domain, a card."""


@dataclass(frozen=True)
class Offer:
    """A discount: single use, expiring, and what it costs us."""

    percent: float
    months: int
    currency: str
    cost_minor: int
    """Revenue forgone over its months if it is used."""
    margin: float
    """Gross margin that is left of what they pay with it, as a share."""
    expires_at: BusinessInstant
    approval: str = ""
    """Why a person has to agree to it; empty where the policy does."""
    evidence: dict[str, str] = field(default_factory=dict)
    """What it was chosen by, in words."""

    @property
    def title(self) -> str:
        """The offer in a few words."""
        months = "month" if self.months == 1 else f"{self.months} months"
        return f"{self.percent:g} % off for {'a ' if self.months == 1 else ''}{months}"


@dataclass(frozen=True)
class NoOffer:
    """Nothing is offered, and why."""

    reason: str
    sentence: str


def choose_offer(facts: OfferFacts, policy: OfferPolicy, now: BusinessInstant) -> Offer | NoOffer:
    """Return what may be offered now: never two at once, never below the floor of the margin."""
    for check in CHECKS:
        found = check(facts, policy, now)
        if found is not None:
            return found
    fitting = [rung for rung in policy.ladder if _fits(rung, facts)]
    if not fitting:
        return NoOffer("no_rung", "no rung of the ladder is for a customer like this")
    rung = fitting[-1]
    percent = min(rung.percent, policy.most_percent)
    if percent < policy.least_percent:
        return NoOffer("margin_floor", f"the floor of the margin leaves {percent:g} % to give away")
    return _offer(rung, percent, facts, policy, now)


def _offer(rung: Rung, percent: float, facts: OfferFacts, policy: OfferPolicy, now: BusinessInstant) -> Offer:
    cost = math.ceil(Fraction(facts.arr_minor * rung.months, 12) * Fraction(str(percent)) / 100)
    margin = policy.margin_after(percent)
    return Offer(
        percent=percent,
        months=rung.months,
        currency=facts.currency,
        cost_minor=cost,
        margin=margin,
        expires_at=after(now, dt.timedelta(days=policy.valid_days)),
        approval=_approval(percent, cost, facts.currency, policy),
        evidence=_evidence(rung, percent, facts, policy)
        | {"margin": f"{margin:.0%} is left of what they pay"}
        | say_amount(rung.months, facts.billing_months),
    )


def is_amount(months: int | None, billing_months: int) -> bool:
    """Tell whether a share for some months is made as an amount off one bill, which is for more months.

    A share would be taken off the whole bill, and a year that is paid at once be discounted for the year:
    https://docs.stripe.com/billing/subscriptions/coupons
    """
    return months is not None and billing_months > months


def say_amount(months: int | None, billing_months: int) -> dict[str, str]:
    """Return the evidence of an offer that is made as an amount, and none of any other."""
    words = f"taken off one invoice, since they pay {billing_months} months at once"
    return {AMOUNT: words} if is_amount(months, billing_months) else {}


def _approval(percent: float, cost: int, currency: str, policy: OfferPolicy) -> str:
    limit = policy.approve_above_cost * minor_per_unit(currency)
    if percent > policy.approve_above_percent:
        return f"{percent:g} % is more than {policy.approve_above_percent:g} %"
    if cost > limit:
        return f"it costs {say_money(cost, currency)}, more than {say_money(limit, currency)}"
    return ""


def _evidence(rung: Rung, percent: float, facts: OfferFacts, policy: OfferPolicy) -> dict[str, str]:
    place = policy.ladder.index(rung) + 1
    cut = f", cut from {rung.percent:g} % by the floor of the margin" if percent < rung.percent else ""
    unused = _unused(facts.past)
    return {
        "rung": f"rung {place} of {len(policy.ladder)}{cut}",
        "value": f"{say_money(facts.arr_minor, facts.currency)} a year before they left",
        "tenure": f"{_months(facts.tenure)} months a customer",
        "reason": facts.reason.value.replace("_", " ") if facts.reason else "no reason told",
        "before": f"{unused} of this departure left unused" if unused else "nothing offered before",
        "misuse": "no sign: no other customer with the same address, domain or card has used one",
    }


def _fits(rung: Rung, facts: OfferFacts) -> bool:
    return (
        facts.arr_minor >= rung.least_arr * minor_per_unit(facts.currency)
        and _months(facts.tenure) >= rung.least_tenure_months
        and (not rung.reasons or facts.reason in rung.reasons)
        and _unused(facts.past) >= rung.after
    )


def _months(tenure: dt.timedelta) -> int:
    return int(tenure / MONTH)


def _unused(past: Sequence[PastOffer]) -> int:
    return sum(one.is_of_this_case and one.was_made and one.state in UNUSED for one in past)


def _worth_something(facts: OfferFacts, _policy: OfferPolicy, _now: BusinessInstant) -> NoOffer | None:
    """Refuse a discount on nothing: of whom we know no price, we know no cost either."""
    return None if facts.arr_minor > 0 else NoOffer("no_revenue", "no revenue is known to discount")


def _asked_once(facts: OfferFacts, _policy: OfferPolicy, _now: BusinessInstant) -> NoOffer | None:
    """Take a person's no for this departure."""
    if any(one.is_of_this_case and one.state is OfferState.REFUSED for one in facts.past):
        return NoOffer("refused", "a person has refused an offer of this departure")
    return None


def _not_stacked(facts: OfferFacts, policy: OfferPolicy, now: BusinessInstant) -> NoOffer | None:
    """Refuse a second one beside what is open, used lately, or discounted already."""
    if any(is_open(one, now) for one in facts.past):
        return NoOffer("open_offer", "another offer is open")
    since = after(now, -policy.apart_months * MONTH)
    if any(one.redeemed_at is not None and one.redeemed_at > since for one in facts.past):
        return NoOffer("used_lately", f"an offer was used in the last {policy.apart_months} months")
    return NoOffer("discounted", "a discount is running already") if facts.has_discount else None


def _not_misused(facts: OfferFacts, policy: OfferPolicy, now: BusinessInstant) -> NoOffer | None:
    """Refuse who shares too much with somebody who had one, who leaves for discounts, or disputes."""
    if facts.used_by_twins:
        shared = ", ".join(facts.used_by_twins)
        return NoOffer("shared", f"another customer has used an offer with the same {shared}")
    since = after(now, -policy.returns_within_months * MONTH)
    came_back = sum(at > since for at in facts.returns)
    if came_back >= policy.most_returns:
        lately = f"in {policy.returns_within_months} months"
        return NoOffer("leaves_and_returns", f"they have left and come back {came_back} times {lately}")
    if facts.disputed_payments:
        return NoOffer("disputed_payments", f"{facts.disputed_payments} of their payments were disputed")
    return None


def is_open(offer: PastOffer, now: BusinessInstant) -> bool:
    """Tell whether an offer is proposed or can still be used."""
    return offer.state in OPEN and (offer.expires_at is None or offer.expires_at > now)


def speaks_against(facts: OfferFacts, policy: OfferPolicy, now: BusinessInstant) -> NoOffer | None:
    """Return why a person's offer must not be made either: another beside it, or signs of misuse."""
    return _not_stacked(facts, policy, now) or _not_misused(facts, policy, now)


CHECKS: tuple[Callable[[OfferFacts, OfferPolicy, BusinessInstant], NoOffer | None], ...] = (
    _worth_something,
    _asked_once,
    _not_stacked,
    _not_misused,
)
