import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from settings import Settings
from tests.house.repository import ROOT
from tests.support.homes import temporary_home
from tests.workers.embedded.support import fresh_settings, variables

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PARTS = {
    "postgres",
    "temporal",
    "simulators",
    "api",
    "worker-lifecycle",
    "worker-activities",
    "relay",
}


def everstay(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=variables(settings), capture_output=True, text=True, check=False
    )


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A home of this test alone, with nothing running on it afterwards."""
    with temporary_home() as home:
        settings = fresh_settings(home)
        yield settings
        everstay(settings, "down")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_whole_stack_starts_once_in_the_background_is_well_and_stops(settings: Settings) -> None:
    started = everstay(settings, "up", "--detach")
    assert started.returncode == 0, started.stdout + started.stderr
    assert f"Pages        http://127.0.0.1:{settings.api_port}" in started.stdout

    status = everstay(settings, "status", "--json")
    assert status.returncode == 0, status.stdout
    parts = json.loads(status.stdout)["parts"]
    assert set(parts) == PARTS

    for arguments in (["up", "--detach"], ["up"]):
        second = everstay(settings, *arguments)
        assert second.returncode == 1
        assert "already runs" in second.stderr

    examined = everstay(settings, "doctor")
    assert examined.returncode == 0, examined.stdout

    stopped = everstay(settings, "down")
    assert stopped.returncode == 0, stopped.stderr
    assert [name for name, part in parts.items() if alive(part["pid"])] == []
    assert everstay(settings, "status").returncode == 1
