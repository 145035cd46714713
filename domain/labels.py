"""What became of a customer after an instant: the labels that models learn from.

A label is read once it has matured: when the horizon has passed, and the grace within which a lapsed customer
may still come back. Until then it is unknown, never negative.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.commercial import Departure, Term
from domain.time import BusinessInstant, after

GRACE = dt.timedelta(days=30)
"""A term that follows within so long makes a gap a late renewal (KKBox's definition of churn)."""
EXPANDS_BY = 0.1
"""Recurring revenue that grew by at least this share has expanded."""


class Cause(StrEnum):
    """Whose doing a departure was."""

    VOLUNTARY = "voluntary"
    INVOLUNTARY = "involuntary"
    """Nobody decided to leave: payment failed and was never mended."""


@dataclass(frozen=True)
class Absence:
    """A customer was gone from one instant to another, or still is."""

    since: BusinessInstant
    until: BusinessInstant | None
    cause: Cause


@dataclass(frozen=True)
class Relation:
    """One customer's relation over time, as known today."""

    started_at: BusinessInstant
    terms: tuple[Term, ...]
    departures: tuple[Departure, ...]
    failed_payment: tuple[BusinessInstant, ...] = ()
    """Departures (by their instant) that a source called involuntary."""

    def absences(self) -> tuple[Absence, ...]:
        """Return when the customer was gone: said so, or no term ran for longer than the grace."""
        return tuple(_absences(self))

    def is_live_at(self, instant: BusinessInstant) -> bool:
        """Tell whether the customer had begun and was not gone."""
        if instant < self.started_at:
            return False
        return not any(
            one.since <= instant and (one.until is None or instant < one.until) for one in self.absences()
        )

    def left_within(self, start: BusinessInstant, end: BusinessInstant) -> Absence | None:
        """Return the first departure after `start`, up to and including `end`."""
        return next((one for one in self.absences() if start < one.since <= end), None)

    def mrr_minor_at(self, instant: BusinessInstant) -> int:
        """Return recurring revenue of the paid terms that ran at an instant."""
        return sum(
            term.mrr_minor
            for term in self.terms
            if not term.is_trial
            and term.started_at <= instant
            and (term.ended_at is None or term.ended_at > instant)
        )


def _absences(relation: Relation) -> Iterator[Absence]:
    leaving = sorted([*_said(relation), *_lapses(relation)], key=lambda one: (one.since, one.until is None))
    until: BusinessInstant | None = relation.started_at
    for one in leaving:
        if until is None:
            return
        if one.since >= until:
            until = one.until
            yield one


def _said(relation: Relation) -> Iterator[Absence]:
    """Return what people said: they leave, until they say that they are back or another term begins."""
    back = sorted(
        [one.occurred_at for one in relation.departures if one.reactivated]
        + [term.started_at for term in relation.terms]
    )
    for one in relation.departures:
        if not one.reactivated:
            since = one.occurred_at
            cause = Cause.INVOLUNTARY if since in relation.failed_payment else Cause.VOLUNTARY
            yield Absence(since, next((at for at in back if at > since), None), cause)


def _lapses(relation: Relation) -> Iterator[Absence]:
    """Return gaps in the terms that are longer than the grace, and the end of the last."""
    reached: BusinessInstant | None = None
    for term in sorted(relation.terms, key=lambda one: one.started_at):
        if reached is not None and term.started_at > after(reached, GRACE):
            yield Absence(reached, term.started_at, Cause.VOLUNTARY)
        if term.ended_at is None and not term.canceled:
            return
        end = term.ended_at or term.started_at
        reached = end if reached is None else max(reached, end)
    if reached is not None:
        yield Absence(reached, None, Cause.VOLUNTARY)


@dataclass(frozen=True)
class Label:
    """The outcome of one snapshot; None while it has not matured."""

    value: bool | None
    cause: Cause | None = None
    on: BusinessInstant | None = None
    """When it happened."""


UNKNOWN = Label(None)


def churn_label(relation: Relation, as_of: BusinessInstant, days: int, known_until: BusinessInstant) -> Label:
    """Tell whether a customer that is live left within so many days; `known_until` ends what we know."""
    end = after(as_of, dt.timedelta(days=days))
    gone = relation.left_within(as_of, end)
    if gone is not None and known_until >= after(gone.since, GRACE):
        return Label(value=True, cause=gone.cause, on=gone.since)
    if known_until < after(end, GRACE):
        return UNKNOWN
    return Label(value=False)


def expansion_label(
    relation: Relation, as_of: BusinessInstant, days: int, known_until: BusinessInstant
) -> Label:
    """Tell whether recurring revenue is larger by a tenth after so many days; who left has not expanded."""
    end = after(as_of, dt.timedelta(days=days))
    if known_until < end:
        return UNKNOWN
    before, now = relation.mrr_minor_at(as_of), relation.mrr_minor_at(end)
    if before <= 0:
        return UNKNOWN
    return Label(value=now >= before * (1 + EXPANDS_BY))


def renewal_label(relation: Relation, ends_on: BusinessInstant, known_until: BusinessInstant) -> Label:
    """Tell whether a customer whose period ends at an instant was still there after the grace."""
    settled = after(ends_on, GRACE)
    if known_until < settled:
        return UNKNOWN
    gone = relation.left_within(after(ends_on, -GRACE), settled)
    return Label(value=gone is None, cause=gone.cause if gone else None, on=gone.since if gone else None)


def live_among(relations: Sequence[Relation], as_of: BusinessInstant) -> list[Relation]:
    """Return those that had begun and were not gone."""
    return [one for one in relations if one.is_live_at(as_of)]
