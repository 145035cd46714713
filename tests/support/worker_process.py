"""Start, hear and kill worker processes (see worker_at)."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.house.repository import ROOT

PATIENCE = 90.0


@dataclass
class WorkerProcess:
    """One worker in a process group of its own."""

    process: asyncio.subprocess.Process

    async def reached(self, times: int = 1) -> list[str]:
        """Wait until it has stopped at its point so many times; return what it was busy with."""
        return [json.loads(await self._line())["what"] for _ in range(times)]

    async def _line(self) -> bytes:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
        assert line, "the worker ended by itself"
        return line

    async def kill(self) -> None:
        """Kill it as the kernel would: no handler runs, nothing is flushed."""
        if self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def worker_process(point: str, **settings: Any) -> AsyncIterator[WorkerProcess]:
    """Run a worker that stops at `point`, or never for another word."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.worker_at",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"point": point, "settings": settings}).encode() + b"\n")
    await process.stdin.drain()
    worker = WorkerProcess(process)
    try:
        yield worker
    finally:
        await worker.kill()
