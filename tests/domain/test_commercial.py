"""Where the commercial relation stands, and who gets how much attention."""

import datetime as dt
import uuid
from typing import Any

from domain.commercial import Declared, Departure, Standing, Term, add_months, standing
from domain.holdout import is_in_holdout
from domain.time import BusinessInstant, start_of_day
from domain.touch_tier import DEFAULT_POLICY
from domain.vocabulary import CustomerStatus, Segment, TouchTier

NOW = start_of_day(dt.date(2026, 6, 15))


def on(month: int, number: int = 1) -> BusinessInstant:
    return start_of_day(dt.date(2026, month, number))


def term(start: BusinessInstant, end: BusinessInstant | None = None, **told: Any) -> Term:
    values: dict[str, Any] = {"mrr_minor": 100, "currency": "USD", "is_trial": False, "billing_months": 12}
    return Term(start, end, end, **values | told)


def left(at: BusinessInstant, *, back: bool = False) -> Departure:
    return Departure(at, at, "too_expensive", reactivated=back)


def at_now(
    *terms: Term, departures: tuple[Departure, ...] = (), declared: Declared | None = None
) -> Standing:
    return standing(declared or Declared(), terms, departures, NOW)


def test_arr_is_twelve_times_the_running_paid_terms_in_the_main_currency() -> None:
    found = at_now(
        term(on(1)), term(on(1), on(2)), term(on(1), is_trial=True), term(on(1), currency="EUR", mrr_minor=1)
    )
    assert (found.arr_minor, found.currency, found.status) == (1200, "USD", CustomerStatus.ACTIVE)


def test_declared_revenue_and_renewal_win_over_derived_ones() -> None:
    declared = Declared(arr_minor=5, renewal_on=dt.date(2026, 9, 1))
    found = at_now(term(on(1)), declared=declared)
    assert (found.arr_minor, found.renewal_on) == (5, dt.date(2026, 9, 1))


def test_a_renewal_is_the_next_anniversary_of_a_term_of_a_quarter_or_more() -> None:
    assert at_now(term(on(1, 31), billing_months=3)).renewal_on == dt.date(2026, 7, 31)
    assert at_now(term(on(1), billing_months=1)).renewal_on is None
    assert at_now(term(on(1), on(8))).renewal_on == dt.date(2026, 8, 1)


def test_the_end_of_all_terms_is_a_departure_on_the_last_day() -> None:
    found = at_now(term(on(1), on(3)), term(on(2), on(5)))
    assert (found.status, found.churned_at, found.arr_minor) == (CustomerStatus.CHURNED, on(5), 0)
    assert found.last_arr_minor == 1200


def test_a_term_that_begins_later_keeps_the_customer() -> None:
    assert at_now(term(on(1), on(3)), term(on(8))).status is CustomerStatus.ACTIVE


def test_a_departure_holds_until_a_return_is_told_or_another_term_begins() -> None:
    running = term(on(1))
    assert at_now(running, departures=(left(on(3)),)).status is CustomerStatus.CHURNED
    assert at_now(running, departures=(left(on(3)), left(on(4), back=True))).status is CustomerStatus.ACTIVE
    assert at_now(running, term(on(4)), departures=(left(on(3)),)).status is CustomerStatus.ACTIVE
    assert at_now(running, departures=(left(on(8)),)).status is CustomerStatus.ACTIVE, "it is not yet due"


def test_a_trial_alone_is_a_trial_and_nothing_at_all_is_what_was_declared() -> None:
    assert at_now(term(on(1), is_trial=True)).status is CustomerStatus.TRIAL
    assert at_now(declared=Declared(status=CustomerStatus.TRIAL)).status is CustomerStatus.TRIAL
    assert at_now().status is CustomerStatus.ACTIVE
    gone = Declared(status=CustomerStatus.CHURNED, told_at=on(2))
    assert at_now(declared=gone).churned_at == on(2)


def test_months_end_where_months_end() -> None:
    assert add_months(dt.date(2024, 1, 31), 1) == dt.date(2024, 2, 29)
    assert add_months(dt.date(2024, 11, 30), 3) == dt.date(2025, 2, 28)


def test_the_first_rule_that_holds_gives_tier_and_segment() -> None:
    policy = DEFAULT_POLICY
    assert policy.tier_of(10_000_000, None, None) is TouchTier.STRATEGIC
    assert policy.tier_of(0, None, 2_000) is TouchTier.STRATEGIC
    assert policy.tier_of(0, "ENTERPRISE", None) is TouchTier.MANAGED
    assert policy.tier_of(0, None, None) is TouchTier.TECH_TOUCH
    assert policy.segment_of(1_200_000, None, None) is Segment.MID_MARKET
    assert policy.segment_of(0, None, None) is Segment.SMALL


def test_the_holdout_is_sticky_of_the_asked_share_and_never_strategic() -> None:
    ids = [uuid.UUID(int=number) for number in range(10_000)]
    chosen = {one for one in ids if is_in_holdout(one, salt="s", share=0.05, tier=TouchTier.MANAGED)}
    assert 400 < len(chosen) < 600
    wider = {one for one in ids if is_in_holdout(one, salt="s", share=0.1, tier=TouchTier.MANAGED)}
    assert chosen < wider
    assert not any(is_in_holdout(one, salt="s", share=1, tier=TouchTier.STRATEGIC) for one in ids[:100])
