"""What became of a customer after a run opened for it, or was withheld: what effects are read from.

A label asks the same of every arm, and nothing that only one of them can have: how a run says that it ended
is a claim, not a label. It is read once its window has passed, with the grace within which a lapsed customer
may still come back (domain/labels.py).
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from domain.labels import GRACE, Relation, churn_label, expansion_label
from domain.time import BusinessInstant, after
from domain.vocabulary import RiskTier


class Measure(StrEnum):
    """By what a customer's arm is judged."""

    RECOVERED = "recovered"
    """Use that had fallen was back within 14 days: early, and only a sign."""
    STAYED = "stayed"
    """Still a customer after 90 days: late, and what it is about."""
    GOAL = "goal"
    """The run reached its goal: only variants of one playbook can be compared by it."""


class TrialLabel(StrEnum):
    """What became of it."""

    SAVED = "saved"
    CHURNED = "churned"
    RECOVERED = "recovered"
    REACTIVATED = "reactivated"
    LOST = "lost"
    EXPANDED = "expanded"
    RENEWED = "renewed"
    NO_CHANGE = "no_change"


RECOVERY_DAYS = 14
STAY_DAYS = 90
SETTLES = dt.timedelta(days=2)
"""Usage of a day is told within so long: the early label waits for it."""
USUAL_WEEKS = 8
"""A usual week is the median of so many, before the one that went before."""
LEAST_WEEKS = 4
"""So many of them with any use, or there is no usual week to come back to."""
FALLEN = 0.85
"""Below this share of a usual week use has fallen; from it on it is back (an edge of `usage_week`)."""
WINDOWS = {
    Measure.RECOVERED: dt.timedelta(days=RECOVERY_DAYS) + SETTLES,
    Measure.STAYED: dt.timedelta(days=STAY_DAYS) + GRACE,
}
"""How long after an assignment its label is read."""


@dataclass(frozen=True)
class Became:
    """A label, and whether it counts as good; both None where nothing can be said."""

    label: TrialLabel | None
    is_good: bool | None


UNTOLD = Became(None, None)


def late_label(
    relation: Relation,
    assigned_at: BusinessInstant,
    known_until: BusinessInstant,
    *,
    tier: RiskTier | None,
    renewal_on: dt.date | None,
) -> Became:
    """Say what became of a customer 90 days after an assignment; `tier` and `renewal_on` are those of then.

    Who stayed is saved if it was at high risk then, else renewed if its term ended meanwhile, else expanded
    if its revenue grew by a tenth, else there was no change. Who had left before is reactivated or lost.
    """
    end = after(assigned_at, dt.timedelta(days=STAY_DAYS))
    if not relation.is_live_at(assigned_at):
        is_back = relation.is_live_at(end)
        return Became(TrialLabel.REACTIVATED if is_back else TrialLabel.LOST, is_back)
    churned = churn_label(relation, assigned_at, STAY_DAYS, known_until).value
    if churned is None:
        return UNTOLD
    if churned:
        return Became(TrialLabel.CHURNED, is_good=False)
    if tier is not None and tier.rank >= RiskTier.HIGH.rank:
        return Became(TrialLabel.SAVED, is_good=True)
    if renewal_on is not None and renewal_on <= end.date():
        return Became(TrialLabel.RENEWED, is_good=True)
    has_grown = expansion_label(relation, assigned_at, STAY_DAYS, known_until).value
    return Became(TrialLabel.EXPANDED if has_grown else TrialLabel.NO_CHANGE, is_good=True)
