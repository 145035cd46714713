"""Waits until Postgres says that enough is done."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence

from domain.errors import EverstayError
from domain.vocabulary import Severity, SignalKind
from models.bench_year import count_heads_ups, count_unheard, open_signals
from models.clock import wall_now
from models.database import Session
from workers.bench.portfolio import Bench

LOOK_SECONDS, GIVE_UP_SECONDS = 0.02, 300.0


class NotDoneError(EverstayError):
    """Only {found} of {wanted} were done after {seconds:.0f} s."""


async def until(bench: Bench, ask: Callable[[Session], Awaitable[int]], wanted: int) -> float:
    """Return the seconds until so many are done."""
    began, found = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < GIVE_UP_SECONDS:
        async with bench.database.transaction() as session:
            found = await ask(session)
        if found >= wanted:
            return time.perf_counter() - began
        await asyncio.sleep(LOOK_SECONDS)
    raise NotDoneError(found=found, wanted=wanted, seconds=spent)


async def until_heard(bench: Bench) -> None:
    """Wait until every notice has been heard."""

    async def unheard(session: Session) -> int:
        return -await count_unheard(session)

    await until(bench, unheard, 0)


async def see(bench: Bench, ids: Sequence[uuid.UUID], kind: SignalKind) -> None:
    """Let a detector fire for each customer."""
    async with bench.database.transaction() as session:
        await open_signals(session, ids, kind, Severity.HIGH, bench.clock.now(), wall_now())


async def until_warned(bench: Bench, ids: Sequence[uuid.UUID], kind: SignalKind, before: int = 0) -> float:
    """Tell of a signal of each customer; return the seconds until the last warning is decided."""
    await see(bench, ids, kind)
    return await until(bench, lambda session: count_heads_ups(session, kind), before + len(ids))
