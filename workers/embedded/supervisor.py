"""Starts children in the order of their needs, keeps them alive, and stops them in the opposite order."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from workers.embedded.children import ChildSpec, Kind, levels
from workers.embedded.errors import StartFailedError
from workers.embedded.logs import log_path, rotate, tail
from workers.embedded.ports import listens, port_holder
from workers.embedded.process import ProcessMark, dies_with_parent
from workers.embedded.runtime import Part

Say = Callable[[str], None]
Record = Callable[[Mapping[str, Part], bool], None]

START_ATTEMPTS = 3  # deaths before it was ever ready, after which the start has failed
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds between restarts, doubled each time
STEADY_SECONDS = 60.0  # a child that lived so long starts counting from the first pause again
STARTING_PROBE, RUNNING_PROBE, PROBE_TIMEOUT = 0.2, 5.0, 4.0  # seconds
TWICE = 1.0  # seconds within which a second signal is the echo of the first
MOMENT = 0.5  # seconds that a child without a probe has to live


@dataclass
class _Child:
    spec: ChildSpec
    process: asyncio.subprocess.Process | None = None
    mark: ProcessMark | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)  # it has been ready once
    healthy: bool = False
    born: float = 0.0  # monotonic
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    restarts: int = 0
    failures: int = 0  # deaths in a row
    last_exit: str | None = None

    def part(self) -> Part:
        return Part(
            mark=self.mark, healthy=self.healthy, since=self.since, restarts=self.restarts,
            last_exit=self.last_exit, where=self.spec.where,
        )  # fmt: skip


class Supervisor:
    """Runs one set of children until told to stop or until one of them cannot be started."""

    def __init__(self, specs: tuple[ChildSpec, ...], logs: Path, say: Say, record: Record) -> None:
        self._levels = levels(specs)
        self._children = {spec.name: _Child(spec) for spec in specs}
        self._logs = logs
        self._say = say
        self._record = record
        self._stopping = asyncio.Event()
        self._is_up = False  # everything has been ready once, and people were told
        self._asked = 0.0  # monotonic, of the first wish to stop

    def stop(self) -> None:
        """Ask for an orderly stop; asked again later (one Ctrl-C may arrive twice), kill what is left."""
        if self._asked and time.monotonic() - self._asked > TWICE:
            for child in self._children.values():
                _signal(child, signal.SIGKILL)
        self._asked = self._asked or time.monotonic()
        self._stopping.set()

    async def run(self, when_ready: Callable[[], None] = lambda: None) -> None:
        """Start everything, call `when_ready` once all is healthy, and return after the stop.

        Raises `StartFailedError` if a child cannot be started; everything is stopped then too.
        """
        for name in self._children:
            rotate(self._logs, name)
        keepers = [asyncio.create_task(self._keep(child)) for child in self._children.values()]
        asked = asyncio.create_task(self._stopping.wait())
        try:
            await self._until_ready(keepers, asked)
            if not self._stopping.is_set():
                when_ready()
                self._is_up = True
                self._write()
            await self._until_asked(keepers, asked)
        finally:
            asked.cancel()
            await self._stop_all(keepers)

    async def _until_ready(self, keepers: list[asyncio.Task[None]], asked: asyncio.Task[bool]) -> None:
        all_ready = asyncio.gather(*(child.ready.wait() for child in self._children.values()))
        waiting: set[asyncio.Future[object]] = {all_ready, asked, *keepers}  # type: ignore[arg-type] # invariance
        try:
            while not (all_ready.done() or asked.done()):
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for finished in done:
                    finished.result()  # a child that could not be started raises here
        finally:
            all_ready.cancel()
            with suppress(asyncio.CancelledError):
                await all_ready

    async def _until_asked(self, keepers: list[asyncio.Task[None]], asked: asyncio.Task[bool]) -> None:
        waiting: set[asyncio.Task[None] | asyncio.Task[bool]] = {asked, *keepers}
        while not asked.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for finished in done:
                finished.result()

    async def _keep(self, child: _Child) -> None:
        for name in child.spec.depends_on:
            await self._children[name].ready.wait()
        while not self._stopping.is_set():
            code = await self._live(child)
            child.healthy, child.mark, child.last_exit = False, None, _exit_word(code)
            if child.spec.kind is Kind.TASK and code == 0:
                child.healthy = True
                child.ready.set()
                return
            if not self._stopping.is_set():
                await self._pause(child)

    async def _live(self, child: _Child) -> int:
        """Run the child once, from spawn to exit, watching its health."""
        await self._spawn(child)
        process = _running(child)
        exit_code = asyncio.create_task(process.wait())
        while not exit_code.done():
            await asyncio.wait({exit_code}, timeout=RUNNING_PROBE if child.healthy else STARTING_PROBE)
            if not exit_code.done() and child.spec.kind is Kind.SERVICE:
                self._note_health(child, healthy=await _probe(child))
        _signal_group(process.pid)
        return exit_code.result()

    def _note_health(self, child: _Child, *, healthy: bool) -> None:
        if child.mark is not None and healthy != child.healthy:
            child.healthy = healthy
            took = time.monotonic() - child.born
            place = f" on {child.spec.where}" if child.spec.where else ""
            self._say(
                f"{child.spec.name} ready{place} ({took:.1f} s)"
                if healthy
                else f"{child.spec.name} is unhealthy"
            )
            self._write()
        if healthy:
            child.ready.set()
        elif not child.ready.is_set() and time.monotonic() - child.born > child.spec.ready_seconds:
            self._say(f"{child.spec.name} was not ready within {child.spec.ready_seconds:.0f} s")
            _signal(child, signal.SIGKILL)

    async def _pause(self, child: _Child) -> None:
        """Report a death and wait before the next try; give up on a child that never became ready."""
        lived, port = time.monotonic() - child.born, child.spec.port
        holder = port_holder(port) if port else None
        if holder:
            child.last_exit = f"{child.last_exit}, port {port} is taken by {holder}"
        child.failures = 1 if lived > STEADY_SECONDS else child.failures + 1
        log = log_path(self._logs, child.spec.name)
        if child.spec.kind is Kind.TASK or (not child.ready.is_set() and child.failures >= START_ATTEMPTS):
            reason = child.last_exit or "no exit code"
            raise StartFailedError(name=child.spec.name, reason=reason, log=log, tail=tail(log))
        pause = min(FIRST_PAUSE * 2 ** (child.failures - 1), LONGEST_PAUSE)
        self._say(f"{child.spec.name} died ({child.last_exit}); restart in {pause:.1f} s; log: {log}")
        child.restarts += 1
        self._write()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause)

    async def _spawn(self, child: _Child) -> None:
        spec = child.spec
        uid, gid = (spec.run_as.uid, spec.run_as.gid) if spec.run_as else (None, None)
        with log_path(self._logs, spec.name).open("ab") as log:
            child.process = await asyncio.create_subprocess_exec(
                *spec.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, **spec.environment}, process_group=0, cwd=spec.folder,
                preexec_fn=dies_with_parent(spec.death_signal),
                user=uid, group=gid, extra_groups=None if uid is None else [],
            )  # fmt: skip
        child.born, child.since = time.monotonic(), datetime.now(UTC)
        child.mark = ProcessMark.of(child.process.pid)
        self._write()

    async def _stop_all(self, keepers: list[asyncio.Task[None]]) -> None:
        self._stopping.set()
        for level in reversed(self._levels):
            await asyncio.gather(*(self._stop_one(self._children[spec.name]) for spec in level))
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        for child in self._children.values():  # one that was being started while we stopped
            _signal(child, signal.SIGKILL)

    async def _stop_one(self, child: _Child) -> None:
        if child.process is None or child.process.returncode is not None:
            return
        _signal(child, child.spec.stop_signal)
        try:
            await asyncio.wait_for(child.process.wait(), child.spec.stop_seconds)
        except TimeoutError:
            self._say(f"{child.spec.name} did not stop within {child.spec.stop_seconds:.0f} s; killed")
            _signal(child, signal.SIGKILL)
            await child.process.wait()
        else:
            self._say(f"{child.spec.name} stopped")

    def _write(self) -> None:
        services = [child for child in self._children.values() if child.spec.kind is Kind.SERVICE]
        self._record({child.spec.name: child.part() for child in services}, self._is_up)


async def _probe(child: _Child) -> bool:
    spec, pid = child.spec, _running(child).pid
    try:
        if spec.port is not None and not listens(pid, spec.port):
            return False
        async with asyncio.timeout(PROBE_TIMEOUT):
            return await spec.ready(pid) if spec.ready else time.monotonic() - child.born > MOMENT
    except Exception:  # noqa: BLE001 - whatever goes wrong while asking means: not ready
        return False


def _running(child: _Child) -> asyncio.subprocess.Process:
    if child.process is None:
        raise RuntimeError(f"{child.spec.name} was not started")
    return child.process


def _signal(child: _Child, number: signal.Signals) -> None:
    if child.process is not None and child.process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(child.process.pid, number)


def _signal_group(pid: int) -> None:
    """Kill what a dead child left behind in its group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _exit_word(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
