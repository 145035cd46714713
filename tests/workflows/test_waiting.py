"""What a wait costs and when it ends, on the time-skipping server."""

import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.support.binaries import time_skipping_server
from tests.support.simulators import until_true
from tests.support.waits import Plan, WaitProbe, Waits
from workers.main import sandbox

pytestmark = pytest.mark.cadence
QUEUE = "waits"
HOUR, DAY, CENTURY = 3600.0, 86_400.0, 36_500 * 86_400.0
Handle = WorkflowHandle[WaitProbe, Waits]


@dataclass
class Probes:
    """Starts probes on a server whose time is skipped."""

    env: WorkflowEnvironment

    async def start(self, *deadlines: float | None, rung: bool = False, keeps_waiter: bool = True) -> Handle:
        handle: Handle = await self.env.client.start_workflow(
            WaitProbe.run,
            Plan(list(deadlines), keeps_waiter),
            id=f"probe/{uuid.uuid4()}",
            task_queue=QUEUE,
            start_signal="ring" if rung else None,
        )
        if not rung:
            await handle.query(WaitProbe.ended)  # answered after the first task: what it waits for is armed
        return handle

    async def ring(self, handle: Handle, ended: int) -> None:
        """End the wait of the moment, and see that it is over."""
        await handle.signal(WaitProbe.ring)
        await until_true(lambda: _has_ended(handle, ended))


async def _has_ended(handle: Handle, waits: int) -> bool:
    return await handle.query(WaitProbe.ended) >= waits


async def timers(handle: Handle) -> Counter[str]:
    """Count what the history says of timers."""
    kinds = {
        EventType.EVENT_TYPE_TIMER_STARTED: "started",
        EventType.EVENT_TYPE_TIMER_CANCELED: "cancelled",
        EventType.EVENT_TYPE_TIMER_FIRED: "fired",
    }
    history = await handle.fetch_history()
    return Counter(kinds[event.event_type] for event in history.events if event.event_type in kinds)


@asynccontextmanager
async def probing() -> AsyncIterator[Probes]:
    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=time_skipping_server()
        ) as env,
        Worker(env.client, task_queue=QUEUE, workflows=[WaitProbe], workflow_runner=sandbox()),
    ):
        yield Probes(env)


@pytest.fixture
async def probes() -> AsyncIterator[Probes]:
    async with probing() as started:
        yield started


async def test_a_deadline_that_has_passed_ends_the_wait_at_once_and_arms_no_timer(probes: Probes) -> None:
    handle = await probes.start(-10.0, 0.0, -CENTURY / 100)
    waits = await handle.result()
    assert waits == Waits([False, False, False], [0.0, 0.0, 0.0])
    assert await timers(handle) == {}


async def test_a_condition_that_holds_is_told_even_when_the_deadline_has_passed(probes: Probes) -> None:
    handle = await probes.start(-10.0, rung=True)
    assert (await handle.result()).rung == [True]


async def test_a_condition_that_comes_first_ends_the_wait(probes: Probes) -> None:
    handle = await probes.start(HOUR)
    await probes.env.sleep(timedelta(minutes=10))
    await handle.signal(WaitProbe.ring)
    waits = await handle.result()
    assert waits.rung == [True]
    assert HOUR / 6 <= waits.at[0] < HOUR


async def test_a_deadline_that_comes_first_ends_the_wait(probes: Probes) -> None:
    handle = await probes.start(HOUR, 30 * DAY)
    waits = await handle.result()
    assert waits.rung == [False, False]
    assert waits.at[0] >= HOUR
    assert waits.at[1] >= 30 * DAY
    assert await timers(handle) == {"started": 2, "fired": 2}


async def test_the_same_deadline_waited_for_again_keeps_its_one_timer(probes: Probes) -> None:
    handle = await probes.start(*[DAY] * 6)
    for ended in range(1, 6):
        await probes.ring(handle, ended)
    waits = await handle.result()
    assert waits.rung == [True] * 5 + [False]
    assert waits.at[-1] >= DAY
    assert await timers(handle) == {"started": 1, "fired": 1}


async def test_a_single_wait_leaves_no_timer_behind(probes: Probes) -> None:
    handle = await probes.start(30 * DAY, DAY, keeps_waiter=False)
    await probes.ring(handle, 1)
    assert (await handle.result()).rung == [True, False]
    assert await timers(handle) == {"started": 2, "cancelled": 1, "fired": 1}


async def test_another_deadline_cancels_the_timer_and_arms_a_new_one(probes: Probes) -> None:
    handle = await probes.start(30 * DAY, DAY)
    await probes.ring(handle, 1)
    waits = await handle.result()
    assert waits.rung == [True, False]
    assert DAY <= waits.at[1] < 2 * DAY
    assert await timers(handle) == {"started": 2, "cancelled": 1, "fired": 1}


async def test_without_a_deadline_only_a_condition_ends_the_wait(probes: Probes) -> None:
    handle = await probes.start(None)
    await probes.env.sleep(timedelta(days=400))
    assert await handle.query(WaitProbe.ended) == 0
    await handle.signal(WaitProbe.ring)
    waits = await handle.result()
    assert waits.rung == [True]
    assert waits.at[0] >= 400 * DAY
    assert await timers(handle) == {}


async def test_a_deadline_that_is_taken_back_leaves_no_timer_behind(probes: Probes) -> None:
    handle = await probes.start(DAY, None)
    await probes.ring(handle, 1)
    await probes.env.sleep(timedelta(days=3))
    assert await handle.query(WaitProbe.ended) == 1
    await handle.signal(WaitProbe.ring)
    assert (await handle.result()).rung == [True, True]
    assert await timers(handle) == {"started": 1, "cancelled": 1}


async def test_a_deadline_after_a_lifetime_can_be_armed_and_left(probes: Probes) -> None:
    handle = await probes.start(CENTURY)
    await probes.env.sleep(timedelta(days=1))
    await handle.signal(WaitProbe.ring)
    assert (await handle.result()).rung == [True]


async def test_a_timer_that_fired_is_not_waited_for_a_second_time(probes: Probes) -> None:
    handle = await probes.start(HOUR, HOUR)
    waits = await handle.result()
    assert waits.rung == [False, False]
    assert waits.at[0] == waits.at[1]
    assert await timers(handle) == {"started": 1, "fired": 1}
