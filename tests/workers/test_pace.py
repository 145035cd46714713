import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.time import after, start_of_day
from models.clock import StoredClock, load_timeline, start_clock, wall_now
from models.database import Database
from models.wakes import record_wake
from workers.pace import (
    DAY_SECONDS,
    FEWEST_WAKES,
    SWAMPED_HOURS,
    PaceController,
    PaceLimits,
    next_day_seconds,
    shortest_day,
)

LIMITS = PaceLimits(shortest=4.0, longest=8.0)


@pytest.mark.parametrize(("customers", "seconds"), [(1, 4.0), (140, 4.0), (280, 8.0), (1400, 40.0)])
def test_more_customers_need_longer_days(customers: int, seconds: float) -> None:
    assert shortest_day(customers) == seconds


def test_lateness_above_one_business_hour_lengthens_the_day() -> None:
    assert next_day_seconds(4.0, 1.5, LIMITS, is_calm=False) > 4.0


def test_a_calm_stretch_shortens_it_again() -> None:
    assert next_day_seconds(6.0, 0.1, LIMITS, is_calm=True) < 6.0
    assert next_day_seconds(6.0, 0.8, LIMITS, is_calm=True) == 6.0
    assert next_day_seconds(6.0, 0.1, LIMITS, is_calm=False) == 6.0


@given(now=st.floats(1, 100), late=st.floats(0, 100), calm=st.booleans())
def test_a_day_never_gets_shorter_than_its_shortest(now: float, late: float, *, calm: bool) -> None:
    assert next_day_seconds(now, late, LIMITS, is_calm=calm) >= LIMITS.shortest


@given(now=st.floats(1, 8), late=st.floats(0, SWAMPED_HOURS), calm=st.booleans())
def test_a_little_lateness_never_breaks_the_budget(now: float, late: float, *, calm: bool) -> None:
    assert next_day_seconds(now, late, LIMITS, is_calm=calm) <= LIMITS.longest


def test_when_swamped_a_day_gets_longer_whatever_the_budget() -> None:
    assert next_day_seconds(8.0, SWAMPED_HOURS + 1, LIMITS, is_calm=False) > LIMITS.longest


def test_once_the_swamp_is_over_a_day_goes_back_into_the_budget_by_steps() -> None:
    assert next_day_seconds(16.0, 0.8, LIMITS, is_calm=True) == 12.0
    assert next_day_seconds(9.0, 0.8, LIMITS, is_calm=True) == LIMITS.longest
    assert next_day_seconds(9.0, 1.2, LIMITS, is_calm=True) == 9.0


def test_a_quiet_weekend_is_not_yet_a_calm_week() -> None:
    assert next_day_seconds(16.0, 0.1, LIMITS, is_calm=False) == 16.0


async def test_a_new_pace_goes_on_from_the_same_business_instant(database: Database) -> None:
    start = start_of_day(dt.date(2026, 9, 7))
    async with database.transaction() as session:
        clock = StoredClock(await start_clock(session, wall_now(), at=start, rate=DAY_SECONDS / 4))
    pace = PaceController(database, clock, LIMITS)
    await pace.set_day(8.0)
    assert pace.day_seconds == 8.0
    async with database.transaction() as session:
        timeline = await load_timeline(session)
    assert timeline is not None
    before, after = timeline.segments
    assert before.business_at(after.wall_start) == after.business_start


async def test_a_clock_of_which_nothing_is_known_is_left_alone(database: Database) -> None:
    start = start_of_day(dt.date(2026, 9, 7))
    async with database.transaction() as session:
        clock = StoredClock(await start_clock(session, wall_now(), at=start, rate=DAY_SECONDS / 6))
    pace = PaceController(database, clock, LIMITS)
    for _ in range(3):
        await pace.look()
    assert clock.rate == DAY_SECONDS / 6


@pytest.mark.parametrize(("calm_days", "is_shorter"), [(3, False), (8, True)])
async def test_days_get_shorter_only_after_a_whole_week_without_lateness(
    database: Database, calm_days: int, *, is_shorter: bool
) -> None:
    start = start_of_day(dt.date(2026, 9, 7))
    async with database.transaction() as session:
        clock = StoredClock(await start_clock(session, wall_now(), at=start, rate=DAY_SECONDS / 6))
    pace = PaceController(database, clock, LIMITS)
    now = after(start, dt.timedelta(days=calm_days))
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=now, rate=DAY_SECONDS / 6)
    await clock.refresh(database)
    async with database.transaction() as session:
        for place in range(FEWEST_WAKES):
            await record_wake(session, f"customer/{place}", now, clock)
    await pace.look()
    assert (pace.day_seconds < 6.0) is is_shorter
