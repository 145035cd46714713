"""Cases in the database: open one, load it under its customer's lock, write where it stands, end it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_holds import PersonsHold, hold_in, with_hold
from domain.case_vocabulary import CaseKind, CaseOutcome, CaseState
from domain.errors import NotFoundError
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import DecisionKind, NoticeKind, TaskState, WorkflowAction
from models.case_steps import CaseVisit, begin_visit
from models.customer_state import lock_customer
from models.decisions import Decision, record_decisions
from models.doubts import is_question
from models.effects import abandon_claims
from models.outbox import Notice, put_notices
from models.tables.cases import CaseRow
from models.tables.work import TaskRow
from models.workflow_orders import order_workflow


@dataclass(frozen=True)
class NewCase:
    """A case that is to be opened. Its subject says what there is one case of."""

    kind: CaseKind
    customer_id: uuid.UUID
    subject: str
    workflow_id: str
    policy: Mapping[str, Any]
    stage: str
    sentence: str
    """Why it is opened, for the decision ledger."""
    memory: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredCase:
    """One case as it stands."""

    id: uuid.UUID
    kind: CaseKind
    customer_id: uuid.UUID
    subject: str
    state: CaseState
    stage: str
    policy: Mapping[str, Any]
    memory: Mapping[str, Any]
    advance_seq: int
    last_result: Mapping[str, Any] | None
    opened_at: BusinessInstant
    held_reason: str | None
    outcome: CaseOutcome | None

    @property
    def hold(self) -> PersonsHold | None:
        """The hold of a person, while which nothing is decided and nothing leaves."""
        return hold_in(self.memory)


@dataclass(frozen=True)
class CaseEnding:
    """How a case ends, with a sentence for people."""

    outcome: CaseOutcome
    sentence: str


@dataclass(frozen=True)
class CaseStep:
    """One order, to be carried out after this look: a letter, or a deed at the billing provider."""

    kind: str
    step: str
    occurrence: int = 1


@dataclass(frozen=True)
class CaseProgress:
    """What one look at a case has decided."""

    memory: Mapping[str, Any]
    stage: str
    next_action: str = ""
    step: CaseStep | None = None
    wake_at: BusinessInstant | None = None
    held_reason: str | None = None
    """The case listens and does nothing, and why."""
    ending: CaseEnding | None = None


def at_rest(case: StoredCase, now: BusinessInstant) -> CaseProgress:
    """Return what a look at a case that a person holds decides: nothing, until it is rung.

    Of a hold that has ended meanwhile nothing is left but to look again at once.
    """
    wake_at = now if case.hold is None else None
    return CaseProgress(case.memory, case.stage, wake_at=wake_at)


FIELDS = (
    CaseRow.id,
    CaseRow.kind,
    CaseRow.customer_id,
    CaseRow.subject,
    CaseRow.state,
    CaseRow.stage,
    CaseRow.policy,
    CaseRow.memory,
    CaseRow.advance_seq,
    CaseRow.last_result,
    CaseRow.opened_at,
    CaseRow.held_reason,
    CaseRow.outcome,
)


async def open_case(
    session: AsyncSession, new: NewCase, now: BusinessInstant, wall: WallInstant
) -> uuid.UUID | None:
    """Open a case and order its workflow; None where there is one of this subject already."""
    case_id = uuid.uuid4()
    values = {
        "id": case_id,
        "kind": new.kind,
        "customer_id": new.customer_id,
        "subject": new.subject,
        "workflow_id": new.workflow_id,
        "state": CaseState.OPEN,
        "stage": new.stage,
        "policy": dict(new.policy),
        "memory": dict(new.memory),
        "opened_at": now,
        "expected_wake_at": now,
    }
    statement = upsert(CaseRow).values(values).on_conflict_do_nothing().returning(CaseRow.id)
    if await session.scalar(statement) is None:
        return None
    decision = Decision(
        new.customer_id,
        DecisionKind.DIRECTIVE,
        "open_case",
        new.kind.value,
        new.stage,
        new.sentence,
        dict(new.evidence),
        case_id=case_id,
    )
    await record_decisions(session, [decision], now)
    await order_workflow(session, WorkflowAction.RING, new.customer_id, None, wall, case_id=case_id)
    return case_id


async def kind_of(session: AsyncSession, case_id: uuid.UUID) -> CaseKind:
    """Return what a case is about; raises NotFoundError."""
    kind = await session.scalar(select(CaseRow.kind).where(CaseRow.id == case_id))
    if kind is None:
        raise NotFoundError(what="case", key=case_id)
    return kind


async def load_case(session: AsyncSession, case_id: uuid.UUID) -> StoredCase:
    """Return a case with its customer locked, as every writer of a case does; raises NotFoundError."""
    customer = await session.scalar(select(CaseRow.customer_id).where(CaseRow.id == case_id))
    if customer is None:
        raise NotFoundError(what="case", key=case_id)
    await lock_customer(session, customer)
    return await read_case(session, case_id)


async def read_case(session: AsyncSession, case_id: uuid.UUID) -> StoredCase:
    """Return a case without a lock: to look at; raises NotFoundError."""
    row = (await session.execute(select(*FIELDS).where(CaseRow.id == case_id))).one_or_none()
    if row is None:
        raise NotFoundError(what="case", key=case_id)
    return StoredCase(*row)


async def write_case(
    session: AsyncSession,
    case: StoredCase,
    progress: CaseProgress,
    seq: int,
    result: Mapping[str, Any],
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """Store one look at a case; an ending closes everything that is still open of it.

    The hold of a person outlives every look: whatever a motion makes of the memory, the case stays held.
    """
    held = progress.held_reason if case.hold is None else case.hold.sentence
    state = CaseState.HELD if held is not None else CaseState.OPEN
    await session.execute(
        update(CaseRow)
        .where(CaseRow.id == case.id)
        .values(
            state=state,
            stage=progress.stage,
            memory=with_hold(progress.memory, case.hold),
            held_reason=held,
            next_action=progress.next_action or None,
            expected_wake_at=progress.wake_at,
            advance_seq=seq,
            last_result=dict(result),
        )
    )
    if progress.ending is not None:
        await end_case(session, case, progress.ending, now, wall)
    elif progress.step is not None:
        visit = CaseVisit(case.id, progress.step.step, progress.step.occurrence)
        await begin_visit(session, visit, progress.step.kind, now)


async def end_case(
    session: AsyncSession, case: StoredCase, ending: CaseEnding, now: BusinessInstant, wall: WallInstant
) -> bool:
    """End a case once: nothing that it claimed and did not hand over leaves any more. False if it had ended.

    The caller holds the customer's lock. The workflow, where it did not end the case itself, is to be rung.
    """
    ended = await session.scalar(
        update(CaseRow)
        .where(CaseRow.id == case.id, CaseRow.state != CaseState.ENDED)
        .values(
            state=CaseState.ENDED,
            outcome=ending.outcome,
            outcome_reason=ending.sentence,
            ended_at=now,
            expected_wake_at=None,
            next_action=None,
            held_reason=None,
        )
        .returning(CaseRow.id)
    )
    if ended is None:
        return False
    closed = await _close_tasks(session, case, ending, now)
    await abandon_claims(session, f"case/{case.id}/", ending.sentence)
    evidence = {"cancelled_tasks": closed}
    decision = Decision(
        case.customer_id,
        DecisionKind.DIRECTIVE,
        "end_case",
        case.kind.value,
        ending.outcome.value,
        ending.sentence,
        evidence,
        case_id=case.id,
    )
    await record_decisions(session, [decision], now)
    payload = {"case_id": str(case.id), "kind": case.kind.value, "outcome": ending.outcome.value}
    await put_notices(session, [Notice(case.customer_id, NoticeKind.CASE_ENDED, payload, now)], wall)
    return True


async def _close_tasks(
    session: AsyncSession, case: StoredCase, ending: CaseEnding, now: BusinessInstant
) -> list[str]:
    """Close what people were asked, and return it.

    What is given to a person stays with them, and so does a question about an effect in doubt.
    """
    if ending.outcome is CaseOutcome.ESCALATED:
        return []
    note = f"Closed by itself: {ending.sentence}"
    closed = await session.scalars(
        update(TaskRow)
        .where(
            TaskRow.case_id == case.id,
            TaskRow.state.in_([TaskState.OPEN, TaskState.SNOOZED]),
            ~is_question(),
        )
        .values(state=TaskState.CANCELLED, closed_at=now, note=note)
        .returning(TaskRow.title)
    )
    return list(closed.all())


async def ring_case(session: AsyncSession, case_id: uuid.UUID, wall: WallInstant) -> None:
    """Have the case's workflow look again, or begin anew where it is gone."""
    customer = await session.scalar(select(CaseRow.customer_id).where(CaseRow.id == case_id))
    if customer is not None:
        await order_workflow(session, WorkflowAction.RING, customer, None, wall, case_id=case_id)


async def ring_cases_of(session: AsyncSession, customer_id: uuid.UUID, wall: WallInstant) -> int:
    """Ring every open case of a customer; return how many."""
    query = select(CaseRow.id).where(CaseRow.customer_id == customer_id, CaseRow.state != CaseState.ENDED)
    cases = (await session.scalars(query)).all()
    for case_id in cases:
        await order_workflow(session, WorkflowAction.RING, customer_id, None, wall, case_id=case_id)
    return len(cases)
