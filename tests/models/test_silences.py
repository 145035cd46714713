"""Silences that the relay watches over: rung for once, moved by contacts without waking anybody."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import select, update

from domain.customer_state import Memory
from domain.directives import Silence
from domain.time import BusinessInstant, start_of_day
from domain.vocabulary import NoticeKind
from models.clock import start_clock, wall_now
from models.customer_state import lock_customer
from models.database import Database
from models.lifecycles import DecisionMade, store_lifecycle
from models.outbox import take_notices
from models.silences import tell_of_silences
from models.tables.customers import CustomerRow
from models.tables.playbooks import LifecycleRow
from tests.support.scenario import Scenario

START = start_of_day(dt.date(2026, 9, 7))
DAY = dt.timedelta(days=1)
MONTH = 30 * DAY


def later(span: dt.timedelta) -> BusinessInstant:
    return BusinessInstant(START + span)


@pytest.fixture
async def quiet(database: Database) -> uuid.UUID:
    """A customer with whom nobody has spoken since START, which may last a month."""
    scene = await Scenario(database, START).begin()
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=START, rate=0.0)
        await take_notices(session, scene.customer_id, wall_now())
        watched = Silence(START, later(MONTH))
        made = DecisionMade(scene.customer_id, Memory(phase="low"), 1, {}, None, watched)
        await store_lifecycle(session, made, START)
    return scene.customer_id


async def tell(database: Database, now: BusinessInstant) -> int:
    async with database.transaction() as session:
        return await tell_of_silences(session, now, wall_now())


async def due(database: Database) -> BusinessInstant | None:
    async with database.transaction() as session:
        return await session.scalar(select(LifecycleRow.silence_due_at))


async def test_a_silence_is_told_once_when_it_has_lasted_too_long(
    database: Database, quiet: uuid.UUID
) -> None:
    assert await tell(database, later(MONTH - DAY)) == 0
    assert await tell(database, later(MONTH)) == 1
    assert await tell(database, later(2 * MONTH)) == 0
    async with database.transaction() as session:
        told = await take_notices(session, quiet, wall_now())
    assert [notice.kind for notice in told] == [NoticeKind.SILENCE]


async def test_a_contact_in_between_moves_it_and_wakes_nobody(database: Database, quiet: uuid.UUID) -> None:
    async with database.transaction() as session:
        spoken = update(CustomerRow).where(CustomerRow.id == quiet)
        await session.execute(spoken.values(last_touch_at=later(20 * DAY)))
    assert await tell(database, later(MONTH)) == 0
    assert await due(database) == later(50 * DAY)
    assert await tell(database, later(50 * DAY)) == 1


async def test_a_customer_that_is_being_decided_on_is_left_to_the_next_round(
    database: Database, quiet: uuid.UUID
) -> None:
    async with database.transaction() as deciding:
        await lock_customer(deciding, quiet)
        assert await tell(database, later(MONTH)) == 0
    assert await tell(database, later(MONTH)) == 1
