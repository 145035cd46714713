"""A pytest plugin for `make proof`: writes what was proved, when and of which commit, as JSON to commit.

A proof reports its figures with pytest's own `record_property(name, value)`. Together they take more than
an hour, so each may be run alone: it replaces its own entry and leaves those of the others.
"""

import datetime as dt
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the file."""
    parser.addoption(
        "--proofs", metavar="PATH", type=Path, help="write the outcome of each proof to this file"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect from the first test on."""
    path = config.getoption("--proofs")
    if path is not None:
        config.pluginmanager.register(ProofReport(path), "everstay-proofs")


class ProofReport:
    """The outcome and the figures of every proof of one run, beside those that it did not run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = {
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
            "commit": _git("rev-parse", "HEAD"),
            "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
        }
        self.known: set[str] = set()
        self.proofs: dict[str, dict[str, Any]] = {}

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Know which proofs there are, those left out of this run too."""
        self.known.add(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the verdict of the call, or of a fixture that failed before or after it."""
        if report.when == "call" or report.failed:
            self.proofs[report.nodeid] = {
                "outcome": report.outcome,
                "seconds": round(report.duration, 1),
                **self.run,
                "figures": dict(report.user_properties),
            }

    def pytest_sessionfinish(self) -> None:
        """Write the file, also when proofs failed; nothing ran, nothing is written."""
        if self.proofs:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps(self._document(), indent=2, default=str) + "\n", encoding="utf-8")

    def _document(self) -> dict[str, Any]:
        machine = {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}
        proofs = {name: one for name, one in self._written().items() if name in self.known} | self.proofs
        return {"machine": machine, "proofs": dict(sorted(proofs.items()))}

    def _written(self) -> dict[str, dict[str, Any]]:
        if not self.path.exists():
            return {}
        written: dict[str, dict[str, Any]] = json.loads(self.path.read_text(encoding="utf-8"))["proofs"]
        return written


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, check=True, text=True).stdout.strip()
