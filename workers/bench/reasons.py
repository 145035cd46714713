"""Why each activity of a history was asked for: where a year's actions go, and where some could be saved."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

WOKEN, RUNG, FIRST = "a deadline came", "a ring", "its run began"
AFTER_SEND, ORDERED = "after a send", "ordered"
SEND = "send_email"


def reasons_of(history: Sequence[HistoryEvent]) -> Counter[str]:
    """Count the activities of one run as `name: reason`."""
    found: Counter[str] = Counter()
    before = None
    for event in history:
        if event.event_type != EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            continue
        about = event.activity_task_scheduled_event_attributes
        name = about.activity_type.name
        given = json.loads(about.input.payloads[0].data) if about.input.payloads else None
        found[f"{name}: {_reason(name, given, before)}"] += 1
        before = name
    return found


def _reason(name: str, given: Any, before: str | None) -> str:
    if isinstance(given, dict) and given.get("woken_for") is not None:
        return WOKEN
    if before is None:
        return FIRST
    if name == SEND:
        return ORDERED
    return AFTER_SEND if before == SEND else RUNG
