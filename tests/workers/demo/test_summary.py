from pathlib import Path
from typing import Any

import pytest

from workers.demo.errors import logged_errors
from workers.demo.summary import complaints

GOOD: dict[str, Any] = {
    "errors": 0,
    "error_examples": [],
    "failed_workflow_tasks": 0,
    "wake_lateness_hours": {"p50": 0.1, "p95": 0.5, "p99": 2.0},
    "emails": 12,
    "mailbox_emails": 12,
    "internal_emails": 3,
    "mailbox_internal_emails": 3,
    "max_emails_per_customer_day": 1,
    "payments": {"recovered_minor": 500, "provider_recovered_minor": 500},
}


def test_a_good_run_has_nothing_to_complain_about() -> None:
    assert complaints(GOOD) == []


@pytest.mark.parametrize(
    "bad",
    [
        {"errors": 1, "error_examples": ["api.log: boom"]},
        {"failed_workflow_tasks": 2},
        {"wake_lateness_hours": {"p50": 1.0, "p95": 5.0, "p99": 8.5}},
        {"mailbox_emails": 13},
        {"mailbox_internal_emails": 4},
        {"max_emails_per_customer_day": 2},
        {"payments": {"recovered_minor": 500, "provider_recovered_minor": 400}},
    ],
)
def test_each_broken_promise_is_named(bad: dict[str, Any]) -> None:
    assert len(complaints(GOOD | bad)) == 1


def test_errors_are_counted_from_our_own_logs_only(tmp_path: Path) -> None:
    (tmp_path / "api.log").write_text(
        '{"event": "fine", "level": "info"}\n{"event": "boom", "level": "error"}\nnot json\n'
    )
    (tmp_path / "relay.log").write_text("Traceback (most recent call last):\n  File ...\n")
    (tmp_path / "postgres.log").write_text('{"event": "asked wrongly", "level": "error"}\n')
    found = logged_errors(tmp_path)
    assert [(error.file, error.sentence.split()[0]) for error in found] == [
        ("api.log", "boom"),
        ("relay.log", "Traceback"),
    ]
