import datetime as dt

import pytest

from domain.commercial import Departure, Term
from domain.labels import Relation
from domain.retention_figures import (
    Held,
    Wait,
    gross_retention,
    held,
    logo_churn,
    median_wait,
    net_retention,
    wait,
)
from domain.time import BusinessInstant, start_of_day

START = start_of_day(dt.date(2025, 1, 1))


def day(number: float) -> BusinessInstant:
    return BusinessInstant(START + dt.timedelta(days=number))


def term(begins: float, mrr: int, ends: float | None = None) -> Term:
    end = None if ends is None else day(ends)
    return Term(day(begins), end, end, mrr, "USD", is_trial=False, billing_months=12)


def relation(*terms: Term, left: float | None = None) -> Relation:
    gone = () if left is None else (Departure(day(left), day(left), "other", reactivated=False),)
    return Relation(terms[0].started_at, terms, gone)


COHORT = [
    Held(100, 100, left=False),
    Held(200, 300, left=False),
    Held(100, 50, left=False),
    Held(100, 0, left=True),
]


def test_the_three_figures_of_a_cohort() -> None:
    assert logo_churn(COHORT) == 0.25
    assert gross_retention(COHORT) == 0.7
    assert net_retention(COHORT) == 0.9


def test_nobody_has_no_figures() -> None:
    assert (logo_churn([]), gross_retention([]), net_retention([]), median_wait([])) == (None,) * 4


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (relation(term(-100, 50)), Held(50, 50, left=False)),
        (relation(term(-100, 50, 30), term(30, 80)), Held(50, 80, left=False)),
        (relation(term(-100, 50, 30), term(30, 20)), Held(50, 20, left=False)),
        (relation(term(-100, 50), left=40), Held(50, 0, left=True)),
        (relation(term(-100, 50, 40), left=40), Held(50, 0, left=True)),
        (relation(term(10, 50)), None),
        (relation(term(-100, 50), left=-5), None),
        (relation(term(-100, 0)), None),
    ],
    ids=[
        "stayed",
        "grew",
        "shrank",
        "left",
        "left with its term",
        "began later",
        "left before",
        "paid nothing",
    ],
)
def test_what_a_period_did_to_a_customer(given: Relation, expected: Held | None) -> None:
    assert held(given, day(0), day(90)) == expected


@pytest.mark.parametrize(
    ("begins", "value", "left", "expected"),
    [
        (10, 50, None, Wait(0, 40, reached=True)),
        (-20, 50, None, Wait(20, 70, reached=True)),
        (10, None, None, Wait(0, 80, reached=False)),
        (10, 200, None, Wait(0, 80, reached=False)),
        (10, None, 60, Wait(0, 50, reached=False)),
        (-20, -5, None, None),
        (95, None, None, None),
    ],
)
def test_what_a_period_shows_of_a_wait(
    begins: float, value: float | None, left: float | None, expected: Wait | None
) -> None:
    given = relation(term(begins, 50), left=left)
    assert wait(given, None if value is None else day(value), day(0), day(90)) == expected


def test_who_still_waits_is_not_forgotten() -> None:
    reached = [Wait(0, age, reached=True) for age in (10, 20, 30)]
    assert median_wait(reached) == 20
    assert median_wait([*reached, *(Wait(0, 90, reached=False) for _ in range(2))]) == 30
    assert median_wait([*reached, *(Wait(0, 90, reached=False) for _ in range(4))]) is None


def test_who_was_waiting_already_counts_from_that_age_on() -> None:
    early = [Wait(0, 10, reached=True), Wait(0, 40, reached=False)]
    late = [Wait(30, 35, reached=True), Wait(30, 60, reached=False)]
    assert median_wait([*early, *late]) == 10
    assert median_wait([Wait(0, 40, reached=False), *early, *late]) == 35
