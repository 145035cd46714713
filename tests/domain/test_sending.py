"""Caps of a sender domain and its warm-up: when a message may leave, and what growth is earned by."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.sending import (
    DomainLimits,
    SendingPolicy,
    StoredSendingPolicyError,
    WarmUp,
    for_optional,
    stored_sending_policy,
)
from domain.sending_places import HourCount, place_for
from domain.time import BusinessInstant, business
from domain.warm_up import SentDay, earned

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
NINE = business(dt.datetime(2026, 3, 4, 9, tzinfo=dt.UTC))
STARTED = NINE.date()
POLICY = SendingPolicy()
LIMITS = DomainLimits(per_day=1000, warm_up=WarmUp(started_on=STARTED, start_per_day=100, growth=2))


def days(*told: tuple[int, int, int]) -> list[SentDay]:
    return [SentDay(STARTED + DAY * index, *each) for index, each in enumerate(told)]


def allowed(*told: tuple[int, int, int]) -> int:
    return earned(POLICY, LIMITS, days(*told), STARTED + DAY * len(told)).per_day


def test_a_clean_full_day_doubles_what_the_next_may_send_up_to_the_target() -> None:
    assert allowed() == 100
    assert allowed((100, 0, 0)) == 200
    assert allowed((100, 0, 0), (200, 0, 0)) == 400
    assert allowed((100, 0, 0), (200, 0, 0), (400, 0, 0), (800, 0, 0)) == 1000


def test_a_day_that_was_hardly_used_earns_nothing() -> None:
    assert allowed((49, 0, 0)) == 100
    assert allowed((100, 0, 0), (99, 0, 0)) == 200


def test_bounces_near_the_threshold_rest_the_warm_up_and_above_it_lower_it() -> None:
    assert allowed((100, 0, 0), (200, 4, 0)) == 200
    assert allowed((100, 0, 0), (200, 7, 0)) == 100
    assert allowed((100, 0, 0), (200, 0, 1)) == 100


def test_it_never_falls_below_the_start() -> None:
    assert allowed((100, 50, 0), (100, 50, 0)) == 100


def test_what_comes_back_today_counts_today() -> None:
    told = days((100, 0, 0), (200, 20, 0))
    found = earned(POLICY, LIMITS, told, STARTED + DAY)
    assert (found.per_day, found.because.split(":")[0]) == (100, "lowered")


def test_a_domain_that_was_silent_for_long_keeps_what_it_earned() -> None:
    found = earned(POLICY, LIMITS, days((100, 0, 0)), STARTED + DAY * 300)
    assert found.per_day == 200


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 200), st.integers(0, 20)), max_size=40))
def test_whatever_happens_the_cap_stays_between_start_and_target(told: list[tuple[int, int, int]]) -> None:
    assert 100 <= allowed(*told) <= 1000


def test_a_full_hour_puts_off_to_the_next_one_with_room_and_spreads_there() -> None:
    counts = [HourCount(NINE, 10), HourCount(BusinessInstant(NINE + HOUR), 0, promised=10)]
    assert place_for(10, None, counts, NINE) == NINE + 2 * HOUR
    half_full = [HourCount(NINE, 10), HourCount(BusinessInstant(NINE + HOUR), 0, promised=5)]
    assert place_for(10, None, half_full, NINE) == NINE + HOUR + HOUR / 2


def test_a_full_day_puts_off_to_the_first_hour_of_the_next() -> None:
    assert place_for(None, 10, [HourCount(NINE, 10)], NINE) == NINE + 15 * HOUR


def test_a_place_that_was_promised_for_this_hour_is_free_to_take() -> None:
    assert place_for(10, None, [HourCount(NINE, 9, promised=50)], NINE) == NINE


@given(st.integers(1, 5), st.integers(1, 20), st.integers(1, 120))
def test_however_many_ask_no_hour_and_no_day_gets_more_than_its_cap(
    hourly: int, daily: int, asked: int
) -> None:
    promised: dict[BusinessInstant, int] = {}
    for _ in range(asked):
        counts = [HourCount(NINE, hourly), *(HourCount(hour, 0, n) for hour, n in promised.items())]
        at = place_for(hourly, max(daily, hourly), counts, NINE)
        hour = BusinessInstant(at.replace(minute=0, second=0, microsecond=0))
        promised[hour] = promised.get(hour, 0) + 1
        within = [n for each, n in promised.items() if each - NINE < 13 * DAY]
        assert all(n <= hourly for n in within)


def test_optional_mail_leaves_the_share_of_what_must_go_free() -> None:
    assert for_optional(100, SendingPolicy(transactional_share=0.25)) == 75
    assert for_optional(1, POLICY) == 1
    assert for_optional(None, POLICY) is None


def test_a_policy_names_what_is_wrong_with_it() -> None:
    with pytest.raises(ValidationError, match="name it"):
        DomainLimits(warm_up=WarmUp(started_on=STARTED))
    with pytest.raises(ValidationError, match=r"mail\.example\.com"):
        SendingPolicy(domains={"Sales@Vendor": DomainLimits()})
    with pytest.raises(StoredSendingPolicyError, match="others"):
        stored_sending_policy({"others": {"per_hour": 0}})
