"""Churn, gross and net revenue retention, and time to value, from facts (DESIGN section 10).

For the opening cohort with opening recurring revenue S and closing E, new customers excluded: logo churn is
the share that left, GRR = sum min(E, S) / sum S, NRR = sum E / sum S. A figure of nobody is None.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from domain.labels import Relation
from domain.time import BusinessInstant

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Held:
    """One customer of the opening cohort over a period; revenue is monthly, in minor units."""

    opening_minor: int
    closing_minor: int
    left: bool


@dataclass(frozen=True)
class Wait:
    """One customer's wait for first value, as far as the period shows it. Ages are days since the start."""

    entered: float
    """Age at which we began to look: 0 for who started in the period."""
    until: float
    """Age at first value, or at which we stopped looking."""
    reached: bool


def held(relation: Relation, opening: BusinessInstant, closing: BusinessInstant) -> Held | None:
    """Return what a period did to a customer; None for one that paid nothing at its opening."""
    if not relation.is_live_at(opening):
        return None
    before = relation.mrr_minor_at(opening)
    if before <= 0:
        return None
    left = not relation.is_live_at(closing)
    return Held(before, 0 if left else relation.mrr_minor_at(closing), left)


def wait(
    relation: Relation,
    first_value_at: BusinessInstant | None,
    opening: BusinessInstant,
    closing: BusinessInstant,
) -> Wait | None:
    """Return the part of a wait that lies within a period; None where there is none.

    Who has not reached value by the closing, or left before, counts as waiting until then, so that the slow
    ones are not forgotten; who was waiting at the opening already counts from that age on.
    """
    started = relation.started_at
    gone = relation.left_within(started, closing)
    end = closing if gone is None else min(gone.since, closing)
    reached = first_value_at is not None and first_value_at <= end
    until = first_value_at if reached and first_value_at is not None else end
    begins = max(started, opening)
    if until <= begins:
        return None
    return Wait((begins - started) / DAY, (until - started) / DAY, reached)


def logo_churn(cohort: Sequence[Held]) -> float | None:
    """Return the share of the customers that left."""
    return sum(one.left for one in cohort) / len(cohort) if cohort else None


def gross_retention(cohort: Sequence[Held]) -> float | None:
    """Return GRR: what stayed of the opening revenue, growth left out customer by customer."""
    opening = sum(one.opening_minor for one in cohort)
    return sum(min(one.opening_minor, one.closing_minor) for one in cohort) / opening if opening else None


def net_retention(cohort: Sequence[Held]) -> float | None:
    """Return NRR: what became of the opening revenue, growth counted."""
    opening = sum(one.opening_minor for one in cohort)
    return sum(one.closing_minor for one in cohort) / opening if opening else None


def median_wait(waits: Sequence[Wait]) -> float | None:
    """Return the age in days by which half have reached first value; None while fewer have.

    The product-limit estimate with delayed entry (Kaplan and Meier 1958; Klein and Moeschberger, 4.6).
    """
    waiting = 1.0
    for age in sorted({one.until for one in waits if one.reached}):
        at_risk = sum(one.entered < age <= one.until for one in waits)
        waiting *= 1 - sum(one.reached and one.until == age for one in waits) / at_risk
        if waiting <= 1 / 2:
            return age
    return None
