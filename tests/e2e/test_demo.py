import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.house.repository import ROOT
from tests.support.homes import temporary_home
from tests.workers.embedded.support import fresh_settings, variables
from workers.demo.headline import ASSUMED, NAMES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PROMISED = {
    "customers", "business_days", "facts", "signals", "interventions", "emails", "tasks", "recalibrations",
    "refusals", "headline", "max_emails_per_customer_day", "mailbox_emails", "failed_workflow_tasks",
    "wake_lateness_hours", "errors", "wall_seconds", "internal_emails", "payments",
}  # fmt: skip
SEED = 8
"""Of whose twelve customers one pays by card, is refused on the second morning, and can pay again soon."""


def test_a_small_demo_runs_to_its_end_and_says_what_it_did(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    options = ["--customers", "12", "--days", "4", "--seed", str(SEED), "--day-seconds", "4"]
    options += ["--exit", "--json", str(path)]
    with temporary_home() as home:
        ended = subprocess.run(
            [sys.executable, "-m", "cli", "demo", *options],
            cwd=ROOT,
            env=variables(fresh_settings(home)),
            capture_output=True,
            text=True,
            check=False,
        )
    assert path.is_file(), ended.stdout + ended.stderr
    summary = json.loads(path.read_text(encoding="utf-8"))
    assert summary.keys() >= PROMISED
    assert (summary["customers"], summary["business_days"]) == (12, 4)
    assert (summary["errors"], summary["failed_workflow_tasks"]) == (0, 0), summary["error_examples"]
    assert summary["emails"] == summary["mailbox_emails"]
    assert summary["internal_emails"] == summary["mailbox_internal_emails"]
    assert summary["max_emails_per_customer_day"] <= 1
    assert summary["nights_scored"] >= 3
    assert_what_was_refused_is_recovered(summary["payments"])
    assert "Unpaid invoices: 1 " in ended.stdout
    for metric in NAMES:
        sides = summary["headline"][metric]
        assert all(sides[side].keys() >= {"value", "low", "high"} for side in ("treated", "holdout"))
    assert " ".join(ASSUMED.split()) in " ".join(ended.stdout.split())


def assert_what_was_refused_is_recovered(payments: dict[str, Any]) -> None:
    """Hold our books against the simulated provider's: one charge was refused, and a case looks after it."""
    assert sum(payments["dunning"].values()) == 1
    assert payments["dunning"].keys() <= {"open", "recovered"}
    assert payments["recovered_minor"] == payments["provider_recovered_minor"]
    assert payments["invoices_recovered"] == payments["provider_invoices_recovered"]
