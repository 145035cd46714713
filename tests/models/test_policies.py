"""Policies that two change at once: neither change is lost, also where nothing was stored before."""

import asyncio

import pytest

from domain.do_not_disturb import Word
from domain.vocabulary import Segment
from models.database import Database
from models.hands import Hand
from models.impact import load_do_not_disturb, say_word
from tests.support.portfolio import NOW, WALL

pytestmark = pytest.mark.integration


async def test_the_words_of_two_people_at_once_are_both_kept(database: Database) -> None:
    first_has_spoken, others_wait = asyncio.Event(), asyncio.Event()

    async def say(playbook: str, *, is_first: bool) -> None:
        word = Word(playbook=playbook, segment=Segment.SMALL, contact=False, reason="a merger is going on")
        if not is_first:
            await first_has_spoken.wait()
        async with database.transaction() as session:
            if not is_first:
                others_wait.set()
            await say_word(session, word, Hand("Ada", None, NOW, WALL))
            if is_first:
                first_has_spoken.set()
                await others_wait.wait()

    await asyncio.gather(say("usage-nudge", is_first=True), say("low-engagement", is_first=False))
    async with database.transaction() as session:
        found = await load_do_not_disturb(session)
    assert {one.playbook for one in found.words} == {"usage-nudge", "low-engagement"}
