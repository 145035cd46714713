"""End a run: outcome, what it cancels, its open tasks, and the notice to the customer's workflow."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import DecisionKind, InterventionState, Outcome, StepState, TaskState
from models.decisions import Decision, record_decisions
from models.doubts import is_question
from models.effects import abandon_claims
from models.meeting_ends import withdraw_invitations
from models.tables.playbooks import InterventionRow, InterventionStepRow
from models.tables.work import TaskRow

UNFINISHED = [StepState.PLANNED, StepState.STARTED, StepState.WAITING, StepState.DEFERRED]


@dataclass(frozen=True)
class RunEnding:
    """How one run ends."""

    intervention_id: uuid.UUID
    customer_id: uuid.UUID
    outcome: Outcome
    reason: str
    cancelled_steps: tuple[str, ...] = ()


async def end_run(session: AsyncSession, ending: RunEnding, now: BusinessInstant) -> bool:
    """End a run once, cancel what was pending, and write the receipt. False if it never started."""
    row = (
        await session.execute(
            select(InterventionRow.state, InterventionRow.playbook_key, InterventionRow.started_at).where(
                InterventionRow.id == ending.intervention_id
            )
        )
    ).one()
    if row.state is InterventionState.ENDED:
        return False
    receipt: dict[str, Any] = {
        "cancelled_steps": list(ending.cancelled_steps),
        "cancelled_tasks": await cancel_tasks(session, ending.intervention_id, ending.reason, now),
        "cancelled_sends": await _cancel_steps(session, ending, now),
    }
    await withdraw_invitations(session, ending.intervention_id, ending.reason, now)
    await abandon_claims(session, f"{ending.intervention_id}/", ending.reason)
    await session.execute(
        update(InterventionRow)
        .where(InterventionRow.id == ending.intervention_id)
        .values(
            state=InterventionState.ENDED,
            outcome=ending.outcome,
            outcome_reason=ending.reason,
            ended_at=now,
            receipt=receipt,
            expected_wake_at=None,
        )
    )
    await _record(session, ending, row.playbook_key, receipt, now)
    return row.started_at is not None


async def cancel_tasks(
    session: AsyncSession, intervention_id: uuid.UUID, reason: str, now: BusinessInstant, *, origin: str = ""
) -> list[str]:
    """Close the open tasks of a run, or of what begins with `origin`; return their titles.

    A question about an effect in doubt stays open.
    """
    closed = await session.scalars(
        update(TaskRow)
        .where(
            TaskRow.intervention_id == intervention_id,
            TaskRow.state.in_([TaskState.OPEN, TaskState.SNOOZED]),
            TaskRow.effect_key.startswith(origin, autoescape=True),
            ~is_question(),
        )
        .values(state=TaskState.CANCELLED, closed_at=now, note=f"Closed by itself: {reason.rstrip('.')}.")
        .returning(TaskRow.title)
    )
    return list(closed.all())


async def _cancel_steps(session: AsyncSession, ending: RunEnding, now: BusinessInstant) -> list[str]:
    cancelled = await session.execute(
        update(InterventionStepRow)
        .where(
            InterventionStepRow.intervention_id == ending.intervention_id,
            InterventionStepRow.state.in_(UNFINISHED),
        )
        .values(state=StepState.CANCELLED, finished_at=now, reason=ending.reason)
        .returning(InterventionStepRow.step_id, InterventionStepRow.kind)
    )
    return [row.step_id for row in cancelled.all() if row.kind == "send_email"]


async def _record(
    session: AsyncSession, ending: RunEnding, playbook_key: str, receipt: dict[str, Any], now: BusinessInstant
) -> None:
    outcome = ending.outcome.value.replace("_", " ")
    sentence = f"The run ended as {outcome}: {ending.reason.rstrip('.')}."
    decision = Decision(
        ending.customer_id,
        DecisionKind.DIRECTIVE,
        "end_run",
        playbook_key,
        ending.outcome.value,
        sentence,
        receipt,
        ending.intervention_id,
    )
    await record_decisions(session, [decision], now)
