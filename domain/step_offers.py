"""What a granted `offer` step is worth, and in which shape a billing provider makes it. Pure arithmetic."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from domain.offer_policy import OfferPolicy
from domain.offers import DISCOUNT

FREE_MONTHS = "free_months"
MADE = frozenset({DISCOUNT, FREE_MONTHS})
"""Kinds of which a billing provider makes a code; credits and upgrades are done by people."""


def is_made(kind: str) -> bool:
    """Tell whether a billing provider makes a code of it."""
    return kind in MADE


@dataclass(frozen=True)
class Paid:
    """One running term: what it brings a month, in minor units, and how many months it bills at once."""

    mrr_minor: int
    billing_months: int = 1


@dataclass(frozen=True)
class Discount:
    """The shape of a discount: a share of the price for some months, or an amount off one invoice."""

    percent: float | None = None
    months: int | None = None
    """None is the next invoice alone."""
    amount_minor: int | None = None


def share_of(kind: str, percent: float | None) -> Fraction:
    """Return what it takes off a price, from 0 to 1."""
    return Fraction(1) if kind == FREE_MONTHS else Fraction(str(percent or 0)) / 100


def forgone(kind: str, percent: float | None, months: int | None, terms: Sequence[Paid]) -> int:
    """Return the revenue that it costs if it is used, rounded up, in minor units.

    Without months it is off one invoice of each term: the months that this one bills.
    """
    revenue = sum(term.mrr_minor * (months or term.billing_months) for term in terms)
    return math.ceil(revenue * share_of(kind, percent))


def margin_left(kind: str, percent: float | None, policy: OfferPolicy) -> float | None:
    """Return the margin on what they pay with it, as a share; None where they pay nothing."""
    share = share_of(kind, percent)
    return policy.margin_after(float(share * 100)) if share < 1 else None


def longest_bill(terms: Sequence[Paid]) -> int:
    """Return how many months the longest bill is for."""
    return max((term.billing_months for term in terms), default=1)


def shape_of(kind: str, percent: float | None, months: int | None, amount_minor: int | None) -> Discount:
    """Return how it is made; `amount_minor` is what it is worth where it is made as an amount."""
    if amount_minor is not None:
        return Discount(amount_minor=amount_minor)
    return Discount(percent=float(share_of(kind, percent) * 100), months=months)
