"""Worker processes to kill: forked from one that has imported everything, since imports are most of a start.

Each is a process of its own with its own connections; a kill is the kernel's.
"""

import asyncio
import multiprocessing
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any, Concatenate, ParamSpec, TypeAlias

WORKERS = [
    "tests.support.worker_at",
    "tests.support.crm_worker",
    "tests.support.import_worker",
    "tests.support.mail_worker",
    "tests.support.poster_at",
    "tests.support.pull_worker",
    "tests.support.scoring_worker",
    "tests.support.training_worker",
]
PATIENCE = 180.0
Given = ParamSpec("Given")
Told: TypeAlias = "Connection[str, str]"  # it takes no parameters when it runs
Work = Callable[Concatenate[Told, Given], Coroutine[Any, Any, None]]

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(WORKERS)


@dataclass(frozen=True)
class ForkedProcess:
    """One process that works until it is killed."""

    process: ForkServerProcess
    told: Told

    async def reached(self, times: int = 1) -> list[str]:
        """Wait until it has said so many words, and return them."""
        return [await self._hear() for _ in range(times)]

    async def _hear(self) -> str:
        heard = await asyncio.to_thread(self.told.poll, PATIENCE)
        assert heard, f"it said nothing for {PATIENCE:.0f} s"
        return self.told.recv()

    def kill(self) -> None:
        """Kill it as the kernel would: no handler runs, nothing is flushed."""
        self.process.kill()
        self.process.join()


@contextmanager
def forked(work: Work[Given], *args: Given.args, **kwargs: Given.kwargs) -> Iterator[ForkedProcess]:
    """Run `work` in a process of its own, which gets a connection for what it has to tell."""
    ours, theirs = _context.Pipe(duplex=False)
    process = _context.Process(target=_run, args=(work, theirs, args, kwargs), daemon=True)
    process.start()
    theirs.close()
    one = ForkedProcess(process, ours)
    try:
        yield one
    finally:
        one.kill()
        ours.close()


def _run(work: Work[...], told: Told, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    asyncio.run(work(told, *args, **kwargs))
