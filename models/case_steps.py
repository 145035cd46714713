"""The record of each letter and each deed of a case: asked for, put off, done, left out or in doubt."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.run_walk import FINISHED
from domain.time import BusinessInstant
from domain.vocabulary import StepState
from models.decisions import Decision, record_decisions
from models.send_ledger import Become
from models.tables.cases import CaseRow, CaseStepRow


@dataclass(frozen=True)
class CaseVisit:
    """What names one letter or deed of a case."""

    case_id: uuid.UUID
    step: str
    occurrence: int = 1

    @property
    def origin(self) -> str:
        """The part of the effect key before the target."""
        return f"case/{self.case_id}/{self.step}/{self.occurrence}/"


@dataclass(frozen=True)
class CaseRecord:
    """What has become of one so far."""

    step: str
    occurrence: int
    kind: str
    state: StepState
    reason: str | None
    detail: Mapping[str, Any]
    due_at: BusinessInstant | None
    started_at: BusinessInstant
    finished_at: BusinessInstant | None

    @property
    def is_finished(self) -> bool:
        """Whether it is over, one way or another."""
        return self.state in FINISHED

    def stands_open(self, now: BusinessInstant) -> bool:
        """Tell whether the case still has to wait for it; what is in doubt is waited for only so long."""
        in_doubt_for_good = self.state is StepState.WAITING and self.due_at is not None and self.due_at <= now
        return not self.is_finished and not in_doubt_for_good


FIELDS = (
    CaseStepRow.step,
    CaseStepRow.occurrence,
    CaseStepRow.kind,
    CaseStepRow.state,
    CaseStepRow.reason,
    CaseStepRow.detail,
    CaseStepRow.due_at,
    CaseStepRow.started_at,
    CaseStepRow.finished_at,
)


async def records_of(session: AsyncSession, case_id: uuid.UUID) -> dict[tuple[str, int], CaseRecord]:
    """Return every letter and deed of a case by step and occurrence, in the order of their beginning."""
    row = CaseStepRow
    query = select(*FIELDS).where(row.case_id == case_id).order_by(row.started_at, row.step, row.occurrence)
    found = [CaseRecord(*each) for each in await session.execute(query)]
    return {(one.step, one.occurrence): one for one in found}


async def find_record(session: AsyncSession, visit: CaseVisit) -> CaseRecord | None:
    """Return what has become of one, None where it was never asked for."""
    row = (await session.execute(select(*FIELDS).where(_is_row_of(visit)))).one_or_none()
    return None if row is None else CaseRecord(*row)


async def begin_visit(session: AsyncSession, visit: CaseVisit, kind: str, now: BusinessInstant) -> None:
    """Write that it is asked for; one that was put off goes on as it was begun."""
    values = {
        "id": uuid.uuid4(),
        "case_id": visit.case_id,
        "step": visit.step,
        "occurrence": visit.occurrence,
        "kind": kind,
        "state": StepState.STARTED,
        "detail": {},
        "started_at": now,
    }
    await session.execute(upsert(CaseStepRow).values(values).on_conflict_do_nothing())


async def record_visit(
    session: AsyncSession, customer_id: uuid.UUID, visit: CaseVisit, become: Become, now: BusinessInstant
) -> None:
    """Write what became of it; a refusal or a deferral is a decision too. The caller holds the customer."""
    is_over = become.state in FINISHED
    await session.execute(
        update(CaseStepRow)
        .where(_is_row_of(visit))
        .values(
            state=become.state,
            reason=become.reason,
            due_at=become.due_at,
            detail=become.detail,
            finished_at=now if is_over else None,
        )
    )
    if become.decision is None:
        return
    query = select(CaseRow.kind).where(CaseRow.id == visit.case_id)
    kind = (await session.execute(query)).scalar_one()
    evidence = {"step": visit.step, "occurrence": visit.occurrence, **become.detail}
    decision = Decision(
        customer_id,
        become.decision,
        "case_step",
        kind.value,
        become.reason or become.state.value,
        become.sentence,
        evidence,
        case_id=visit.case_id,
    )
    await record_decisions(session, [decision], now)


async def give_up_visit(session: AsyncSession, visit: CaseVisit, now: BusinessInstant) -> None:
    """Close one whose every attempt failed, so that its case goes on without it."""
    open_ones = (_is_row_of(visit), CaseStepRow.state == StepState.STARTED)
    failed = {"state": StepState.FAILED, "reason": "every_attempt_failed", "finished_at": now}
    await session.execute(update(CaseStepRow).where(*open_ones).values(failed))


def _is_row_of(visit: CaseVisit) -> Any:
    row = CaseStepRow
    return (row.case_id == visit.case_id) & (row.step == visit.step) & (row.occurrence == visit.occurrence)
