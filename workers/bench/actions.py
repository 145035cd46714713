"""What a history costs: its events, its bytes, and the actions that Temporal Cloud would bill for it.

The rules are those of https://docs.temporal.io/evaluate/cloud/actions, event by event. What a history does
not hold (queries, heartbeats, exports) is not counted; nothing of it happens in a customer's year.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

PREFIX = "EVENT_TYPE_"
CHANGE_VERSION, SCHEDULED_BY = "TemporalChangeVersion", "TemporalScheduledById"
BY_SCHEDULE = 3
"""A schedule's two actions, and the start."""
UNTIMED_EVENTS = (
    "TIMER_STARTED",
    "TIMER_FIRED",
    "WORKFLOW_TASK_SCHEDULED",
    "WORKFLOW_TASK_STARTED",
    "WORKFLOW_TASK_COMPLETED",
)
"""What a wait adds to a history. One that compressed time makes too short for a timer leaves no trace."""


@dataclass(frozen=True)
class Cost:
    """Events and actions by type of event, and the size of all events together."""

    events: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    size: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        """Return both together."""
        return Cost(self.events + other.events, self.actions + other.actions, self.size + other.size)


def cost_of(history: Sequence[HistoryEvent]) -> Cost:
    """Count one run's history. A child's start is two actions: one here, one in the child's own history."""
    events = Counter(name_of(event) for event in history)
    actions: Counter[str] = Counter()
    for event in history:
        rule = RULES.get(event.event_type)
        if rule is not None:
            actions[name_of(event)] += rule(event)
    actions["MARKER_RECORDED"] = _marked_tasks(history)
    if is_started_by_signal(history):
        actions["WORKFLOW_EXECUTION_STARTED"] -= 1
    return Cost(events, +actions, sum(event.ByteSize() for event in history))


def untimed_waits(history: Iterable[HistoryEvent]) -> int:
    """Return how many waits passed without a timer, since compressed time made them too short for one.

    An activity told that a deadline has come, with no timer fired since the one before, was preceded by such
    a wait.
    """
    waits, has_fired = 0, False
    for event in history:
        if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
            has_fired = True
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            waits += _is_woken(event) and not has_fired
            has_fired = False
    return waits


def cost_of_untimed(waits: int, size: int) -> Cost:
    """Return what so many waits would have cost on the wall's clock; `size` is that of one."""
    events = Counter(dict.fromkeys(UNTIMED_EVENTS, waits))
    return Cost(events, Counter({"TIMER_STARTED": waits}), waits * size)


def name_of(event: HistoryEvent) -> str:
    """Return the type of an event as the documentation names it, without its prefix."""
    return EventType.Name(event.event_type).removeprefix(PREFIX)


def child_of(event: HistoryEvent) -> str | None:
    """Return the id of the workflow that an event of its parent or of a ringing workflow is about."""
    attribute = event.WhichOneof("attributes")
    about = getattr(event, attribute) if attribute else None
    execution = getattr(about, "workflow_execution", None)
    named = getattr(about, "workflow_id", "") or getattr(execution, "workflow_id", "")
    return str(named) if named and attribute in ABOUT_OTHERS else None


ABOUT_OTHERS = frozenset(
    {
        "start_child_workflow_execution_initiated_event_attributes",
        "child_workflow_execution_started_event_attributes",
        "child_workflow_execution_completed_event_attributes",
        "child_workflow_execution_failed_event_attributes",
        "signal_external_workflow_execution_initiated_event_attributes",
        "external_workflow_execution_signaled_event_attributes",
    }
)


def is_started_by_signal(history: Sequence[HistoryEvent]) -> bool:
    """Tell whether one signal-with-start made the first two events: together they are one action.

    A start alone is followed by the first workflow task, never by a signal.
    """
    if len(history) < 2:  # noqa: PLR2004 - a start and a signal
        return False
    first, second = history[0], history[1]
    if second.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        return False
    began = first.workflow_execution_started_event_attributes
    return not began.continued_execution_run_id and not began.parent_workflow_execution.workflow_id


def _is_woken(event: HistoryEvent) -> bool:
    if event.event_type != EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        return False
    payloads = event.activity_task_scheduled_event_attributes.input.payloads
    given = json.loads(payloads[0].data) if payloads else None
    return isinstance(given, dict) and given.get("woken_for") is not None


def _marked_tasks(history: Iterable[HistoryEvent]) -> int:
    """Count workflow tasks with markers: all markers of one task are one action."""
    tasks = {
        event.marker_recorded_event_attributes.workflow_task_completed_event_id
        for event in history
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED
    }
    return len(tasks)


def _once(_event: HistoryEvent) -> int:
    return 1


def _start(event: HistoryEvent) -> int:
    fields = event.workflow_execution_started_event_attributes.search_attributes.indexed_fields
    return BY_SCHEDULE if SCHEDULED_BY in fields else 1


def _upsert(event: HistoryEvent) -> int:
    fields = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
    return 0 if set(fields) == {CHANGE_VERSION} else 1


def _retries(event: HistoryEvent) -> int:
    return max(event.activity_task_started_event_attributes.attempt - 1, 0)


def _local_retries(event: HistoryEvent) -> int:
    task = event.workflow_task_completed_event_attributes
    return task.metering_metadata.nonfirst_local_activity_execution_attempts


def _reset(event: HistoryEvent) -> int:
    cause = event.workflow_task_failed_event_attributes.cause
    return int(cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW)


RULES: dict[EventType.ValueType, Callable[[HistoryEvent], int]] = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: _start,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: _once,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: _once,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: _once,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: _upsert,
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: _once,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: _once,
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED: _retries,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: _local_retries,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: _reset,
    EventType.EVENT_TYPE_TIMER_STARTED: _once,
    EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED: _once,
    EventType.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED: _once,
}
"""Actions per event. Continuing as new is billed as the start of the run that follows; a ring from workflow
to workflow once, where it is received."""
