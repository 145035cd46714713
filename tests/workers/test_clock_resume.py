import asyncio
import datetime as dt
import os
import subprocess
import sys

from sqlalchemy import select, update

from domain.time import BusinessInstant, WallInstant, start_of_day
from domain.timeline import Segment, Timeline
from domain.vocabulary import NoticeKind
from models.clock import (
    StoredClock,
    append_segment,
    beat,
    change_rate,
    last_beat,
    load_timeline,
    postpone,
    start_clock,
    wall_now,
)
from models.clock_rings import ring_open_lifecycles
from models.database import Database
from models.facts import store_facts
from models.lifecycles import claim_rings
from models.outbox import take_notices
from models.playbooks import read_library
from models.tables.playbooks import LifecycleRow, PlaybookVersionRow
from settings import Settings
from tests.house.repository import ROOT
from tests.support.facts import CRM, connect, customer
from tests.support.simulators import until, until_true
from workers.clock_refresh import keep_fresh
from workers.clock_resume import heartbeat, resume
from workers.library import LIBRARY

RATE = 21_600.0
START = start_of_day(dt.date(2026, 9, 7))


def ago(seconds: float) -> WallInstant:
    return WallInstant(wall_now() - dt.timedelta(seconds=seconds))


async def timeline_of(database: Database) -> Timeline:
    async with database.transaction() as session:
        timeline = await load_timeline(session)
    assert timeline is not None
    return timeline


async def test_a_new_installation_starts_with_the_wall(database: Database, database_url: str) -> None:
    await resume(Settings(database_url=database_url))
    timeline = await timeline_of(database)
    assert [segment.rate for segment in timeline.segments] == [1.0]
    async with database.transaction() as session:
        published = set(await session.scalars(select(PlaybookVersionRow.playbook_key)))
    assert published == {document.key for document in read_library(LIBRARY)}


async def test_a_real_clock_ran_on_while_the_stack_was_down(database: Database, database_url: str) -> None:
    async with database.transaction() as session:
        await append_segment(session, Segment(ago(3600), START, 1.0), "set")
        await beat(session, ago(1800))
    await resume(Settings(database_url=database_url))
    timeline = await timeline_of(database)
    assert timeline.business_at(wall_now()) - START > dt.timedelta(minutes=59)


async def test_compressed_time_stood_still_between_the_last_beat_and_the_start(
    database: Database, database_url: str
) -> None:
    async with database.transaction() as session:
        await append_segment(session, Segment(ago(3600), START, RATE), "set")
        await beat(session, ago(3590))
    await resume(Settings(database_url=database_url))
    timeline = await timeline_of(database)
    assert [segment.rate for segment in timeline.segments] == [RATE, 0.0, RATE]
    lived = timeline.segments[-1].business_start - START
    assert abs(lived - dt.timedelta(seconds=10 * RATE)) < dt.timedelta(hours=6)


async def test_resuming_twice_loses_no_business_time(database: Database, database_url: str) -> None:
    async with database.transaction() as session:
        await append_segment(session, Segment(ago(100), START, RATE), "set")
        await beat(session, ago(90))
    settings = Settings(database_url=database_url)
    await resume(settings)
    first = (await timeline_of(database)).segments[-1].business_start
    await resume(settings)
    assert (await timeline_of(database)).segments[-1].business_start >= first


async def test_a_process_of_its_own_goes_on_where_the_kill_was_and_rings_who_wakes_soon(
    database: Database, database_url: str
) -> None:
    await connect(database)
    async with database.transaction() as session:
        await append_segment(session, Segment(ago(100), START, RATE), "set")
        await beat(session, ago(90))
        await store_facts(session, CRM, [customer()], received_at=ago(95))
        (customer_id,) = await claim_rings(session, wall_now(), START, 10)
        await take_notices(session, customer_id, wall_now())
        await session.execute(update(LifecycleRow).values(expected_wake_at=START))
    order = [sys.executable, "-m", "cli", "serve", "clock"]
    needed = {"PROFILE": "production", "TEMPORAL_ADDRESS": "127.0.0.1:1", "SECRET_KEY": "k" * 32}
    named = {f"EVERSTAY_{name}": value for name, value in needed.items()}
    env = {**os.environ, **named, "EVERSTAY_DATABASE_URL": database_url}
    ended = await asyncio.to_thread(
        subprocess.run, order, cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    async with database.transaction() as session:
        heard = await take_notices(session, customer_id, wall_now())
    assert [notice.kind for notice in heard] == [NoticeKind.CLOCK_CHANGED]
    assert [segment.rate for segment in (await timeline_of(database)).segments] == [RATE, 0.0, RATE]


async def test_a_heartbeat_leaves_a_last_trace_when_it_is_told_to_stop(
    database: Database, database_url: str
) -> None:
    before = wall_now()
    task = asyncio.create_task(heartbeat(Settings(database_url=database_url)))
    await _until_beaten(database, before)
    stopped = wall_now()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await _until_beaten(database, stopped)
    assert task.cancelled()


async def _until_beaten(database: Database, after: WallInstant) -> None:
    async def has_beaten() -> bool:
        async with database.transaction() as session:
            seen = await last_beat(session)
        return seen is not None and seen >= after

    await until_true(has_beaten)


async def test_every_process_hears_of_a_new_pace(database: Database) -> None:
    async with database.transaction() as session:
        clock = StoredClock(await start_clock(session, wall_now(), at=START, rate=RATE))
    task = asyncio.create_task(keep_fresh(clock, database))
    try:
        async with database.transaction() as session:
            await change_rate(session, wall_now(), 2 * RATE, "test")
        await until(lambda: clock.rate == 2 * RATE)
        assert clock.rate == 2 * RATE
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_changed_clock_rings_every_open_lifecycle_once(database: Database) -> None:
    await connect(database)
    async with database.transaction() as session:
        await store_facts(session, CRM, [customer()], received_at=wall_now())
        (customer_id,) = await claim_rings(session, wall_now(), START, 10)
        await take_notices(session, customer_id, wall_now())
        assert await ring_open_lifecycles(session, START, wall_now()) == 1
        assert await ring_open_lifecycles(session, START, wall_now()) == 0
        heard = await take_notices(session, customer_id, wall_now())
    assert [notice.kind for notice in heard] == [NoticeKind.CLOCK_CHANGED]


async def test_a_beginning_that_is_postponed_lets_business_time_stand_still_until_then(
    database: Database,
) -> None:
    soon = WallInstant(wall_now() + dt.timedelta(seconds=60))
    async with database.transaction() as session:
        await start_clock(session, ago(60), at=START, rate=0.0)
        await append_segment(session, Segment(soon, START, RATE), "set")
        await postpone(session, 30)
    timeline = await timeline_of(database)
    later = WallInstant(soon + dt.timedelta(seconds=30))
    assert timeline.business_at(WallInstant(soon + dt.timedelta(seconds=29))) == START
    assert timeline.business_at(WallInstant(later + dt.timedelta(seconds=1))) == START + dt.timedelta(hours=6)
    assert StoredClock(timeline).running_since == later
    due = BusinessInstant(START + dt.timedelta(days=1))
    assert timeline.wall_at(due, wall_now()) == later + dt.timedelta(seconds=4)
