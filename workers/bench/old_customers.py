"""Customers with a long history, woken from a warm and from a cold cache."""

import asyncio
import os
import signal
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from domain.vocabulary import NoticeKind, SignalKind
from models.bench_year import tell
from models.clock import wall_now
from settings import Settings
from workers.bench.histories import histories
from workers.bench.portfolio import Bench
from workers.bench.until import GIVE_UP_SECONDS, LOOK_SECONDS, NotDoneError, until_heard, until_warned
from workers.bench.workflow_stack import LIFECYCLE
from workers.embedded.runtime import read_state

SIGHTS = 16
"""Looks between two continuations as new: a customer of two years has no longer a history than this."""
STICKY_SECONDS = 12.0
"""The server forgets after ten seconds which worker had a workflow in its cache."""
WARM, COLD = SignalKind.FEATURE_DROP_OFF, SignalKind.LOGIN_SILENCE


@dataclass(frozen=True)
class Wakes:
    """Milliseconds from a ring to its decision, and how long a history was replayed for it."""

    warm_ms: list[float]
    cold_ms: list[float]
    events: int


async def wake_old(settings: Settings, bench: Bench, ids: Sequence[uuid.UUID]) -> Wakes:
    """Give customers a history, empty the worker's cache, and time the way from a ring to its decision."""
    for _ in range(SIGHTS):
        async with bench.database.transaction() as session:
            await tell(session, ids, NoticeKind.CUSTOMER_CHANGED, bench.clock.now(), wall_now())
        await until_heard(bench)
    warm = await _wake_each(bench, ids, WARM)
    events = len((await histories(bench.client, f"customer/{ids[0]}"))[-1])
    await _restart_worker(settings)
    return Wakes(warm, await _wake_each(bench, ids, COLD), events)


async def _wake_each(bench: Bench, ids: Sequence[uuid.UUID], kind: SignalKind) -> list[float]:
    """Ring one after the other."""
    return [await until_warned(bench, [one], kind, before) * 1000 for before, one in enumerate(ids)]


async def _restart_worker(settings: Settings) -> None:
    """End the process that has the workflows in its cache; the supervisor starts another."""
    old = _worker_pid(settings)
    os.kill(old, signal.SIGTERM)
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not _is_replaced(settings, old):
        if time.monotonic() > deadline:
            raise NotDoneError(found=0, wanted=1, seconds=GIVE_UP_SECONDS)
        await asyncio.sleep(LOOK_SECONDS)
    await asyncio.sleep(STICKY_SECONDS)


def _is_replaced(settings: Settings, old: int) -> bool:
    state = read_state(settings.home)
    part = state.parts[LIFECYCLE] if state else None
    return part is not None and part.healthy and part.mark is not None and part.mark.pid != old


def _worker_pid(settings: Settings) -> int:
    state = read_state(settings.home)
    mark = state.parts[LIFECYCLE].mark if state else None
    if mark is None:
        raise NotDoneError(found=0, wanted=1, seconds=0.0)
    return mark.pid


def resident_bytes(settings: Settings) -> int:
    """Return the memory of the process that has the workflows in its cache."""
    return int(psutil.Process(_worker_pid(settings)).memory_info().rss)
