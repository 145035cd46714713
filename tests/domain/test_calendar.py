"""Office hours where people are, through every change of their clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import is_office_time, local_day, next_opening, spread, zone
from domain.time import BusinessInstant, business

ZONES = (
    "UTC", "Europe/Berlin", "America/Los_Angeles", "America/St_Johns", "Australia/Sydney",
    "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Apia", "Asia/Kolkata", "Asia/Kathmandu",
    "America/Santiago", "Africa/Casablanca",
)  # fmt: skip
instants = st.datetimes(datetime(2008, 1, 1), datetime(2037, 12, 1), timezones=st.just(UTC)).map(business)  # noqa: DTZ001 - the strategy adds the zone


def at(text: str, name: str) -> BusinessInstant:
    """Read a local time of a zone."""
    return business(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(name)))


@pytest.mark.parametrize(
    ("name", "before", "after_"),
    [
        ("Europe/Berlin", "2026-03-27T16:59", "2026-03-30T09:00"),  # spring forward
        ("Europe/Berlin", "2026-10-23T16:59", "2026-10-26T09:00"),  # fall back
        ("Australia/Sydney", "2026-10-02T16:59", "2026-10-05T09:00"),
        ("Australia/Sydney", "2026-04-03T16:59", "2026-04-06T09:00"),
        ("Australia/Lord_Howe", "2026-10-02T16:59", "2026-10-05T09:00"),  # half an hour of daylight saving
        ("America/St_Johns", "2026-03-06T16:59", "2026-03-09T09:00"),
    ],
)
def test_the_week_after_a_change_of_clocks_opens_at_nine_local_time(
    name: str, before: str, after_: str
) -> None:
    friday, monday = at(before, name), at(after_, name)
    assert is_office_time(friday, name)
    assert next_opening(friday, name) == monday
    assert is_office_time(monday, name)
    assert not is_office_time(BusinessInstant(monday - timedelta(minutes=1)), name)


@pytest.mark.parametrize(
    ("name", "utc"),
    [("Asia/Kolkata", "03:30"), ("Asia/Kathmandu", "03:15"), ("America/St_Johns", "12:30")],
)
def test_a_zone_of_odd_offset_opens_at_its_own_nine(name: str, utc: str) -> None:
    night = at("2026-01-14T00:30", name)
    assert f"{next_opening(night, name):%H:%M}" == utc


@pytest.mark.parametrize(
    ("local", "opening"),
    [
        ("2028-02-28T18:00", "2028-02-29T09:00"),  # a leap Tuesday
        ("2028-02-29T09:00", "2028-03-01T09:00"),  # already open: the next one
        ("2028-02-29T08:59", "2028-02-29T09:00"),
        ("2026-01-16T09:30", "2026-01-19T09:00"),
        ("2026-01-17T05:00", "2026-01-19T09:00"),
    ],
)
def test_the_next_opening_is_the_next_working_day_that_has_not_begun(local: str, opening: str) -> None:
    assert next_opening(at(local, "Europe/Berlin"), "Europe/Berlin") == at(opening, "Europe/Berlin")


@pytest.mark.parametrize(
    ("local", "open_"), [("09:00", True), ("16:59", True), ("17:00", False), ("08:59", False)]
)
def test_people_work_from_nine_to_five(local: str, open_: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_office_time(at(f"2026-01-14T{local}", "Asia/Kolkata"), "Asia/Kolkata") is open_
    assert not is_office_time(at(f"2026-01-17T{local}", "Asia/Kolkata"), "Asia/Kolkata")


@given(instants, st.sampled_from(ZONES))
def test_the_next_opening_lies_ahead_in_office_time_and_within_five_days(
    instant: BusinessInstant, name: str
) -> None:
    opening = next_opening(instant, name)
    assert instant < opening <= instant + timedelta(days=5)
    assert is_office_time(opening, name)
    assert opening.astimezone(ZoneInfo(name)).hour == 9
    assert next_opening(BusinessInstant(opening - timedelta(seconds=1)), name) == opening


def test_a_day_that_a_zone_skipped_has_no_opening() -> None:
    """Samoa went from Thursday 29 to Saturday 31 December 2011."""
    thursday = at("2011-12-29T18:00", "Pacific/Apia")
    assert next_opening(thursday, "Pacific/Apia") == at("2012-01-02T09:00", "Pacific/Apia")


@pytest.mark.parametrize(
    "name", [None, "", "Mars/Olympus", "../../etc/passwd", "America", "zone.tab", "\0", "x" * 5000]
)
def test_an_unknown_zone_counts_as_utc(name: str | None) -> None:
    assert zone(name) == ZoneInfo("UTC")
    assert is_office_time(at("2026-01-14T10:00", "UTC"), name)


def test_the_local_day_is_the_one_on_the_wall_there() -> None:
    evening = at("2026-01-14T22:00", "UTC")
    assert local_day(evening, "Pacific/Auckland").day == 15
    assert local_day(evening, "America/Los_Angeles").day == 14


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
