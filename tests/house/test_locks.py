import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.house.repository import ROOT, files, name

LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-node.txt")
# A class of one letter in each, so that this file does not hold what it forbids.
REGISTRY = re.compile(r"[p]ypi\.org|[p]ythonhosted|[n]pmjs\.org|[y]arnpkg\.com|[d]eb\.debian\.org")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home/\w+)/\w")
TEXT = {
    ".py",
    ".toml",
    ".txt",
    ".md",
    ".yml",
    ".yaml",
    ".json",
    ".mjs",
    ".js",
    ".css",
    ".html",
    ".ini",
    ".cfg",
    ".sh",
    "",
}


def text_files() -> list[Path]:
    return [path for path in files() if path.suffix in TEXT and path.stat().st_size < 2_000_000]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_with_hashes_and_holds_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    pins = re.split(r"\n(?=\S)", text.strip())
    assert all(re.match(r"[\w.\-]+==\S+", pin) and "--hash=sha256:" in pin for pin in pins)
    assert not re.search(r"://|--index|--find-links|--extra-index|\bfile:| @ ", text)


def test_the_npm_lock_pins_every_package_with_hashes_and_holds_no_address() -> None:
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    packages = {key: entry for key, entry in json.loads(text)["packages"].items() if key}
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "://" not in text


def test_no_lock_of_another_kind_is_kept() -> None:
    others = {"uv.lock", "poetry.lock", "Pipfile.lock", "yarn.lock", "pnpm-lock.yaml"}
    assert [name(path) for path in files() if path.name in others] == []


def test_the_runtime_lock_is_part_of_the_development_lock() -> None:
    runtime, development = (
        set(re.findall(r"^[\w.\-]+==[^\s;]+", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))
        for lock in LOCKS[:2]
    )
    assert runtime <= development


def test_the_makefile_the_image_and_the_lock_agree_on_the_version_of_uv() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pin = next(line for line in project["dependency-groups"]["dev"] if line.startswith("uv=="))
    version = pin.removeprefix("uv==")
    assert f"UV_VERSION := {version}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"uv=={version}\n" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("pattern", [REGISTRY, MACHINE_PATH], ids=["registry host", "machine path"])
def test_no_committed_file_names_a_registry_host_or_a_path_of_one_machine(pattern: re.Pattern[str]) -> None:
    found = [
        f"{name(path)}:{number}"
        for path in text_files()
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        )
        if pattern.search(line)
    ]
    assert found == []
