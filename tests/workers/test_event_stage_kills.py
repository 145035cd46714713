"""kill -9 of a relay at both points of a post: the message arrives, under one id."""

import asyncio

import pytest

from domain.vocabulary import MessageState, SignalKind
from models.clock import wall_now
from models.database import Database
from models.webhook_messages import LEASE
from tests.support.events import attempts, checked, messages, stage_of, subscribe_to
from tests.support.forked import forked
from tests.support.poster_at import post_until
from tests.support.scenario import Scenario
from tests.support.simulators import Receiver, running_receiver
from tests.support.steps import MONDAY, HandClock

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.mark.parametrize(("point", "arrived"), [("before_post", 0), ("after_post", 1)])
async def test_a_relay_that_is_killed_in_the_middle_loses_nothing_and_changes_no_id(
    database: Database, point: str, arrived: int
) -> None:
    scene = await Scenario(database, MONDAY).begin()
    receiver = Receiver()
    async with running_receiver(receiver) as url:
        await subscribe_to(database, url, ["signal.opened"])
        with forked(post_until, point, database.url) as doomed:
            await scene.open_signal(SignalKind.USAGE_DROP)
            (stopped_at,) = await doomed.reached()
            doomed.kill()
        assert len(receiver.requests) == arrived
        clock = HandClock(wall=wall_now())
        clock.pass_by(LEASE)
        await asyncio.gather(*(stage_of(database, clock).post_all() for _ in range(2)))
        found = checked(receiver)
    assert [name for name, _ in found] == [stopped_at] * (arrived + 1)
    (message,) = await messages(database)
    assert (message.state, message.attempts) == (MessageState.TAKEN, 2)
    assert [one.number for one in await attempts(database)] == [2]
