import json
import socket
from pathlib import Path

import pytest

from tests.workers.embedded.support import fresh_settings
from workers.embedded import doctor
from workers.embedded.doctor import Finding, as_text, examine, to_json

pytestmark = pytest.mark.integration


async def test_without_a_stack_the_doctor_looks_at_the_machine_and_says_how_to_start(tmp_path: Path) -> None:
    settings = fresh_settings(tmp_path / "home")
    findings = {finding.name: finding for finding in await examine(settings)}
    assert {"python", "disk", "home", "binaries", f"port {settings.api_port}", "stack"} <= set(findings)
    assert findings["stack"].mend == "make up"
    assert [name for name, finding in findings.items() if finding.verdict == "wrong"] == ["stack"]


async def test_a_taken_port_is_found(tmp_path: Path) -> None:
    settings = fresh_settings(tmp_path)
    with socket.create_server(("127.0.0.1", settings.api_port)):
        (found,) = [f for f in doctor.ports(settings) if f.verdict == "wrong"]
    assert "EVERSTAY_API_PORT" in found.mend


async def test_services_that_do_not_answer_are_findings_and_no_crash(tmp_path: Path) -> None:
    base = fresh_settings(tmp_path)
    dead = {
        "database_url": f"postgresql+psycopg://u:p@127.0.0.1:{base.postgres_port}/d",
        "temporal_address": f"127.0.0.1:{base.temporal_port}",
    }
    findings = {finding.name: finding for finding in await examine(base.model_copy(update=dead))}
    for name in ("postgres", "schema", "temporal", "clock", "workers", "api", "simulators"):
        assert findings[name].verdict == "wrong", name
        assert findings[name].mend, name


def test_a_home_that_others_may_read_is_found(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    assert doctor.home_folder(fresh_settings(home)).verdict == "fine"
    home.chmod(0o755)
    assert doctor.home_folder(fresh_settings(home)).mend == f"chmod go-rw {home}"


def test_too_little_room_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE_GB", 1e9)
    assert doctor.disk_space(fresh_settings(tmp_path)).verdict == "wrong"


def test_every_wrong_line_has_a_line_that_mends_it() -> None:
    text = as_text([Finding("api", "wrong", "no answer", "make up"), Finding("disk", "fine", "9 GB")])
    assert text.splitlines()[1].strip() == "mend: make up"
    assert json.loads(to_json([Finding("disk", "fine", "9 GB")]))["healthy"] is True
