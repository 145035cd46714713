"""Carries out people's orders to workflows, and asks Temporal about those that should run and may not."""

import asyncio
from typing import Any

import structlog
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import InterventionRunState, LifecycleState
from activities.contracts_cases import CaseRunState
from domain.case_vocabulary import CaseKind
from domain.monitoring import late_since
from domain.ports import Clock
from domain.vocabulary import WorkflowAction, WorkflowTrouble
from models.clock import StoredClock
from models.database import Database
from models.listening import announcements
from models.workflow_faults import (
    MOST_ASKED,
    MOST_RUNS,
    Fault,
    Suspect,
    keep_faults,
    note_look,
    runs_going,
    suspects,
)
from models.workflow_orders import CHANNEL, WorkflowOrder, finish_order, open_orders
from workflows import policies
from workflows.cases import DunningWorkflow, WinBackWorkflow
from workflows.intervention import InterventionWorkflow
from workflows.lifecycle import CustomerLifecycleWorkflow
from workflows.search import CUSTOMER_ID, MOTION

LOOK_SECONDS = 60.0
POLL_SECONDS = 5.0
MANY_ATTEMPTS = 4
"""Attempts after which what fails is worth telling: a restart of a worker costs one or two."""
SEQUENCES = ("InterventionWorkflow", "DunningWorkflow", "WinBackWorkflow")
RUNNING_RUNS = f"WorkflowType IN {SEQUENCES} AND ExecutionStatus = 'Running'"
CASES: dict[CaseKind, Any] = {
    CaseKind.DUNNING: DunningWorkflow,
    CaseKind.WIN_BACK: WinBackWorkflow,
}
CASE_SUMMARIES: dict[CaseKind, str] = {
    CaseKind.DUNNING: "An unpaid invoice, until it is paid or nothing is left to try",
    CaseKind.WIN_BACK: "A customer that has left, until they are back or nothing is left to try",
}
log = structlog.get_logger("workflows")


async def keep_workflows(client: Client, database: Database, clock: StoredClock) -> None:
    """Carry out orders as they come and look around once a minute, until cancelled."""
    loop = asyncio.get_running_loop()
    look_at = loop.time()
    async for _ in announcements(database.url, CHANNEL, at_least_every=POLL_SECONDS):
        await carry_out_orders(client, database, clock)
        if loop.time() >= look_at:
            await look_around(client, database, clock, clock.rate)
            look_at = loop.time() + LOOK_SECONDS


async def carry_out_orders(client: Client, database: Database, clock: Clock) -> int:
    """Carry out what is ordered; what Temporal does not take now stays for the next time."""
    async with database.transaction() as session:
        orders = await open_orders(session)
    done = 0
    for order in orders:
        try:
            answer = await _carry_out(client, order)
        except RPCError as error:
            log.warning("an order waits", workflow_id=order.workflow_id, reason=error.message)
            continue
        async with database.transaction() as session:
            await finish_order(session, order, answer, clock.wall_now())
        done += 1
    return done


async def _carry_out(client: Client, order: WorkflowOrder) -> str:
    if order.is_over:
        return await _ring_ended(client, order)
    anew = order.action is WorkflowAction.RESTART
    run, state = _beginning(order)
    policy = WorkflowIDConflictPolicy.TERMINATE_EXISTING if anew else WorkflowIDConflictPolicy.USE_EXISTING
    await client.start_workflow(
        run,
        state,
        id=order.workflow_id,
        task_queue=policies.LIFECYCLE_QUEUE,
        task_timeout=policies.WORKFLOW_TASK,
        id_conflict_policy=policy,
        search_attributes=_attributes(order),
        start_signal=None if anew else "ring",
        static_summary=CASE_SUMMARIES[order.case.kind] if order.case else None,
        static_details=f"What was seen and decided: /cases/{order.case.id}" if order.case else None,
    )
    return "started anew" if anew else "rung"


def _beginning(order: WorkflowOrder) -> tuple[Any, Any]:
    """Return the workflow that an order is for, and the state with which it begins."""
    if order.case is not None:
        return CASES[order.case.kind].run, CaseRunState(order.case.id, order.seq)
    if order.intervention_id is not None:
        return InterventionWorkflow.run, InterventionRunState(order.intervention_id, order.seq)
    return CustomerLifecycleWorkflow.run, LifecycleState(order.customer_id, order.seq)


async def _ring_ended(client: Client, order: WorkflowOrder) -> str:
    """Ring a run that is over, so that its workflow ends too; one that is gone needs no ring."""
    try:
        await client.get_workflow_handle(order.workflow_id).signal("ring")
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return "it had ended"
    return "rung"


def _attributes(order: WorkflowOrder) -> TypedSearchAttributes:
    pairs: list[SearchAttributePair[str]] = [SearchAttributePair(CUSTOMER_ID, str(order.customer_id))]
    motion = order.case.kind if order.case is not None else order.motion
    if motion is not None:
        pairs.append(SearchAttributePair(MOTION, motion.value))
    return TypedSearchAttributes(pairs)


async def look_around(client: Client, database: Database, clock: Clock, rate: float) -> list[Fault]:
    """Ask Temporal about what should run; without an answer say so, and keep what was known."""
    late = late_since(clock.now(), rate)
    async with database.transaction() as session:
        asked = await suspects(session, late, clock.wall_now())
        going = await runs_going(session, late)
    try:
        asked = list(dict.fromkeys([*asked, *await _unlisted(client, going)]))[:MOST_ASKED]
        told = [await _ask(client, one) for one in asked]
    except RPCError as error:
        async with database.transaction() as session:
            await note_look(session, 0, error.message or "no answer", clock.wall_now())
        return []
    faults = [one for one in told if one is not None]
    async with database.transaction() as session:
        await keep_faults(session, asked, faults, clock.wall_now())
        await note_look(session, len(asked) + len(going), None, clock.wall_now())
    return faults


async def _unlisted(client: Client, going: list[Suspect]) -> list[Suspect]:
    """Return runs that the list of running workflows lacks; it may be behind, so each is asked about.

    The list is asked for even without a run: an answer shows that Temporal is there, and knows our namespace.
    """
    listed = {one.id async for one in client.list_workflows(RUNNING_RUNS, limit=MOST_RUNS)}
    return [one for one in going if one.workflow_id not in listed]


async def _ask(client: Client, suspect: Suspect) -> Fault | None:
    try:
        told = await client.get_workflow_handle(suspect.workflow_id).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Fault(suspect, WorkflowTrouble.MISSING, 0, "Temporal knows nothing of it")
    if told.status is not WorkflowExecutionStatus.RUNNING:
        status = told.status.name.lower().replace("_", " ") if told.status else "in no state"
        return Fault(suspect, WorkflowTrouble.MISSING, 0, f"it is {status}")
    return _failing(suspect, told)


def _failing(suspect: Suspect, told: WorkflowExecutionDescription) -> Fault | None:
    """Tell a workflow whose own code fails, or whose activity does, from one that only waits."""
    raw = told.raw_description
    attempts = raw.pending_workflow_task.attempt
    if attempts >= MANY_ATTEMPTS:
        return Fault(suspect, WorkflowTrouble.FAILING, attempts, "its own code fails; see its workflow task")
    worst = max(raw.pending_activities, key=lambda one: one.attempt, default=None)
    if worst is None or worst.attempt < MANY_ATTEMPTS:
        return None
    return Fault(suspect, WorkflowTrouble.FAILING, worst.attempt, _words(worst))


def _words(activity: PendingActivityInfo) -> str:
    said = activity.last_failure.message or "no answer"
    return f"{activity.activity_type.name}: {said}"
