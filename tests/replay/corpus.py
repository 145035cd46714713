"""The committed histories, and what may stand in them."""

import json
import re
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

HISTORIES = Path(__file__).with_name("histories")
MANIFEST = Path(__file__).with_name("manifest.json")
TRACE = "stackTrace"
MACHINE = re.compile(r"\d+@")
"""How the SDK names a process: its number at its host."""


def manifest() -> dict[str, dict[str, Any]]:
    """What each history is: its workflow, the real id of it, and when it was recorded."""
    found: dict[str, dict[str, Any]] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return found


def load(name: str) -> WorkflowHistory:
    """Return one history under the id that it really had: JSON alone drops it."""
    text = (HISTORIES / f"{name}.json").read_text(encoding="utf-8")
    return WorkflowHistory.from_json(manifest()[name]["workflow_id"], text)


def without_machine(value: Any) -> Any:
    """Drop what names the machine that recorded (traces, identities, its own queues): replay reads none."""
    if isinstance(value, dict):
        return {key: without_machine(one) for key, one in value.items() if key != TRACE}
    if isinstance(value, list):
        return [without_machine(one) for one in value]
    return "everstay" if isinstance(value, str) and MACHINE.search(value) else value
