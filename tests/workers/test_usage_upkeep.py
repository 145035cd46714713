"""As days pass without facts, windows shrink; a clock set back has them added up anew."""

import datetime as dt

import pytest
from sqlalchemy import text

from models.database import Database
from models.facts import store_facts
from tests.support.facts import CRM, WALL, connect, customer, usage
from workers.usage_upkeep import move_windows

pytestmark = pytest.mark.integration


async def windows(database: Database) -> list[tuple[object, ...]]:
    async with database.transaction() as session:
        found = await session.execute(text("SELECT as_of, events_7, events_28, events_90 FROM usage_windows"))
        return [tuple(row) for row in found]


async def test_windows_move_with_the_day_and_back_with_the_clock(database: Database) -> None:
    await connect(database)
    async with database.transaction() as session:
        await store_facts(session, CRM, [customer(), usage()], received_at=WALL)
    used = dt.date(2026, 1, 2)
    for days, expected in ((58, (0, 0, 1)), (89, (0, 0, 1)), (3, (1, 1, 1)), (8, (0, 1, 1))):
        today = used + dt.timedelta(days=days)
        await move_windows(database, today)
        assert await windows(database) == [(today, *expected)]
    await move_windows(database, used + dt.timedelta(days=90))
    assert await windows(database) == []
    await move_windows(database, used)
    assert await windows(database) == [(used, 1, 1, 1)]
