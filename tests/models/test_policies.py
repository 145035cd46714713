"""Policies that two change at once: neither change is lost, also where nothing was stored before."""

import asyncio

import pytest
from sqlalchemy import text

from domain.do_not_disturb import Word
from domain.vocabulary import Segment
from models.database import Database
from models.hands import Hand
from models.impact import load_do_not_disturb, say_word
from tests.support.portfolio import NOW, WALL

pytestmark = pytest.mark.integration
HAND = Hand("Ada", None, NOW, WALL)
WAITING = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def test_the_words_of_two_people_at_once_are_both_kept(database: Database) -> None:
    first_has_spoken = asyncio.Event()

    async def say_first() -> None:
        async with database.transaction() as session:
            await say_word(session, word("usage-nudge"), HAND)
            first_has_spoken.set()
            await somebody_waits(database)

    async def say_second() -> None:
        await first_has_spoken.wait()
        async with database.transaction() as session:
            await say_word(session, word("low-engagement"), HAND)

    async with asyncio.timeout(10):
        await asyncio.gather(say_first(), say_second())
    async with database.transaction() as session:
        found = await load_do_not_disturb(session)
    assert {one.playbook for one in found.words} == {"usage-nudge", "low-engagement"}


def word(playbook: str) -> Word:
    return Word(playbook=playbook, segment=Segment.SMALL, contact=False, reason="a merger is going on")


async def somebody_waits(database: Database) -> None:
    """Return once somebody waits for the lock of the policies."""
    while True:
        async with database.transaction() as session:
            if await session.scalar(text(WAITING)):
                return
        await asyncio.sleep(0.01)
