"""Start, watch and look for processes with a deadline, never with a sleep that hopes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from settings import Settings
from workers.embedded.ports import free_ports
from workers.embedded.process import ProcessMark
from workers.embedded.runtime import StackState, read_state

DEADLINE = 60.0
PORTS = ("postgres_port", "temporal_port", "temporal_ui_port", "api_port", "simulators_port")


def wait_until(holds: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


def fresh_settings(home: Path) -> Settings:
    """Settings on this home with ports that nobody uses."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    return Settings.model_validate({"home": home, **ports})


def variables(settings: Settings) -> dict[str, str]:
    named = {"home": settings.home, **{name: getattr(settings, name) for name in PORTS}}
    return {**os.environ, **{f"EVERSTAY_{name.upper()}": str(value) for name, value in named.items()}}


class RunningServices:
    """One started `services_only` program."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        command = [sys.executable, "-m", "tests.workers.embedded.services_only"]
        self.process = subprocess.Popen(
            command, env=variables(settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def healthy(self) -> StackState:
        """Wait for health and return the state."""
        wait_until(lambda: self.process.poll() is not None or self._is_healthy(), "the services are healthy")
        assert self.process.poll() is None, self.output()
        return self.state()

    def _is_healthy(self) -> bool:
        state = read_state(self.settings.home)
        return state is not None and state.supervisor.pid == self.process.pid and state.is_healthy()

    def state(self) -> StackState:
        state = read_state(self.settings.home)
        assert state is not None
        return state

    def output(self) -> str:
        return self.process.communicate(timeout=DEADLINE)[0]

    def family(self) -> list[ProcessMark]:
        """Every process below the supervisor, Postgres's own children included."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        return [mark for child in below if (mark := ProcessMark.of(child.pid))]

    def end(self) -> None:
        """Clean up after a test, whatever state it left."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        finally:
            self.process.kill()
            if self.process.stdout is not None:
                self.process.stdout.close()
