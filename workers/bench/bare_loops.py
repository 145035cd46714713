"""The closed loops of the lifecycle benchmark with workflows that do nothing: what the server allows."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Iterable

from temporalio.client import Client

from workers.bench.bare_worker import QUEUE
from workers.bench.empty_workflow import EmptyEntity, EmptyWorkflow
from workers.relay import AT_ONCE


async def bare_starts(client: Client, count: int) -> float:
    """Start so many workflows; return the seconds until the last has ended."""

    async def run() -> None:
        await client.execute_workflow(EmptyWorkflow.run, id=f"bare/{uuid.uuid4()}", task_queue=QUEUE)

    return await _all(run() for _ in range(count))


async def bare_signals(client: Client, count: int) -> float:
    """Ring so many workflows that wait for it; return the seconds until the last has answered."""
    ids = [f"bare/{uuid.uuid4()}" for _ in range(count)]
    handles = [await client.start_workflow(EmptyEntity.run, id=one, task_queue=QUEUE) for one in ids]

    async def ring(number: int) -> None:
        await handles[number].signal(EmptyEntity.ring)
        await handles[number].result()

    return await _all(ring(number) for number in range(count))


async def _all(work: Iterable[Awaitable[None]]) -> float:
    """Do everything, as many at once as the relay does; return the seconds."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(job: Awaitable[None]) -> None:
        async with slots:
            await job

    began = time.perf_counter()
    await asyncio.gather(*(one(job) for job in work))
    return time.perf_counter() - began
