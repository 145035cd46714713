from collections import Counter

import pytest
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from tests.replay.corpus import load, manifest
from workers.bench.actions import (
    RULES,
    child_of,
    cost_of,
    cost_of_untimed,
    is_started_by_signal,
    untimed_waits,
)

E = EventType
SEARCH = "upsert_workflow_search_attributes_event_attributes"


def event(kind: EventType.ValueType, number: int = 1) -> HistoryEvent:
    return HistoryEvent(event_id=number, event_type=kind)


def started() -> HistoryEvent:
    return event(E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)


def actions(*history: HistoryEvent) -> int:
    return sum(cost_of(history).actions.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "customer-until-continued",
            {"signal with start and nine rings": 10, "activity": 2, "timer": 1, "rest": 2},
        ),
        ("customer-continued", {"start": 1, "activity": 1}),
        ("intervention-tried-again", {"start": 1, "activity": 6, "retry": 4, "timer": 2}),
        ("scoring-ten-shards", {"start": 1, "activity": 12}),
    ],
)
def test_a_recorded_history_costs_what_its_events_are_billed(name: str, expected: dict[str, int]) -> None:
    assert actions(*load(name).events) == sum(expected.values())


@pytest.mark.parametrize("name", sorted(manifest()))
def test_every_event_of_a_recorded_history_is_counted_once(name: str) -> None:
    history = load(name).events
    cost = cost_of(history)
    assert sum(cost.events.values()) == len(history) == manifest()[name]["events"]
    assert cost.size == sum(one.ByteSize() for one in history)
    assert all(count > 0 for count in cost.actions.values())


def test_a_signal_with_start_is_one_action_and_a_start_that_is_signalled_later_two() -> None:
    ring = event(E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
    task = event(E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
    assert actions(started(), ring, task) == 1
    assert actions(started(), task, ring) == 2


def test_a_run_that_continues_another_is_a_start_of_its_own_whatever_comes_next() -> None:
    continued = started()
    continued.workflow_execution_started_event_attributes.continued_execution_run_id = "before"
    ring = event(E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
    assert actions(continued, ring) == 2
    assert actions(event(E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW)) == 0
    assert not is_started_by_signal([continued])


def test_a_child_is_two_actions_over_both_histories() -> None:
    child = started()
    child.workflow_execution_started_event_attributes.parent_workflow_execution.workflow_id = "customer/1"
    assert actions(event(E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED)) + actions(child) == 2
    assert actions(event(E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)) == 0


def test_a_ring_between_workflows_is_billed_where_it_is_received() -> None:
    assert actions(event(E.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED)) == 0
    assert actions(event(E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)) == 1


def test_a_scheduled_start_is_three_actions() -> None:
    planned = started()
    fields = planned.workflow_execution_started_event_attributes.search_attributes.indexed_fields
    fields["TemporalScheduledById"].data = b'"nightly"'
    assert actions(planned) == 3


def test_search_attributes_of_versions_are_free_and_all_others_of_one_command_one_action() -> None:
    patch, both = (event(E.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES) for _ in range(2))
    getattr(patch, SEARCH).search_attributes.indexed_fields["TemporalChangeVersion"].data = b"[]"
    for name in ("Phase", "RiskTier"):
        getattr(both, SEARCH).search_attributes.indexed_fields[name].data = b'"high"'
    assert (actions(patch), actions(both)) == (0, 1)


def test_markers_of_one_workflow_task_are_one_action_and_local_retries_each_one() -> None:
    markers = [event(E.EVENT_TYPE_MARKER_RECORDED) for _ in range(3)]
    for marker, task in zip(markers, (4, 4, 9), strict=True):
        marker.marker_recorded_event_attributes.workflow_task_completed_event_id = task
    completed = event(E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    metering = completed.workflow_task_completed_event_attributes.metering_metadata
    metering.nonfirst_local_activity_execution_attempts = 2
    assert actions(*markers) == 2
    assert actions(completed) == 2


def test_only_a_reset_makes_a_failed_workflow_task_an_action() -> None:
    failed, reset = (event(E.EVENT_TYPE_WORKFLOW_TASK_FAILED) for _ in range(2))
    cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
    reset.workflow_task_failed_event_attributes.cause = cause
    assert (actions(failed), actions(reset)) == (0, 1)


def test_a_wait_that_was_too_short_for_a_timer_is_found_and_priced_as_one() -> None:
    woken = event(E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    given = b'{"seq": 2, "woken_for": "2026-03-02T08:00:00Z"}'
    woken.activity_task_scheduled_event_attributes.input.payloads.add(data=given)
    fired = event(E.EVENT_TYPE_TIMER_FIRED)
    assert untimed_waits([woken, fired, woken]) == 1
    assert untimed_waits(load("intervention-without-an-answer").events) == 0
    price = cost_of_untimed(2, 300)
    assert price.actions == Counter({"TIMER_STARTED": 2})
    assert (sum(price.events.values()), price.size) == (10, 600)


def test_what_a_history_says_of_a_child_counts_for_the_child() -> None:
    history = load("customer-decline-and-return").events
    about = Counter(child_of(one) for one in history)
    (child,) = [name for name in about if name is not None]
    assert child.startswith("intervention/")
    assert about[child] >= 2


def test_every_rule_is_for_an_event_that_exists() -> None:
    assert set(RULES) <= set(EventType.values())
