"""Windows of local time where people are, through every change of their clocks."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.calendar import (
    NO_DAYS,
    OFFICE_HOURS,
    WEEKDAYS,
    Window,
    is_in_window,
    local_day,
    next_in_window,
    next_local_day,
    spread,
    zone,
)
from domain.time import BusinessInstant, after, business

ZONES = (
    "UTC", "Europe/Berlin", "America/Los_Angeles", "America/St_Johns", "Australia/Sydney",
    "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Apia", "Asia/Kolkata", "Asia/Kathmandu",
    "America/Santiago", "Africa/Casablanca", "Pacific/Chatham", "America/Havana", "Asia/Tehran",
)  # fmt: skip
GRID = timedelta(minutes=15)
"""All clock changes since 2008, and all hours that these tests make, fall on quarters of an hour."""
CHANGES = (
    datetime(2011, 12, 29, tzinfo=UTC),  # Samoa skips a day
    datetime(2026, 3, 28, tzinfo=UTC),  # Berlin forward
    datetime(2026, 10, 24, tzinfo=UTC),  # Berlin back
    datetime(2026, 4, 4, tzinfo=UTC),  # Lord Howe, Auckland, Chatham, Santiago back
    datetime(2026, 9, 5, tzinfo=UTC),  # Santiago forward, over midnight
    datetime(2026, 3, 7, tzinfo=UTC),  # America forward, Havana over midnight
    datetime(2026, 10, 31, tzinfo=UTC),  # America back
    datetime(2009, 10, 31, tzinfo=UTC),  # St. John's back at one minute past midnight, to the day before
)
ALL_DAY = Window.model_validate({"weekdays": WEEKDAYS, "from": "00:00", "to": "00:00"})


def at(text: str, name: str) -> BusinessInstant:
    """Read a local time of a zone."""
    return business(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(name)))


def window(opens: str, closes: str, *weekdays: str) -> Window:
    return Window.model_validate({"weekdays": weekdays or WEEKDAYS, "from": opens, "to": closes})


quarters = st.integers(0, 95).map(lambda number: f"{number // 4:02}:{number % 4 * 15:02}")
windows = st.builds(
    lambda days, opens, closes: Window(weekdays=tuple(days), opens=opens, closes=closes),
    st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
    quarters,
    quarters,
)
any_day = st.datetimes(datetime(2008, 1, 1), datetime(2037, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone
instants = st.one_of(st.sampled_from(CHANGES), any_day).flatmap(
    lambda day: st.integers(0, 4 * 96).map(
        lambda quarter: business(day.replace(minute=0, second=0, microsecond=0) + GRID * quarter)
    )
)
closures = st.frozensets(st.integers(0, 12), max_size=9)


def closed(start: BusinessInstant, name: str, ahead: Collection[int]) -> frozenset[date]:
    return frozenset(local_day(start, name) + timedelta(days=each) for each in ahead)


@given(instants, windows, st.sampled_from(ZONES), closures)
def test_the_next_time_in_a_window_is_in_it_and_none_is_earlier(
    instant: BusinessInstant, hours: Window, name: str, ahead: frozenset[int]
) -> None:
    days_off = closed(instant, name, ahead)
    found = next_in_window(instant, hours, name, days_off)
    assert found >= instant
    assert is_in_window(found, hours, name, days_off)
    assert next_in_window(found, hours, name, days_off) == found
    between = instant
    while between < min(found, after(instant, timedelta(days=30))):
        assert not is_in_window(between, hours, name, days_off)
        between = after(between, GRID)
    if found > instant:
        assert not is_in_window(after(found, -timedelta(microseconds=1)), hours, name, days_off)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        *zip(
            CHANGES, ("Pacific/Apia", "Europe/Berlin", "Europe/Berlin", "Australia/Lord_Howe"), strict=False
        ),
        (CHANGES[3], "Pacific/Chatham"),
        (CHANGES[3], "America/Santiago"),
        (CHANGES[4], "America/Santiago"),
        (CHANGES[5], "America/Havana"),
        (CHANGES[6], "America/Havana"),
        (CHANGES[7], "America/St_Johns"),
    ],
)
@pytest.mark.parametrize(
    "hours", [window("02:00", "03:00"), window("23:30", "00:30"), window("22:00", "06:00", "sat"), ALL_DAY]
)
def test_every_quarter_of_an_hour_around_a_change_of_clocks_has_the_right_next(
    change: datetime, name: str, hours: Window
) -> None:
    grid = [business(change + GRID * number) for number in range(4 * 96)]
    inside = [is_in_window(each, hours, name) for each in grid]
    following: BusinessInstant | None = None
    for instant, is_in in zip(reversed(grid), reversed(inside), strict=True):
        following = instant if is_in else following
        if following is not None:
            assert next_in_window(instant, hours, name) == following


@given(instants, windows, st.sampled_from(ZONES))
def test_the_next_time_never_goes_back_when_one_asks_later(
    instant: BusinessInstant, hours: Window, name: str
) -> None:
    later = after(instant, timedelta(hours=5))
    assert next_in_window(instant, hours, name) <= next_in_window(later, hours, name)


def test_years_of_days_off_are_skipped_day_by_day() -> None:
    start = at("2026-01-14T10:00", "Europe/Berlin")
    ten_years = closed(start, "Europe/Berlin", range(3650))
    found = next_in_window(start, OFFICE_HOURS, "Europe/Berlin", ten_years)
    assert found == at("2036-01-14T09:00", "Europe/Berlin") or local_day(found, "Europe/Berlin").year == 2036


@pytest.mark.parametrize(
    ("name", "before", "after_"),
    [
        ("Europe/Berlin", "2026-03-27T17:00", "2026-03-30T09:00"),  # spring forward
        ("Europe/Berlin", "2026-10-23T17:00", "2026-10-26T09:00"),  # fall back
        ("Australia/Sydney", "2026-10-02T17:00", "2026-10-05T09:00"),
        ("Australia/Sydney", "2026-04-03T17:00", "2026-04-06T09:00"),
        ("Australia/Lord_Howe", "2026-10-02T17:00", "2026-10-05T09:00"),  # half an hour of daylight saving
        ("America/St_Johns", "2026-03-06T17:00", "2026-03-09T09:00"),
        ("Pacific/Apia", "2011-12-29T18:00", "2012-01-02T09:00"),  # no Friday 30 December there
        ("Europe/Berlin", "2028-02-28T18:00", "2028-02-29T09:00"),  # a leap Tuesday
        ("Europe/Berlin", "2028-02-29T09:00", "2028-02-29T09:00"),  # open already
        ("Europe/Berlin", "2026-01-17T05:00", "2026-01-19T09:00"),
    ],
)
def test_office_hours_open_at_nine_local_time(name: str, before: str, after_: str) -> None:
    assert next_in_window(at(before, name), OFFICE_HOURS, name) == at(after_, name)


@pytest.mark.parametrize(
    ("name", "utc"),
    [("Asia/Kolkata", "03:30"), ("Asia/Kathmandu", "03:15"), ("America/St_Johns", "12:30")],
)
def test_a_zone_of_odd_offset_opens_at_its_own_nine(name: str, utc: str) -> None:
    night = at("2026-01-14T00:30", name)
    assert f"{next_in_window(night, OFFICE_HOURS, name):%H:%M}" == utc


def test_a_window_into_which_the_clocks_jump_opens_with_the_jump() -> None:
    """Berlin goes from 02:00 to 03:00 on 29 March 2026."""
    night = at("2026-03-29T01:00", "Europe/Berlin")
    jump = business(datetime(2026, 3, 29, 1, tzinfo=UTC))
    assert next_in_window(night, window("02:30", "04:00"), "Europe/Berlin") == jump
    assert next_in_window(night, window("02:15", "02:45"), "Europe/Berlin") == at(
        "2026-03-30T02:15", "Europe/Berlin"
    )


def test_an_hour_that_clocks_show_twice_is_in_the_window_twice() -> None:
    """Berlin goes from 03:00 to 02:00 on 25 October 2026."""
    first = business(datetime(2026, 10, 25, 0, 15, tzinfo=UTC))
    short = window("02:15", "02:45")
    assert is_in_window(first, short, "Europe/Berlin")
    between = after(first, timedelta(minutes=30))
    assert not is_in_window(between, short, "Europe/Berlin")
    assert next_in_window(between, short, "Europe/Berlin") == after(first, timedelta(hours=1))


@pytest.mark.parametrize(
    ("local", "open_"),
    [
        ("2026-01-16T22:00", True),
        ("2026-01-17T05:59", True),  # Saturday morning belongs to Friday's window
        ("2026-01-17T06:00", False),
        ("2026-01-17T22:30", False),
        ("2026-01-16T05:00", False),  # Thursday's window does not exist
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens(local: str, open_: bool) -> None:  # noqa: FBT001 - a column of the table
    night = window("22:00", "06:00", "fri")
    assert is_in_window(at(local, "Asia/Kolkata"), night, "Asia/Kolkata") is open_


def test_a_day_off_is_closed_from_midnight_to_midnight_and_opens_no_window() -> None:
    night, christmas = window("22:00", "06:00"), frozenset({date(2026, 12, 25)})
    found = next_in_window(at("2026-12-25T00:00", "Europe/Berlin"), night, "Europe/Berlin", christmas)
    assert found == at("2026-12-26T22:00", "Europe/Berlin")
    assert is_in_window(at("2026-12-24T23:59", "Europe/Berlin"), night, "Europe/Berlin", christmas)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"weekdays": []}, "at least 1 item"),
        ({"weekdays": ["monday"]}, "'mon'"),
        ({"weekdays": ["mon", "mon"]}, "name each weekday once"),
        ({"from": "9am"}, "such as 09:00"),
        ({"from": "09:00+02:00"}, "no time of a day"),
        ({"from": 1440}, "no time of a day"),
        ({"to": True}, "no time of a day"),
        ({"until": "09:00"}, "Extra inputs"),
    ],
)
def test_a_window_that_cannot_be_meant_is_refused(document: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Window.model_validate(document)


@pytest.mark.parametrize(
    "name", [None, "", "Mars/Olympus", "../../etc/passwd", "America", "zone.tab", "\0", "x" * 5000]
)
def test_an_unknown_zone_counts_as_utc(name: str | None) -> None:
    assert zone(name) == ZoneInfo("UTC")
    assert is_in_window(at("2026-01-14T10:00", "UTC"), OFFICE_HOURS, name)


def test_the_local_day_is_the_one_on_the_wall_there() -> None:
    evening = at("2026-01-14T22:00", "UTC")
    assert local_day(evening, "Pacific/Auckland").day == 15
    assert local_day(evening, "America/Los_Angeles").day == 14


@given(instants, st.sampled_from(ZONES))
def test_the_next_local_day_has_begun_when_it_is_said_to(instant: BusinessInstant, name: str) -> None:
    following = next_local_day(instant, name)
    assert local_day(following, name) > local_day(instant, name)
    assert following <= instant + timedelta(hours=50)


@given(st.text(), st.timedeltas(timedelta(microseconds=1), timedelta(days=30)))
def test_a_spread_is_always_the_same_for_a_key_and_below_its_span(key: str, span: timedelta) -> None:
    assert timedelta() <= spread(key, span) <= span
    assert spread(key, span) == spread(key, span)


def test_spreads_of_many_keys_are_even() -> None:
    hour = timedelta(hours=1)
    tenths = [int(spread(f"customer/{n}", hour) * 10 / hour) for n in range(5000)]
    counts = [tenths.count(tenth) for tenth in range(10)]
    assert sum(counts) == 5000
    assert all(400 < count < 600 for count in counts)


def test_a_week_without_days_off_has_forty_office_hours() -> None:
    monday = at("2026-01-12T00:00", "Europe/Berlin")
    week = [after(monday, GRID * number) for number in range(7 * 96)]
    assert sum(is_in_window(each, OFFICE_HOURS, "Europe/Berlin", NO_DAYS) for each in week) == 40 * 4
