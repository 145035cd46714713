"""Labels: who left, when, by whose doing, and when we may say so."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.commercial import Departure, Term
from domain.labels import (
    GRACE,
    Cause,
    Relation,
    churn_label,
    expansion_label,
    renewal_label,
)
from domain.time import BusinessInstant, after, business

START = business(dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
DAY = dt.timedelta(days=1)


def day(number: float) -> BusinessInstant:
    return after(START, number * DAY)


def term(begins: float, ends: float | None, mrr: int = 1000, *, trial: bool = False) -> Term:
    ended = None if ends is None else day(ends)
    return Term(day(begins), ended, ended, mrr, "USD", trial, 1)


def relation(
    *terms: Term, departures: tuple[Departure, ...] = (), unpaid: tuple[float, ...] = ()
) -> Relation:
    return Relation(START, terms, departures, tuple(day(one) for one in unpaid))


def leaving(on: float, *, back: bool = False) -> Departure:
    return Departure(day(on), day(on), "other", reactivated=back)


def test_a_chain_of_terms_is_one_relation_and_its_end_is_the_departure() -> None:
    told = relation(term(0, 30), term(30, 60), term(60, 90))
    assert [(one.since, one.until) for one in told.absences()] == [(day(90), None)]
    assert told.is_live_at(day(45))
    assert not told.is_live_at(day(90))


@pytest.mark.parametrize(("gap", "gone"), [(29, False), (30, False), (31, True)])
def test_a_late_renewal_is_none_until_the_grace_is_over(gap: int, *, gone: bool) -> None:
    told = relation(term(0, 30), term(30 + gap, None))
    assert told.is_live_at(day(40)) is not gone


def test_who_comes_back_is_live_again_and_can_leave_again() -> None:
    told = relation(term(0, 30), term(100, 130))
    assert [(one.since, one.until) for one in told.absences()] == [(day(30), day(100)), (day(130), None)]
    assert churn_label(told, day(110), 60, day(400)).value is True


def test_what_was_said_comes_before_the_end_of_the_term_and_names_whose_doing_it_was() -> None:
    told = relation(term(0, 90), departures=(leaving(40),), unpaid=(40,))
    (absence,) = told.absences()
    assert (absence.since, absence.cause) == (day(40), Cause.INVOLUNTARY)


def test_who_takes_it_back_stays() -> None:
    told = relation(term(0, None), departures=(leaving(40), leaving(45, back=True)))
    assert churn_label(told, day(30), 60, day(400)).value is True
    assert not told.is_live_at(day(42))
    assert told.is_live_at(day(46))
    assert churn_label(told, day(46), 60, day(400)).value is False


def test_a_label_is_unknown_until_it_has_matured() -> None:
    told = relation(term(0, 100))
    assert churn_label(told, day(60), 60, day(119)).value is None, "a successor may still come"
    assert churn_label(told, day(60), 60, day(130)).value is True
    stays = relation(term(0, None))
    assert churn_label(stays, day(60), 60, day(149)).value is None
    assert churn_label(stays, day(60), 60, day(150)).value is False


def test_expansion_needs_a_tenth_more_and_a_customer() -> None:
    grew = relation(term(0, 50, 1000), term(50, None, 1100))
    assert expansion_label(grew, day(20), 60, day(200)).value is True
    assert expansion_label(grew, day(55), 60, day(200)).value is False
    left = relation(term(0, 50))
    assert expansion_label(left, day(20), 60, day(200)).value is False
    assert expansion_label(relation(term(0, None, 0)), day(20), 60, day(200)).value is None
    assert expansion_label(grew, day(20), 60, day(79)).value is None


def test_a_renewal_is_judged_after_the_grace() -> None:
    told = relation(term(0, 365), term(380, None))
    assert renewal_label(told, day(365), day(394)).value is None
    assert renewal_label(told, day(365), day(395)).value is True
    assert renewal_label(relation(term(0, 365)), day(365), day(400)).value is False


pieces = st.lists(
    st.tuples(st.integers(0, 400), st.one_of(st.none(), st.integers(1, 200)), st.booleans()), max_size=6
)


@given(pieces, st.lists(st.tuples(st.integers(0, 500), st.booleans()), max_size=3), st.integers(0, 600))
def test_absences_are_in_order_and_apart_and_a_label_says_the_same(
    terms: list[tuple[int, int | None, bool]], said: list[tuple[int, bool]], at: int
) -> None:
    told = relation(
        *(
            term(begins, None if lasts is None else begins + lasts, trial=trial)
            for begins, lasts, trial in terms
        ),
        departures=tuple(leaving(on, back=back) for on, back in said),
    )
    absences = told.absences()
    for earlier, later in itertools.pairwise(absences):
        assert earlier.until is not None
        assert earlier.since < earlier.until <= later.since
    label = churn_label(told, day(at), 90, day(2000))
    inside = [one for one in absences if day(at) < one.since <= day(at + 90)]
    assert label.value is bool(inside)
    assert churn_label(told, day(at), 90, after(day(at + 90), GRACE - DAY)).value in {None, True}
