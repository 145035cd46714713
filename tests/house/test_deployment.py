import json
import os
import re
import shutil
import subprocess
from typing import Any

import pytest

from tests.house.repository import ROOT

COMPOSE_FILE = ROOT / "docker-compose.yml"
QUEUES = ("lifecycle", "decisions", "email", "billing", "scoring", "bulk")
ONE_SHOT = {"migrate", "temporal-schema", "temporal-namespace"}
LISTENS_ON_NOTHING = {"relay"}


def secrets() -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+):\?", COMPOSE_FILE.read_text(encoding="utf-8")))


def compose(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Read the file as compose does. The exit code of this build of compose is always 0: look at stderr."""
    program = shutil.which("docker-compose", path=f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert program, "docker-compose is missing: make setup"
    command = [program, "--env-file", os.devnull, "--file", str(COMPOSE_FILE), "config", "--format", "json"]
    return subprocess.run(command, env=environment, capture_output=True, check=False, text=True)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    result = compose(dict.fromkeys(secrets(), "only-for-this-test"))
    assert result.stderr == ""
    found: dict[str, Any] = json.loads(result.stdout)["services"]
    return found


@pytest.mark.parametrize("secret", sorted(secrets()))
def test_compose_refuses_to_start_without_each_secret(secret: str) -> None:
    others = dict.fromkeys(secrets() - {secret}, "only-for-this-test")
    assert f"required variable {secret} is missing a value" in compose(others).stderr


def test_every_queue_has_a_worker_service_of_its_own(services: dict[str, Any]) -> None:
    commands = {name: service.get("command") for name, service in services.items()}
    assert all(commands[f"worker-{queue}"] == ["serve", "worker", "--queue", queue] for queue in QUEUES)
    assert commands["api"] == ["serve", "api"]
    assert commands["relay"] == ["serve", "relay"]
    assert commands["migrate"] == ["migrate"]


def test_every_service_that_stays_says_whether_it_is_well(services: dict[str, Any]) -> None:
    healthless = {
        name
        for name, service in services.items()
        if service.get("healthcheck", {}).get("disable") or ("healthcheck" not in service and name != "api")
    }
    assert healthless == ONE_SHOT | LISTENS_ON_NOTHING


def test_no_service_mounts_a_folder_of_the_host_or_listens_beyond_it(services: dict[str, Any]) -> None:
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert {mount["type"] for mount in mounts} == {"volume"}
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_our_services_run_without_privileges_and_migrate_first(services: dict[str, Any]) -> None:
    ours = {name: service for name, service in services.items() if service["image"].startswith("everstay:")}
    assert all(service["cap_drop"] == ["ALL"] and service["read_only"] for service in ours.values())
    waits = {name for name, service in ours.items() if "migrate" in service["depends_on"]}
    assert waits == ours.keys() - {"migrate"}
