"""Kills worker processes, one after the other, each only once everything has been well for a while."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

from workers.embedded.parts import WORKERS
from workers.embedded.runtime import StackState, read_state

LOOK_SECONDS = 0.1
HEALTH_SECONDS = 180.0
"""So long a stack may take to be well again on a busy machine."""


async def kill_workers(home: Path, chance: random.Random, times: int, calm: float) -> AsyncIterator[str]:
    """Kill -9 at random, `calm` seconds and a bit after all parts were healthy; yield each victim."""
    left: list[str] = []
    for _ in range(times):
        state = await well_for(home, calm + chance.random())
        left = left or chance.sample(sorted(WORKERS), len(WORKERS))
        name = left.pop()
        mark = state.parts[name].mark
        assert mark is not None, f"{name} is healthy without a process"
        os.kill(mark.pid, signal.SIGKILL)
        await _until_noticed(home, name, state.parts[name].restarts)
        yield name


async def well_for(home: Path, seconds: float) -> StackState:
    """Wait until every part has been healthy for so long."""
    loop = asyncio.get_running_loop()
    deadline, since = loop.time() + HEALTH_SECONDS, loop.time()
    while True:
        state = read_state(home)
        if state is None or not state.is_healthy():
            since = loop.time()
        elif loop.time() - since >= seconds:
            return state
        assert loop.time() < deadline, "the stack did not get well"
        await asyncio.sleep(LOOK_SECONDS)


async def _until_noticed(home: Path, name: str, restarts: int) -> None:
    """Wait until the supervisor has seen the death, or the old state would pass for health."""
    deadline = asyncio.get_running_loop().time() + HEALTH_SECONDS
    while (state := read_state(home)) is None or state.parts[name].restarts <= restarts:
        assert asyncio.get_running_loop().time() < deadline, f"nobody noticed the death of {name}"
        await asyncio.sleep(LOOK_SECONDS)
