"""A whole running stack, and its command line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from settings import Settings
from tests.house.repository import ROOT
from tests.support.homes import temporary_home
from tests.workers.embedded.support import fresh_settings, variables
from workers.embedded.runtime import locate


def run_everstay(settings: Settings, *words: str, **secrets: str) -> subprocess.CompletedProcess[str]:
    """Type one command; secrets are given as variables."""
    command = [sys.executable, "-m", "cli", *words]
    given = variables(settings) | secrets
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)


def everstay(settings: Settings, *words: str, **secrets: str) -> str:
    """Return what a command said that must succeed."""
    done = run_everstay(settings, *words, **secrets)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def running_stack() -> Iterator[Settings]:
    """Start one in the background; at the end it stops, and nothing of it lives on."""
    with temporary_home() as home:
        settings = fresh_settings(home)
        said = everstay(settings, "up", "--detach")
        assert f"Pages        http://127.0.0.1:{settings.api_port}" in said
        try:
            yield locate(settings)
        finally:
            parts = json.loads(run_everstay(settings, "status", "--json").stdout)["parts"]
            everstay(settings, "down")
        assert [name for name, part in parts.items() if _is_alive(part["pid"])] == []
        assert run_everstay(settings, "status").returncode == 1


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
