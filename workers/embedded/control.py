"""Start a stack in the background, wait for it, stop it: for `--detach`, `down`, the demo and the tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from settings import Settings
from workers.embedded.errors import StackNotRunningError, StackRunningError, StartFailedError
from workers.embedded.logs import log_path, rotate, tail
from workers.embedded.runtime import StackState, environment, read_state
from workers.embedded.supervisor import Say

START_SECONDS, STOP_SECONDS, LOOK_SECONDS = 300.0, 15.0, 0.1


EVERSTAY_UP = ("-m", "cli", "up")


def start_detached(
    settings: Settings, say: Say, *, auto_ports: bool = False, program: Sequence[str] = EVERSTAY_UP
) -> StackState:
    """Start the stack in a session of its own and return once it is healthy; `say` gets its output.

    `program` is what Python runs; benchmarks start stacks with other children.
    """
    running = read_state(settings.home)
    if running is not None and running.is_alive():
        raise StackRunningError(home=settings.home, pid=running.supervisor.pid)
    log = rotate(settings.home / "logs", "supervisor")
    command = [sys.executable, *program, *(["--auto-ports"] if auto_ports else [])]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True, env={**os.environ, **environment(settings)},
        )  # fmt: skip
    _started[process.pid] = process
    return _await_healthy(settings.home, process, log, say)


_started: dict[int, subprocess.Popen[bytes]] = {}
"""Supervisors that this very process started: whoever stops one reaps it."""


def _await_healthy(home: Path, process: subprocess.Popen[bytes], log: Path, say: Say) -> StackState:
    deadline, shown = time.monotonic() + START_SECONDS, 0
    while time.monotonic() < deadline:
        code = process.poll()
        shown = _pass_on(log, shown, say)
        if code is not None:
            raise StartFailedError(name="the stack", reason=f"exit code {code}", log=log, tail=tail(log))
        state = read_state(home)
        if state is not None and state.supervisor.pid == process.pid and state.is_healthy():
            _pass_on(log, shown, say)
            return state
        time.sleep(LOOK_SECONDS)
    process.terminate()
    reason = f"not healthy within {START_SECONDS:.0f} s"
    raise StartFailedError(name="the stack", reason=reason, log=log, tail=tail(log))


def _pass_on(log: Path, shown: int, say: Say) -> int:
    """Say the lines written since the last look; return how many bytes have been shown."""
    fresh = log.read_bytes()[shown:]
    complete = fresh[: fresh.rfind(b"\n") + 1]
    if complete:
        say(complete.decode("utf-8", errors="replace").rstrip("\n"))
    return shown + len(complete)


def stop_running(settings: Settings) -> None:
    """Ask the running stack to stop and wait until its supervisor is gone."""
    state = read_state(settings.home)
    if state is None or not state.is_alive():
        raise StackNotRunningError
    os.kill(state.supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while state.is_alive():
        if time.monotonic() > deadline:
            log = log_path(settings.home / "logs", "supervisor")
            raise StartFailedError(
                name="the stop", reason=f"took over {STOP_SECONDS:.0f} s", log=log, tail=tail(log)
            )
        time.sleep(LOOK_SECONDS)
    process = _started.pop(state.supervisor.pid, None)
    if process is not None:
        process.wait()
