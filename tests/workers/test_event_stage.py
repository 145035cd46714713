"""Events on their way to real receivers that answer well, badly or never."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator

import pytest

from domain.time import WallInstant
from domain.vocabulary import MessageState, SignalKind
from domain.webhook_events import RETRY_DELAYS, SPREAD, next_attempt
from models.clock import wall_now
from models.database import Database
from models.endpoints import get_endpoint
from models.installation import start_effects, stop_effects
from models.tables.endpoints import WebhookEndpointRow
from models.webhook_messages import (
    LEASE,
    claim_messages,
    forget_messages,
    replay_message,
    replay_messages,
)
from tests.support.endpoints import KEY
from tests.support.events import attempts, checked, messages, stage_of, states, subscribe_to
from tests.support.scenario import Scenario
from tests.support.simulators import Receiver, running_receiver, until
from tests.support.steps import MONDAY, HandClock

pytestmark = pytest.mark.integration
TAKEN, WAITING, FAILED = MessageState.TAKEN, MessageState.WAITING, MessageState.FAILED
DAY = dt.timedelta(days=1)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def clock() -> HandClock:
    """A minute ahead of the machine, so that what the triggers write is due."""
    return HandClock(wall=WallInstant(wall_now() + dt.timedelta(minutes=1)))


@pytest.fixture
async def scene(database: Database, receiver: Receiver) -> AsyncIterator[Scenario]:
    """A customer, and a receiver that subscribes to what happens to it."""
    found = await Scenario(database, MONDAY).begin()
    async with running_receiver(receiver) as url:
        await subscribe_to(database, url, ["signal.*"])
        yield found


async def test_what_happened_is_posted_once_signed_and_with_its_time(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    await scene.open_signal(SignalKind.USAGE_DROP)
    stage = stage_of(database, clock)
    await stage.post_all()
    await stage.post_all()
    ((name, body),) = checked(receiver)
    (message,) = await messages(database)
    assert name == f"msg_{message.id.hex}"
    assert (body["type"], body["data"]["kind"]) == ("signal.opened", "usage_drop")
    assert body["data"]["customer"]["external_id"] == "acme"
    assert dt.datetime.fromisoformat(body["timestamp"]).tzinfo is not None
    assert (message.state, message.attempts, message.last_status) == (TAKEN, 1, 204)


async def test_what_is_refused_comes_again_after_its_delay_under_the_same_id_and_the_same_bytes(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    receiver.first = [500, 400, 302]
    await scene.open_signal(SignalKind.USAGE_DROP)
    stage = stage_of(database, clock)
    for delay in RETRY_DELAYS[:4]:
        await stage.post_all()
        await stage.post_all()
        clock.pass_by(delay * (1 + SPREAD))
    assert len({name for name, _ in checked(receiver)}) == 1
    assert len({body for _, body in receiver.requests}) == 1
    told = [(one.number, one.status) for one in await attempts(database)]
    assert told == [(1, 500), (2, 400), (3, 302), (4, 204)]
    assert await states(database) == [TAKEN]


async def test_a_receiver_that_asks_for_time_is_given_it(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    receiver.first, receiver.headers = [503], {"retry-after": "3600"}
    await scene.open_signal(SignalKind.USAGE_DROP)
    stage = stage_of(database, clock)
    await stage.post_all()
    clock.pass_by(dt.timedelta(minutes=59))
    await stage.post_all()
    assert len(receiver.requests) == 1
    clock.pass_by(dt.timedelta(minutes=1))
    await stage.post_all()
    assert await states(database) == [TAKEN]


async def test_after_the_last_delay_a_message_has_failed_is_kept_and_can_be_sent_again(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    receiver.status = 500
    await scene.open_signal(SignalKind.USAGE_DROP)
    stage = stage_of(database, clock)
    for delay in (*RETRY_DELAYS, DAY):
        await stage.post_all()
        clock.pass_by(delay * (1 + SPREAD))
        if (await messages(database))[0].state is FAILED:
            break
        await _believe_in(database)
    (message,) = await messages(database)
    assert (message.state, message.attempts) == (FAILED, len(RETRY_DELAYS) + 1)
    receiver.status = 204
    async with database.transaction() as session:
        assert await replay_messages(session, KEY, clock.wall) == 1
    await stage.post_all()
    assert await states(database) == [TAKEN]
    assert len({name for name, _ in checked(receiver)}) == 1


async def _believe_in(database: Database) -> None:
    """Let the endpoint have taken something else meanwhile, so that it is not given up."""
    async with database.transaction() as session:
        row = await session.get_one(WebhookEndpointRow, KEY)
        row.failing_since = None


async def test_an_endpoint_that_has_taken_nothing_for_five_days_is_disabled_and_its_messages_wait(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    receiver.status = 500
    stage = stage_of(database, clock)
    kinds = iter(SignalKind)
    for _ in range(7):
        await scene.open_signal(next(kinds))
        await stage.post_all()
        clock.pass_by(DAY)
    async with database.transaction() as session:
        endpoint = await get_endpoint(session, KEY)
    assert endpoint.disabled_reason is not None
    assert endpoint.disabled_reason.startswith("it has taken no event since")
    before = len(receiver.requests)
    await scene.open_signal(next(kinds))
    await stage.post_all()
    assert len(receiver.requests) == before
    receiver.status, receiver.seconds = 204, 0
    async with database.transaction() as session:
        row = await session.get_one(WebhookEndpointRow, KEY)
        row.disabled_at = row.disabled_reason = row.failing_since = None
        await replay_messages(session, KEY, clock.wall)
    await stage.post_all()
    assert set(await states(database)) == {TAKEN}
    assert len({name for name, _ in checked(receiver)}) == 8


async def test_one_success_starts_the_count_of_days_anew(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    stage = stage_of(database, clock)
    kinds = iter(SignalKind)
    for status in (500, 500, 500, 204, 500, 500, 500):
        receiver.status = status
        await scene.open_signal(next(kinds))
        await stage.post_all()
        clock.pass_by(DAY)
    async with database.transaction() as session:
        assert (await get_endpoint(session, KEY)).disabled_at is None


async def test_gone_disables_at_once(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    receiver.status = 410
    await scene.open_signal(SignalKind.USAGE_DROP)
    await stage_of(database, clock).post_all()
    async with database.transaction() as session:
        assert (await get_endpoint(session, KEY)).disabled_reason == "it answered 410 Gone"
    assert await states(database) == [WAITING]


async def test_nothing_leaves_while_effects_are_stopped_and_everything_after(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    async with database.transaction() as session:
        await stop_effects(session, MONDAY)
    await scene.open_signal(SignalKind.USAGE_DROP)
    stage = stage_of(database, clock)
    await stage.post_all()
    assert receiver.requests == []
    async with database.transaction() as session:
        await start_effects(session, MONDAY, clock.wall)
    await stage.post_all()
    assert len(checked(receiver)) == 1


async def test_two_relays_share_the_work_and_send_nothing_twice(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    for kind in SignalKind:
        await scene.open_signal(kind)
    await asyncio.gather(*(stage_of(database, clock).post_all() for _ in range(2)))
    names = [name for name, _ in checked(receiver)]
    assert len(names) == len(set(names)) == len(SignalKind)


async def test_a_relay_that_dies_while_it_posts_leaves_the_message_to_the_next_one(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    await scene.open_signal(SignalKind.USAGE_DROP)
    receiver.seconds = 60.0
    doomed = stage_of(database, clock)
    await doomed.begin_due()
    await until(lambda: len(receiver.requests) == 1)
    await doomed.stop()
    receiver.seconds = 0.0
    following = stage_of(database, clock)
    await following.post_all()
    assert len(receiver.requests) == 1
    clock.pass_by(LEASE)
    await following.post_all()
    (first, _), (second, _) = checked(receiver)
    assert first == second
    assert [one.number for one in await attempts(database)] == [2]
    assert await states(database) == [TAKEN]


async def test_an_attempt_that_outlived_its_lease_changes_nothing(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    await scene.open_signal(SignalKind.USAGE_DROP)
    async with database.transaction() as session:
        assert len(await claim_messages(session, KEY, clock.wall, 5)) == 1
        assert await claim_messages(session, KEY, clock.wall, 5) == []
    clock.pass_by(LEASE)
    await stage_of(database, clock).post_all()
    (message,) = await messages(database)
    assert (message.attempts, message.state) == (2, TAKEN)
    assert len(receiver.requests) == 1


async def test_a_slow_endpoint_holds_up_no_other(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    slow = Receiver(seconds=60.0)
    async with running_receiver(slow) as url:
        await subscribe_to(database, url, ["*"], key="slow")
        await scene.open_signal(SignalKind.USAGE_DROP)
        stage = stage_of(database, clock)
        await stage.begin_due()
        await until(lambda: len(receiver.requests) == 1 and len(slow.requests) == 1)
        await scene.open_signal(SignalKind.QBR_MISSED)
        await until(lambda: len(receiver.requests) == 1)
        for _ in range(100):
            await stage.begin_due()
            await asyncio.sleep(0.02)
            if len(receiver.requests) == 2:
                break
        assert len(receiver.requests) == 2
        await stage.stop()
        slow.seconds = 0


async def test_one_or_everything_since_an_instant_is_sent_again_under_the_same_ids(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    await scene.open_signal(SignalKind.USAGE_DROP)
    await scene.open_signal(SignalKind.QBR_MISSED)
    stage = stage_of(database, clock)
    await stage.post_all()
    first, second = await messages(database)
    async with database.transaction() as session:
        await replay_message(session, first.id, clock.wall)
    await stage.post_all()
    async with database.transaction() as session:
        assert await replay_messages(session, KEY, clock.wall, since=second.created_at) == 1
    await stage.post_all()
    names = [name for name, _ in checked(receiver)]
    assert sorted(names) == sorted(2 * [f"msg_{one.id.hex}" for one in (first, second)])


async def test_old_messages_are_forgotten_with_their_attempts(
    database: Database, scene: Scenario, receiver: Receiver, clock: HandClock
) -> None:
    await scene.open_signal(SignalKind.USAGE_DROP)
    await stage_of(database, clock).post_all()
    async with database.transaction() as session:
        assert await forget_messages(session, WallInstant(wall_now() - DAY)) == 0
        assert await forget_messages(session, WallInstant(wall_now() + DAY)) == 1
    assert (await messages(database), await attempts(database)) == ([], [])
    assert len(receiver.requests) == 1


def test_delays_grow_are_spread_and_never_shorter_than_what_is_asked_for() -> None:
    wall = wall_now()
    for tried, delay in enumerate(RETRY_DELAYS, 1):
        assert next_attempt(tried, None, 0.0, wall) == wall + delay
        assert next_attempt(tried, None, 1.0, wall) == wall + delay * (1 + SPREAD)
    assert next_attempt(1, dt.timedelta(hours=2), 0.0, wall) == wall + dt.timedelta(hours=2)
    assert next_attempt(1, dt.timedelta(days=90), 0.0, wall) == wall + DAY
    assert next_attempt(len(RETRY_DELAYS) + 1, None, 0.0, wall) is None
