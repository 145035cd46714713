import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.repository import ROOT

pytestmark = pytest.mark.integration


def everstay(*arguments: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EVERSTAY_")}
    environment |= {"EVERSTAY_HOME": str(home), **variables}
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_help_lists_the_commands_of_the_stack(tmp_path: Path) -> None:
    done = everstay("--help", home=tmp_path)
    assert done.returncode == 0
    for command in ("up", "down", "status", "doctor", "migrate", "serve"):
        assert f" {command} " in done.stdout


def test_an_unknown_command_exits_2(tmp_path: Path) -> None:
    assert everstay("fly", home=tmp_path).returncode == 2


@pytest.mark.parametrize("command", ["up", "down", "status", "doctor", "migrate"])
def test_a_bad_setting_is_refused_by_every_command_without_a_traceback(command: str, tmp_path: Path) -> None:
    done = everstay(command, home=tmp_path / "home", EVERSTAY_API_PORT="eighty")
    assert done.returncode == 2
    assert done.stderr == "EVERSTAY_API_PORT: must be a whole number from 1 to 65535.\n"
    assert not (tmp_path / "home").exists()


def test_a_status_without_a_stack_is_json_and_exits_1(tmp_path: Path) -> None:
    done = everstay("status", "--json", home=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["healthy"] is False


@pytest.mark.parametrize("command", ["down", "migrate"])
def test_what_needs_a_stack_says_how_to_start_one(command: str, tmp_path: Path) -> None:
    done = everstay(command, home=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "The stack is not running: start it with make up.\n"
