"""Business time as stored: it starts, stops, goes on and changes pace without losing an instant."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from domain.time import BusinessInstant, WallInstant, after, business, wall
from domain.timeline import Segment, Timeline
from models.clock import (
    CHANNEL,
    StoredClock,
    append_segment,
    beat,
    change_rate,
    close_after_stop,
    is_compressed,
    last_beat,
    load_timeline,
    open_clock,
    start_clock,
    wall_now,
)
from models.database import Database

pytestmark = pytest.mark.integration
WALL = wall(datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC))
BUSINESS = business(datetime(2024, 2, 27, tzinfo=UTC))
RATE = 21_600.0
MINUTE = timedelta(minutes=1)


def later(span: timedelta) -> WallInstant:
    return WallInstant(WALL + span)


async def stored(database: Database) -> Timeline:
    async with database.transaction() as session:
        timeline = await load_timeline(session)
    assert timeline is not None
    return timeline


async def test_a_database_without_a_clock_has_none(database: Database) -> None:
    async with database.transaction() as session:
        assert await load_timeline(session) is None
        assert await last_beat(session) is None


async def test_a_new_installation_runs_with_the_wall(database: Database) -> None:
    before = wall_now()
    clock = await open_clock(database)
    assert clock.rate == 1.0
    assert before <= clock.now() <= wall_now()
    assert not is_compressed(await stored(database))
    assert (await open_clock(database)).rate == 1.0
    assert len((await stored(database)).segments) == 1, "opening it again changes nothing"


async def test_segments_come_back_to_the_microsecond_and_in_utc(database: Database) -> None:
    async with database.transaction() as session:
        await start_clock(session, WALL, at=BUSINESS, rate=RATE)
    (segment,) = (await stored(database)).segments
    assert segment == Segment(WALL, BUSINESS, RATE)
    assert segment.wall_start.utcoffset() == timedelta()


async def test_the_clock_can_be_set_to_the_end_of_the_data_and_goes_on_from_there(database: Database) -> None:
    async with database.transaction() as session:
        await start_clock(session, WALL)
        timeline = await start_clock(session, later(MINUTE), at=BUSINESS)
    assert timeline.business_at(later(2 * MINUTE)) == after(BUSINESS, MINUTE)
    assert await stored(database) == timeline


async def test_compressed_time_stops_where_the_stack_was_last_alive(database: Database) -> None:
    async with database.transaction() as session:
        timeline = await start_clock(session, WALL, at=BUSINESS, rate=RATE)
        await beat(session, later(MINUTE))
        await beat(session, later(2 * MINUTE))
    async with database.transaction() as session:
        closed = await close_after_stop(session, timeline)
    assert closed == await stored(database)
    lived = after(BUSINESS, 2 * MINUTE * RATE)
    assert closed.business_at(later(2 * MINUTE)) == closed.business_at(later(timedelta(days=40))) == lived
    async with database.transaction() as session:
        assert await close_after_stop(session, closed) == closed, "stopped twice is stopped once"
    assert len((await stored(database)).segments) == 2


async def test_what_was_stopped_goes_on_without_a_gap(database: Database) -> None:
    async with database.transaction() as session:
        timeline = await start_clock(session, WALL, at=BUSINESS, rate=RATE)
        await beat(session, later(MINUTE))
        closed = await close_after_stop(session, timeline)
        back = later(timedelta(days=3))
        await append_segment(session, Segment(back, closed.business_at(back), RATE), "resumed")
    resumed = await stored(database)
    assert resumed.business_at(back) == after(BUSINESS, MINUTE * RATE)
    assert resumed.business_at(WallInstant(back + MINUTE)) == after(BUSINESS, 2 * MINUTE * RATE)


@pytest.mark.parametrize("rate", [1.0, 0.0])
async def test_time_that_runs_with_the_wall_or_stands_is_not_stopped(database: Database, rate: float) -> None:
    async with database.transaction() as session:
        timeline = await start_clock(session, WALL, at=BUSINESS, rate=rate)
        await beat(session, later(MINUTE))
        assert await close_after_stop(session, timeline) == timeline
    assert len((await stored(database)).segments) == 1


async def test_without_a_heartbeat_nobody_knows_of_a_stop(database: Database) -> None:
    async with database.transaction() as session:
        timeline = await start_clock(session, WALL, at=BUSINESS, rate=RATE)
        assert await close_after_stop(session, timeline) == timeline


async def test_a_heartbeat_before_the_newest_segment_stops_time_at_its_start(database: Database) -> None:
    async with database.transaction() as session:
        await beat(session, later(-MINUTE))
        timeline = await start_clock(session, WALL, at=BUSINESS, rate=RATE)
        closed = await close_after_stop(session, timeline)
    assert closed.business_at(later(MINUTE)) == BUSINESS


async def test_another_pace_goes_on_from_business_now(database: Database) -> None:
    async with database.transaction() as session:
        await start_clock(session, WALL, at=BUSINESS, rate=RATE)
        await change_rate(session, later(MINUTE), RATE / 2, "pace")
        await change_rate(session, later(MINUTE), RATE / 2, "the same pace again")
    timeline = await stored(database)
    assert [segment.rate for segment in timeline.segments] == [RATE, RATE / 2]
    assert timeline.business_at(later(2 * MINUTE)) == after(BUSINESS, 1.5 * MINUTE * RATE)


async def test_a_wall_clock_that_was_set_back_does_not_break_the_installation(database: Database) -> None:
    async with database.transaction() as session:
        await start_clock(session, WALL, at=BUSINESS, rate=RATE)
        await change_rate(session, later(-timedelta(seconds=2)), RATE / 2, "pace")
    assert (await stored(database)).business_at(WALL) == BUSINESS


async def test_a_process_that_refreshes_hears_of_another_pace(database: Database) -> None:
    clock = await open_clock(database)
    assert not await clock.refresh(database)
    async with database.transaction() as session:
        await change_rate(session, wall_now(), RATE, "pace")
    assert clock.rate == 1.0
    assert await clock.refresh(database)
    assert clock.rate == RATE
    due = BusinessInstant(clock.now() + timedelta(days=1))
    assert clock.wall_at(due) - clock.wall_now() <= timedelta(seconds=4)


async def test_every_process_is_told_when_the_pace_changes(database: Database, database_url: str) -> None:
    listener = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
    async with listener:
        await listener.execute(f"LISTEN {CHANNEL}".encode())
        async with database.transaction() as session:
            await start_clock(session, WALL)
        async with asyncio.timeout(20):
            notice = await anext(listener.notifies())
    assert notice.channel == CHANNEL


def test_a_clock_answers_from_the_timeline_that_it_was_given() -> None:
    clock = StoredClock(Timeline((Segment(WALL, BUSINESS, 0.0),)))
    assert clock.now() == BUSINESS
    assert clock.wall_at(BUSINESS) <= clock.wall_now()
    clock.replace(Timeline((Segment(WALL, after(BUSINESS, MINUTE), 0.0),)))
    assert clock.now() == after(BUSINESS, MINUTE)
