"""What is learned from, as plain rows: customers as known on a date, and what became of them."""

import datetime as dt
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.labels import GRACE, Cause, Relation, expansion_label
from domain.model_column import Column
from domain.time import BusinessInstant, after
from domain.trained_model import ModelTarget
from domain.vocabulary import Segment

DAY = dt.timedelta(days=1)
NEVER = math.inf
"""Days to an event that did not happen within what we know."""


@dataclass(frozen=True)
class World:
    """What all rows share."""

    relations: Mapping[uuid.UUID, Relation]
    codes: Mapping[uuid.UUID, int]
    """A number for each customer."""
    since: Mapping[str, BusinessInstant]
    """Since when each kind of fact is known."""
    columns: tuple[Column, ...]
    known_until: BusinessInstant


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a customer after a date, as far as we know."""

    event_days: float
    """Days to the event; NEVER: none that we know of."""
    observed_days: float
    """Days over which we know what happened: nothing is learned from what lies beyond."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One customer on one date, with what became of it."""

    customer: int
    """A number that is the same on all dates."""
    as_of: dt.date
    values: Sequence[float]
    """One per column, NaN where unknown; arrays of the standard library, since there are many."""
    yearly: float
    """Yearly revenue in whole units: for what is at stake, never for learning."""
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One customer on one date; what became of it is looked up once all dates are there."""

    customer_id: uuid.UUID
    as_of: dt.date
    values: Sequence[float]
    """As in Sample."""
    yearly: float
    segment: Segment
    by_card: float
    """The chance to leave that the scorecard saw."""


def outcome_of(
    relation: Relation, target: ModelTarget, as_of: BusinessInstant, known_until: BusinessInstant
) -> Outcome:
    """Return what became of a customer.

    Who leaves for the other cause is known up to that day and not beyond: the row is dropped where its
    horizon reaches further, as a censored one in survival analysis, and never counted as having stayed.
    """
    if target is ModelTarget.EXPANSION:
        found = expansion_label(relation, as_of, target.horizon_days, known_until)
        return within(found.value, target.horizon_days)
    settled = after(known_until, -GRACE)
    gone, known = relation.left_within(as_of, settled), (settled - as_of) / DAY
    if gone is None:
        return Outcome(NEVER, known)
    days = (gone.since - as_of) / DAY
    mine = Cause.INVOLUNTARY if target is ModelTarget.INVOLUNTARY else Cause.VOLUNTARY
    return Outcome(days, known) if gone.cause is mine else Outcome(NEVER, days)


def within(happened: bool | None, horizon: int) -> Outcome:  # noqa: FBT001  a label's value
    """Return the outcome of which only is known whether it came within a horizon; None: not even that."""
    if happened is None:
        return Outcome(NEVER, 0.0)
    return Outcome(float(horizon) if happened else NEVER, float(horizon))
