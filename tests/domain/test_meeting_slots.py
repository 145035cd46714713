import datetime as dt
from dataclasses import replace

import pytest

from domain.calendar import zone
from domain.meeting_slots import EPOCH, QUARTER, SlotWish, choose_slot
from domain.meeting_words import say_time
from domain.time import BusinessInstant, after

MONDAY = BusinessInstant(dt.datetime(2026, 3, 2, 10, 7, tzinfo=dt.UTC))
WISH = SlotWish(MONDAY, 30, "acme", "Europe/Berlin", "Europe/Berlin")


def local(instant: BusinessInstant, name: str | None) -> dt.datetime:
    return instant.astimezone(zone(name))


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", None])
@pytest.mark.parametrize("minutes", [10, 30, 240])
@pytest.mark.parametrize("customer", ["acme", "globex", "initech"])
def test_a_slot_is_a_whole_quarter_in_office_hours_there(
    name: str | None, minutes: int, customer: str
) -> None:
    slot = choose_slot(replace(WISH, time_zone=name, minutes=minutes, key=customer))
    starts, ends = local(slot, name), local(after(slot, dt.timedelta(minutes=minutes)), name)
    assert slot >= MONDAY
    assert starts.minute % 15 == 0
    assert starts.second == 0
    assert starts.hour >= 9
    assert ends.time() <= dt.time(17)
    assert starts.weekday() < 5


def test_customers_are_spread_and_each_always_gets_the_same() -> None:
    slots = [choose_slot(replace(WISH, key=f"customer-{number}")) for number in range(100)]
    assert slots == [choose_slot(replace(WISH, key=f"customer-{number}")) for number in range(100)]
    assert len(set(slots)) > 8
    assert max(slots) - min(slots) <= dt.timedelta(hours=5)


def test_an_organiser_is_never_in_two_meetings_at_once() -> None:
    busy: list[tuple[BusinessInstant, BusinessInstant]] = []
    for _ in range(40):
        slot = choose_slot(replace(WISH, busy=tuple(busy)))
        end = after(slot, dt.timedelta(minutes=30))
        assert all(ends <= slot or end <= begins for begins, ends in busy)
        busy.append((slot, end))


def test_a_day_off_is_skipped() -> None:
    days_off = frozenset({dt.date(2026, 3, 2), dt.date(2026, 3, 3)})
    assert local(choose_slot(replace(WISH, days_off=days_off)), "Europe/Berlin").date() == dt.date(2026, 3, 4)


def test_an_organiser_far_away_is_not_asked_for_the_middle_of_the_night() -> None:
    slot = choose_slot(replace(WISH, time_zone="America/New_York"))
    assert local(slot, "Europe/Berlin").hour < 20
    assert 9 <= local(slot, "America/New_York").hour < 14


def test_where_the_two_days_never_meet_the_customers_hours_decide() -> None:
    slot = choose_slot(
        replace(WISH, time_zone="Pacific/Auckland", organiser_zone="Atlantic/Azores", minutes=240)
    )
    assert 9 <= local(slot, "Pacific/Auckland").hour <= 13


@pytest.mark.parametrize(
    ("name", "earliest"),
    [
        ("Europe/Berlin", dt.datetime(2026, 3, 27, 20, tzinfo=dt.UTC)),
        ("America/New_York", dt.datetime(2026, 10, 30, 23, tzinfo=dt.UTC)),
    ],
)
def test_clocks_that_change_before_the_slot_move_it_with_them(name: str, earliest: dt.datetime) -> None:
    slot = choose_slot(replace(WISH, time_zone=name, earliest=BusinessInstant(earliest)))
    there = local(slot, name)
    assert 9 <= there.hour < 17
    assert say_time(slot, name, "en").time == f"{there:%H:%M}"
    assert (slot - EPOCH) % QUARTER == dt.timedelta()


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", ("Monday, 30 March 2026", "11:15", "Berlin time")),
        ("de-AT", ("Montag, 30. März 2026", "11:15 Uhr", "Zeit in Berlin")),
        ("fr", ("Monday, 30 March 2026", "11:15", "Berlin time")),
    ],
)
def test_a_time_is_said_in_the_readers_language_and_zone(locale: str, said: tuple[str, str, str]) -> None:
    instant = BusinessInstant(
        dt.datetime(2026, 3, 30, 9, 15, tzinfo=dt.UTC)
    )  # summer time began the day before
    told = say_time(instant, "Europe/Berlin", locale)
    assert (told.day, told.time, told.place) == said
