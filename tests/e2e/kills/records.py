"""What the provider, the endpoint, Temporal and our own tables each have written down in the end."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import Select, func, select, text
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from domain.vocabulary import EffectState
from models.database import Database
from models.pressing import is_pressing
from models.tables.ledger import EffectRow, OutboxRow
from tests.support.simulators import Receiver, until_true

PAGE = 200
RUN, CUSTOMER = "intervention/", "customer/"
Letter = tuple[str, str, str]
"""Address, playbook and subject: what a reader would know a letter by."""


@dataclass
class Mailbox:
    """What the provider took."""

    deliveries: Counter[str] = field(default_factory=Counter)
    letters: Counter[Letter] = field(default_factory=Counter)
    """Those of playbooks; the others are for our own people."""

    def take(self, message: dict[str, Any]) -> None:
        """Count one message."""
        self.deliveries[message["custom_args"]["delivery_id"]] += 1
        playbook = next((word for word in message["categories"] if word.startswith("short-")), None)
        if playbook is not None:
            self.letters[message["to_email"], playbook, message["subject"]] += 1


async def read_mailbox(url: str) -> Mailbox:
    """Ask the provider for everything that it took."""
    mailbox, offset = Mailbox(), 0
    async with httpx.AsyncClient(base_url=url, timeout=30.0, trust_env=False) as http:
        while True:
            answer = await http.get("/_mailbox", params={"limit": PAGE, "offset": offset})
            messages = answer.raise_for_status().json()["messages"]
            for message in messages:
                mailbox.take(message)
            offset += len(messages)
            if len(messages) < PAGE:
                return mailbox


def calls_by_visit(desk: Receiver) -> dict[tuple[str, str, int], Counter[str]]:
    """Return how often the endpoint got each `webhook-id`, by run, step and occurrence."""
    found: dict[tuple[str, str, int], Counter[str]] = {}
    for headers, body in desk.requests:
        data = json.loads(body)["data"]
        visit = (data["run_id"], data["step"], data["occurrence"])
        found.setdefault(visit, Counter())[headers["Webhook-Id"]] += 1
    return found


@dataclass
class Histories:
    """What Temporal has of every workflow."""

    runs: dict[str, WorkflowExecutionStatus | None] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    customers: Counter[WorkflowExecutionStatus | None] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)


async def until_listed(client: Client, customers: int) -> None:
    """Wait until the lists have caught up: they may lag behind the histories for a moment."""

    async def running(kind: str) -> int:
        query = f"WorkflowType = '{kind}' AND ExecutionStatus = 'Running'"
        return (await client.count_workflows(query)).count

    async def is_listed() -> bool:
        runs, lives = await running("InterventionWorkflow"), await running("CustomerLifecycleWorkflow")
        return (runs, lives) == (0, customers)

    await until_true(is_listed, 60.0)


async def read_histories(client: Client) -> Histories:
    """Read the history of every run and every customer."""
    found = Histories()
    async for one in client.list_workflows():
        if one.id.startswith(CUSTOMER):
            found.customers[one.status] += 1
        elif one.id.startswith(RUN):
            found.runs[one.id.removeprefix(RUN)] = one.status
        else:
            continue
        await _read(client, one, found)
    return found


COUNTED = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: "workflow tasks lost",
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: "activities failed",
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: "activities failed",
}


FOUND = b'"found"'
"""What a sender says that took over from a killed one and heard that the letter had been taken."""


async def _read(client: Client, one: WorkflowExecution, found: Histories) -> None:
    handle = client.get_workflow_handle(one.id, run_id=one.run_id)
    async for event in handle.fetch_history_events(page_size=1000):
        if event.event_type in COUNTED:
            found.counts[COUNTED[event.event_type]] += 1
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            found.counts[_failure(event.workflow_task_failed_event_attributes.cause)] += 1
        elif event.activity_task_started_event_attributes.attempt > 1:
            found.counts["activities repeated"] += 1
        elif event.HasField("activity_task_completed_event_attributes"):
            results = event.activity_task_completed_event_attributes.result.payloads
            found.counts["letters found at the provider"] += any(FOUND in one.data for one in results)
        elif event.HasField("workflow_execution_completed_event_attributes"):
            (result,) = event.workflow_execution_completed_event_attributes.result.payloads
            found.outcomes[one.id.removeprefix(RUN)] = json.loads(result.data)


def _failure(cause: WorkflowTaskFailedCause.ValueType) -> str:
    """Name a failed task; that a ring arrived while the workflow was about to end is no failure."""
    is_late_ring = cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    return "rings at the end" if is_late_ring else WorkflowTaskFailedCause.Name(cause) + " failed"


async def count(database: Database, query: str | Select[tuple[int]]) -> int:
    """Return the one number that a query asks for."""
    asked = text(query) if isinstance(query, str) else query
    async with database.transaction() as session:
        return int(await session.scalar(asked) or 0)


async def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    async with database.transaction() as session:
        return [tuple(row) for row in await session.execute(text(query))]


RUNS_OPEN = "SELECT count(*) FROM interventions WHERE state <> 'ended'"
UNHEARD = select(func.count()).where(OutboxRow.consumed_at.is_(None), is_pressing())
"""News that customers are rung for; the rest is heard when they next look."""
CLAIMED = select(func.count()).where(EffectRow.state == EffectState.CLAIMED)
UNDER_WAY = select(UNHEARD.scalar_subquery() + CLAIMED.scalar_subquery())
OUTCOMES = "SELECT id::text, outcome::text FROM interventions"
EFFECTS = "SELECT key, delivery_id, kind, state::text, attempts FROM effects"
LETTERS = """
SELECT contacts.email, interventions.playbook_key, touchpoints.subject
FROM touchpoints JOIN effects ON effects.key = touchpoints.effect_key
JOIN contacts ON contacts.id = touchpoints.contact_id
JOIN interventions ON interventions.id = touchpoints.intervention_id
WHERE touchpoints.channel = 'email' AND touchpoints.direction = 'out'
  AND effects.state IN ('sent', 'confirmed')
"""
REPEATED_VISITS = "SELECT count(*) FROM intervention_steps WHERE occurrence > 1"
OPEN_STEPS = """
SELECT count(*) FROM intervention_steps WHERE state IN ('planned', 'started', 'waiting', 'deferred')
"""
DECIDED_TWICE = """
SELECT intervention_id::text, action, count(*) FROM decisions
WHERE action IN ('start_run', 'end_run') AND intervention_id IS NOT NULL
GROUP BY intervention_id, action HAVING count(*) > 1
"""
STARTED = "SELECT count(*) FROM decisions WHERE action = 'start_run' AND kind = 'directive'"
