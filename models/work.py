"""What people do with their tasks: done, put off, handed over, taken back. Impossible wishes are refused."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.permissions import Permission, may
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import (
    InterventionState,
    NoticeKind,
    SignalState,
    TaskOutcome,
    TaskState,
)
from models.changes import announce_change
from models.outbox import Notice, put_notices
from models.tables.people import UserRow
from models.tables.playbooks import InterventionRow
from models.tables.scoring import SignalRow
from models.tables.work import TaskRow

LONGEST_SNOOZE = dt.timedelta(days=90)
LONGEST_NOTE = 2000
QUESTIONS = frozenset({"approval", "offer", "verdict"})
"""Kinds of task that ask for a yes or a no."""
ANSWERS = frozenset({TaskOutcome.APPROVED, TaskOutcome.REJECTED})


async def complete_task(
    session: AsyncSession,
    task_id: uuid.UUID,
    outcome: TaskOutcome,
    note: str | None,
    user_id: uuid.UUID | None,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """Finish a task with what came of it, and tell the customer's workflow.

    Raises NotFoundError, ConflictError where it is done or cancelled already, and InvalidInputError where the
    outcome is none that its kind has.
    """
    task = await _locked(session, task_id)
    _refuse_closed(task)
    check_outcome(task.kind, outcome)
    values = {"state": TaskState.DONE, "outcome": outcome, "note": _checked_note(note), "closed_at": now}
    await _change(session, task, closed_by_id=user_id, snoozed_until=None, **values)
    await note_human_action(session, task.customer_id, None, now)
    await _tell(session, task, NoticeKind.TASK_DONE, outcome, now, wall)


async def snooze_task(
    session: AsyncSession,
    task_id: uuid.UUID,
    until: BusinessInstant,
    user_id: uuid.UUID | None,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """Put a task away until an instant in the next 90 days; whoever does so takes it, if nobody has it."""
    task = await _locked(session, task_id)
    _refuse_closed(task)
    check_snooze(until, now)
    owner = task.assignee_id or user_id
    await _change(session, task, state=TaskState.SNOOZED, snoozed_until=until, assignee_id=owner)
    await note_human_action(session, task.customer_id, None, now)
    await _tell(session, task, NoticeKind.CUSTOMER_CHANGED, None, now, wall)


async def reassign_task(
    session: AsyncSession,
    task_id: uuid.UUID,
    assignee_id: uuid.UUID,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """Hand a task to a colleague who does such work; it is open again if it was put away."""
    task = await _locked(session, task_id)
    _refuse_closed(task)
    await check_assignee(session, assignee_id)
    await _change(session, task, assignee_id=assignee_id, state=TaskState.OPEN, snoozed_until=None)
    await _tell(session, task, NoticeKind.CUSTOMER_CHANGED, None, now, wall)


async def reopen_task(
    session: AsyncSession, task_id: uuid.UUID, now: BusinessInstant, wall: WallInstant
) -> None:
    """Take a finished or snoozed task back (undo), unless the run that wanted it has ended since."""
    task = await _locked(session, task_id)
    if task.state is TaskState.OPEN:
        return
    await _refuse_ended_run(session, task)
    values = {"outcome": None, "note": None, "closed_at": None, "closed_by_id": None}
    await _change(session, task, state=TaskState.OPEN, snoozed_until=None, **values)
    await _tell(session, task, NoticeKind.CUSTOMER_CHANGED, None, now, wall)


async def _locked(session: AsyncSession, task_id: uuid.UUID) -> TaskRow:
    task = await session.scalar(select(TaskRow).where(TaskRow.id == task_id).with_for_update())
    if task is None:
        raise NotFoundError(what="task", key=task_id)
    return task


async def _change(session: AsyncSession, task: TaskRow, **values: Any) -> None:
    await session.execute(update(TaskRow).where(TaskRow.id == task.id).values(**values))


async def _tell(
    session: AsyncSession,
    task: TaskRow,
    kind: NoticeKind,
    outcome: TaskOutcome | None,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """Ring the customer's workflow and every open page."""
    payload = {
        "task_id": str(task.id),
        "intervention_id": str(task.intervention_id) if task.intervention_id else None,
        "outcome": outcome.value if outcome else None,
    }
    await put_notices(session, [Notice(task.customer_id, kind, payload, now)], wall)
    await announce_change(session)


def _refuse_closed(task: TaskRow) -> None:
    if task.state in {TaskState.DONE, TaskState.CANCELLED}:
        word = "finished" if task.state is TaskState.DONE else "cancelled, since its run ended"
        raise ConflictError(what=f"The task “{task.title}”", reason=f"it was {word} in the meantime")


async def _refuse_ended_run(session: AsyncSession, task: TaskRow) -> None:
    state = await session.scalar(
        select(InterventionRow.state).where(InterventionRow.id == task.intervention_id)
    )
    if task.state is TaskState.CANCELLED or state is InterventionState.ENDED:
        reason = "the run that wanted it has ended, so it cannot be taken back"
        raise ConflictError(what=f"The task “{task.title}”", reason=reason)


def outcomes_of(kind: str) -> tuple[TaskOutcome, ...]:
    """Return what may come of a task: a question has yes and no, and nothing else has."""
    return tuple(one for one in TaskOutcome if (one in ANSWERS) == (kind in QUESTIONS))


def check_outcome(kind: str, outcome: TaskOutcome) -> None:
    """Raise InvalidInputError unless a task of this kind may end so."""
    if outcome not in outcomes_of(kind):
        allowed = ", ".join(one.value for one in outcomes_of(kind))
        raise InvalidInputError(field="outcome", reason=f"this task ends with one of {allowed}")


def _checked_note(note: str | None) -> str | None:
    text = (note or "").strip()
    if len(text) > LONGEST_NOTE:
        raise InvalidInputError(field="note", reason=f"at most {LONGEST_NOTE:,} characters")
    return text or None


def check_snooze(until: BusinessInstant, now: BusinessInstant) -> None:
    """Raise InvalidInputError unless the instant is ahead and not too far."""
    if not now < until <= now + LONGEST_SNOOZE:
        raise InvalidInputError(
            field="until", reason=f"a time in the next {LONGEST_SNOOZE.days} days of business time"
        )


async def check_assignee(session: AsyncSession, user_id: uuid.UUID) -> None:
    """Raise InvalidInputError unless the user is there, enabled, and may do such work."""
    query = select(UserRow.role).where(UserRow.id == user_id, UserRow.disabled_at.is_(None))
    role = await session.scalar(query)
    if role is None or not may(role, Permission.DO_WORK):
        raise InvalidInputError(field="assignee", reason="choose an active colleague who does such work")


async def note_human_action(
    session: AsyncSession, customer_id: uuid.UUID, signal_id: uuid.UUID | None, now: BusinessInstant
) -> None:
    """Mark when a person first acted on a customer's open signals, or on one of them."""
    chosen = [SignalRow.customer_id == customer_id, SignalRow.first_human_action_at.is_(None)]
    chosen.append(SignalRow.state == SignalState.OPEN if signal_id is None else SignalRow.id == signal_id)
    await session.execute(update(SignalRow).where(*chosen).values(first_human_action_at=now))
