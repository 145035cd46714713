import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.workers.embedded.support import DEADLINE
from workers.embedded.children import ChildSpec, Kind, levels
from workers.embedded.errors import StartFailedError
from workers.embedded.process import ProcessMark
from workers.embedded.runtime import Part
from workers.embedded.supervisor import Supervisor

pytestmark = pytest.mark.integration

FOREVER = "import signal; signal.pause()"
DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('deaf', flush=True)
while True:
    signal.pause()
"""
FORKING = """
import signal, subprocess
subprocess.Popen(['sleep', '600'])
print('up', flush=True)
signal.pause()
"""


def python(name: str, code: str, *after: str) -> ChildSpec:
    return ChildSpec(name, (sys.executable, "-c", code), depends_on=after)


@dataclass
class Stage:
    """A supervisor that runs, with what it said and recorded."""

    supervisor: Supervisor
    said: list[str] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def mark(self, name: str) -> ProcessMark:
        mark = self.parts[name].mark
        assert mark is not None
        return mark

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        async with asyncio.timeout(DEADLINE):
            while not holds():  # noqa: ASYNC110 - what is awaited happens in another process
                await asyncio.sleep(0.02)
        assert holds(), what


def staged(logs: Path, *specs: ChildSpec) -> Stage:
    said: list[str] = []
    parts: dict[str, Part] = {}

    def record(now: Mapping[str, Part], ready: bool) -> None:  # noqa: FBT001 - the supervisor's own protocol
        parts.update(now)

    return Stage(Supervisor(specs, logs, said.append, record), said, parts)


@asynccontextmanager
async def running(logs: Path, *specs: ChildSpec) -> AsyncIterator[Stage]:
    stage = staged(logs, *specs)
    task = asyncio.create_task(stage.supervisor.run(stage.ready.set))
    waiting = asyncio.create_task(stage.ready.wait())
    try:
        async with asyncio.timeout(DEADLINE):
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield stage
    finally:
        waiting.cancel()
        stage.supervisor.stop()
        with suppress(StartFailedError):
            await task


async def test_a_child_starts_after_those_it_needs_and_stops_before_them(tmp_path: Path) -> None:
    specs = (python("page", FOREVER, "schema"), python("schema", FOREVER, "data"), python("data", FOREVER))
    async with running(tmp_path, *specs) as stage:
        names = [line.split()[0] for line in stage.said]
        assert names == ["data", "schema", "page"]
    assert [line.split()[0] for line in stage.said[3:]] == ["page", "schema", "data"]


async def test_a_task_has_to_end_well_before_what_needs_it_starts(tmp_path: Path) -> None:
    done = tmp_path / "done"
    once = ChildSpec("once", (sys.executable, "-c", f"open({str(done)!r}, 'w')"), kind=Kind.TASK)
    async with running(
        tmp_path,
        python("after", f"assert __import__('os').path.exists({str(done)!r}); {FOREVER}", "once"),
        once,
    ) as stage:
        assert set(stage.parts) == {"after"}
        assert stage.parts["after"].healthy


async def test_a_task_that_fails_ends_the_start_with_its_log(tmp_path: Path) -> None:
    broken = ChildSpec("broken", (sys.executable, "-c", "raise SystemExit('no such table')"), kind=Kind.TASK)
    with pytest.raises(StartFailedError, match=r"broken did not start: exit code 1(?s:.)*no such table"):
        async with running(tmp_path, python("well", FOREVER), broken):
            pass


async def test_a_child_that_never_becomes_ready_ends_the_start_and_stops_the_others(tmp_path: Path) -> None:
    stage = staged(tmp_path, python("well", FOREVER), python("ill", "raise SystemExit(3)"))
    with pytest.raises(StartFailedError, match="ill did not start: exit code 3"):
        await stage.supervisor.run()
    assert stage.said.count("well stopped") == 1
    assert sum("ill died (exit code 3)" in line for line in stage.said) == 2


async def test_a_dead_child_is_started_again_with_growing_pauses(tmp_path: Path) -> None:
    async with running(tmp_path, python("mortal", FOREVER)) as stage:
        for deaths in (1, 2):
            stage.mark("mortal").send(signal.SIGKILL)
            await stage.until(lambda: stage.parts["mortal"].restarts == deaths, "counted")  # noqa: B023 - called at once
            await stage.until(lambda: stage.parts["mortal"].healthy, "healthy again")
        assert stage.parts["mortal"].last_exit == "killed by SIGKILL"
        pauses = [line.split("restart in ")[1].split(" s")[0] for line in stage.said if "died" in line]
        assert pauses == ["0.5", "1.0"]


async def test_a_child_that_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    async def is_deaf(_pid: int) -> bool:
        return "deaf" in (tmp_path / "deaf.log").read_text()

    spec = ChildSpec("deaf", (sys.executable, "-c", DEAF), ready=is_deaf, stop_seconds=0.2)
    async with running(tmp_path, spec) as stage:
        mark = stage.mark("deaf")
    assert not mark.is_alive()
    assert stage.said[-1] == "deaf did not stop within 0 s; killed"


async def test_what_a_child_left_in_its_group_ends_with_it(tmp_path: Path) -> None:
    async def is_up(_pid: int) -> bool:
        return "up" in (tmp_path / "forking.log").read_text()

    async with running(tmp_path, ChildSpec("forking", (sys.executable, "-c", FORKING), ready=is_up)) as stage:
        (grandchild,) = (ProcessMark.of(p.pid) for p in psutil.Process(stage.mark("forking").pid).children())
        assert grandchild is not None
    await stage.until(lambda: not grandchild.is_alive(), "the grandchild is gone")


async def test_a_child_whose_probe_says_no_is_reported_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.embedded.supervisor.RUNNING_PROBE", 0.05)
    answers = {"well": True}

    async def probe(_pid: int) -> bool:
        return answers["well"]

    async with running(tmp_path, ChildSpec("moody", (sys.executable, "-c", FOREVER), ready=probe)) as stage:
        before = stage.mark("moody")
        answers["well"] = False
        await stage.until(lambda: not stage.parts["moody"].healthy, "unhealthy")
        answers["well"] = True
        await stage.until(lambda: stage.parts["moody"].healthy, "healthy")
        assert stage.mark("moody") == before
    assert "moody is unhealthy" in stage.said


async def test_an_answer_from_another_program_on_the_port_is_not_taken_for_the_childs(tmp_path: Path) -> None:
    async def somebody_answers(_pid: int) -> bool:
        return True

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ends = "import time; time.sleep(0.5); raise SystemExit(3)"
        spec = ChildSpec("late", (sys.executable, "-c", ends), ready=somebody_answers, port=port)
        taken = rf"exit code 3, port {port} is taken by .* \(pid {os.getpid()}\)"
        with pytest.raises(StartFailedError, match=taken):
            async with running(tmp_path, spec):
                pass


async def test_a_start_that_takes_too_long_has_failed(tmp_path: Path) -> None:
    async def never(_pid: int) -> bool:
        raise OSError("connection refused")

    spec = ChildSpec("slow", (sys.executable, "-c", FOREVER), ready=never, ready_seconds=0.3)
    with pytest.raises(StartFailedError, match="slow did not start"):
        async with running(tmp_path, spec):
            pass


async def test_a_stop_during_the_start_leaves_nothing(tmp_path: Path) -> None:
    async def never(_pid: int) -> bool:
        return False

    stage = staged(
        tmp_path,
        ChildSpec("slow", (sys.executable, "-c", FOREVER), ready=never),
        python("later", FOREVER, "slow"),
    )
    task = asyncio.create_task(stage.supervisor.run())
    await stage.until(lambda: "slow" in stage.parts and stage.parts["slow"].mark is not None, "spawned")
    mark = stage.mark("slow")
    stage.supervisor.stop()
    await task
    assert not mark.is_alive()
    assert stage.parts["later"].mark is None


def test_children_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="wait for each other"):
        levels((python("egg", FOREVER, "hen"), python("hen", FOREVER, "egg")))
