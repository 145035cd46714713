"""When a card is tried again: mornings, paydays, bank holidays, ceilings."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import is_in_window, local_day
from domain.dunning_policy import NETWORKS, Ceiling, Paydays, RetrySchedule
from domain.dunning_schedule import CardUse, Place, Series, is_payday, next_attempt, room_under
from domain.time import BusinessInstant, after, business

MONDAY = business(datetime(2026, 3, 2, 9, tzinfo=UTC))
SCHEDULE = RetrySchedule()
BERLIN = Place("Europe/Berlin", frozenset({date(2026, 3, 5)}))
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo", "Pacific/Auckland"])


def day(number: int, month: int = 3, year: int = 2026) -> date:
    return date(year, month, number)


@pytest.mark.parametrize(
    ("on", "pays"),
    [(day(1), True), (day(15), True), (day(31), True), (day(6), True), (day(30), False), (day(4), False)],
)
def test_paydays_are_what_the_policy_names(on: date, pays: bool) -> None:  # noqa: FBT001 - a table
    assert is_payday(on, Paydays()) is pays


def test_the_last_working_day_is_the_one_before_a_holiday() -> None:
    paydays = Paydays(month_days=(), weekdays=())
    assert is_payday(day(30), paydays, frozenset({day(31)}))
    assert not is_payday(day(31), paydays, frozenset({day(31)}))


def test_an_attempt_near_a_payday_waits_for_it() -> None:
    series = Series("case", business(datetime(2026, 3, 3, 22, tzinfo=UTC)), 0)
    due = next_attempt(series, SCHEDULE, Place(), MONDAY)
    assert due is not None
    assert due.date() == day(6)  # a Friday, one day after the attempt's own


@given(zone=zones, made=st.integers(0, 7), hours=st.integers(0, 24 * 13))
def test_every_attempt_is_in_the_morning_there_on_no_bank_holiday_within_the_days(
    zone: str, made: int, hours: int
) -> None:
    place = Place(zone, frozenset({date(2026, 3, 5), date(2026, 3, 6)}))
    now = after(MONDAY, timedelta(hours=hours))
    due = next_attempt(Series("case", MONDAY, made), SCHEDULE, place, now)
    if due is not None:
        assert now <= due <= after(MONDAY, timedelta(days=SCHEDULE.within_days))
        assert is_in_window(due, SCHEDULE.hours, zone, place.days_off)
        assert local_day(due, zone) not in place.days_off


@given(made=st.integers(0, 7), hours=st.integers(0, 400), zone=zones)
def test_the_time_of_an_attempt_does_not_move_as_time_passes(made: int, hours: int, zone: str) -> None:
    series, place = Series("case", MONDAY, made), Place(zone)
    due = next_attempt(series, SCHEDULE, place, MONDAY)
    later = after(MONDAY, timedelta(hours=hours))
    if due is not None and later <= due:
        assert next_attempt(series, SCHEDULE, place, later) == due


@given(
    ages=st.lists(st.integers(0, 24 * 35), max_size=60),
    brand=st.sampled_from(["visa", "mastercard", "amex"]),
)
def test_no_charge_goes_over_a_ceiling(ages: list[int], brand: str) -> None:
    made = tuple(sorted(after(MONDAY, -timedelta(hours=age)) for age in ages))
    room = room_under(CardUse("card", brand, made), NETWORKS)
    assert room is not None
    at = max(room, MONDAY)
    for one in NETWORKS:
        if one.brand == brand:
            assert sum(at - one.span < each <= at for each in made) < one.attempts


def test_a_ceiling_of_none_bars_the_card() -> None:
    assert room_under(CardUse("card", "visa"), (Ceiling(brand="visa", attempts=0, hours=1),)) is None


def test_a_barred_card_and_an_exhausted_schedule_have_no_next_attempt() -> None:
    barred = Series("case", MONDAY, 0, card=CardUse("card", "visa", is_barred=True))
    assert next_attempt(barred, SCHEDULE, BERLIN, MONDAY) is None
    assert next_attempt(Series("case", MONDAY, 8), SCHEDULE, BERLIN, MONDAY) is None
    assert next_attempt(Series("case", MONDAY, 3, is_slow=True), SCHEDULE, BERLIN, MONDAY) is None


def late(instant: BusinessInstant) -> BusinessInstant:
    return after(instant, timedelta(days=20))


def test_after_the_days_of_the_schedule_nothing_is_made_up_for() -> None:
    assert next_attempt(Series("case", MONDAY, 0), SCHEDULE, BERLIN, late(MONDAY)) is None
