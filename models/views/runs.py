"""Runs of playbooks: the list, and one run with its steps."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import GOING_ON, InterventionState, Motion, Outcome, Segment, StepState
from models.tables.customers import CustomerRow
from models.tables.playbooks import InterventionRow, InterventionStepRow, PlaybookRow, PlaybookVersionRow

PAGE_SIZE = 50
OVERSLEPT = dt.timedelta(hours=24)
"""A run that should have woken so long ago in business time is said to have overslept."""
OPEN = (InterventionState.PLANNED, *GOING_ON)


@dataclass(frozen=True)
class RunFilter:
    """What a person chose to see; empty means everything."""

    states: tuple[InterventionState, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    playbook: str = ""
    customer: uuid.UUID | None = None
    overslept: bool = False
    page: int = 1


@dataclass(frozen=True)
class RunLine:
    """One run as lists show it."""

    id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    arr_minor: int
    currency: str
    playbook_key: str
    playbook: str
    version: int
    motion: Motion
    reason: str
    state: InterventionState
    planned_at: BusinessInstant
    started_at: BusinessInstant | None
    expected_wake_at: BusinessInstant | None
    ended_at: BusinessInstant | None
    outcome: Outcome | None
    outcome_reason: str | None
    causes: list[dict[str, Any]]
    receipt: dict[str, Any] | None
    position: dict[str, Any]
    overslept: bool = False

    @property
    def workflow_id(self) -> str:
        """Its workflow's id in Temporal."""
        return f"intervention/{self.id}"


@dataclass(frozen=True)
class RunPage:
    """One page of runs, and how many there are in all."""

    runs: tuple[RunLine, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class StepLine:
    """One visit of one step."""

    step_id: str
    occurrence: int
    kind: str
    state: StepState
    reason: str | None
    detail: dict[str, Any]
    due_at: BusinessInstant | None
    started_at: BusinessInstant | None
    finished_at: BusinessInstant | None


@dataclass(frozen=True)
class RunDetail:
    """One run with the document that it follows."""

    line: RunLine
    document: dict[str, Any]
    published_at: BusinessInstant
    segment: Segment
    steps: tuple[StepLine, ...] = field(default=())


COLUMNS = (
    InterventionRow.id,
    InterventionRow.customer_id,
    CustomerRow.name,
    CustomerRow.arr_minor,
    CustomerRow.currency,
    InterventionRow.playbook_key,
    PlaybookRow.name,
    PlaybookVersionRow.version,
    PlaybookRow.motion,
    InterventionRow.reason,
    InterventionRow.state,
    InterventionRow.planned_at,
    InterventionRow.started_at,
    InterventionRow.expected_wake_at,
    InterventionRow.ended_at,
    InterventionRow.outcome,
    InterventionRow.outcome_reason,
    InterventionRow.causes,
    InterventionRow.receipt,
    InterventionRow.position,
)


def _joined(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(InterventionRow)
        .join(CustomerRow, CustomerRow.id == InterventionRow.customer_id)
        .join(PlaybookRow, PlaybookRow.key == InterventionRow.playbook_key)
        .join(PlaybookVersionRow, PlaybookVersionRow.id == InterventionRow.version_id)
    )


def has_overslept(now: BusinessInstant) -> ColumnElement[bool]:
    """Say that a run should have woken at least a day ago, or runs without knowing when it will."""
    late = InterventionRow.expected_wake_at < now - OVERSLEPT
    lost = InterventionRow.expected_wake_at.is_(None) & (InterventionRow.state == InterventionState.RUNNING)
    return InterventionRow.state.in_(GOING_ON) & func.coalesce(or_(late, lost), False)


def _conditions(chosen: RunFilter, now: BusinessInstant) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.states:
        found.append(InterventionRow.state.in_(chosen.states))
    if chosen.outcomes:
        found.append(InterventionRow.outcome.in_(chosen.outcomes))
    if chosen.playbook:
        found.append(InterventionRow.playbook_key == chosen.playbook)
    if chosen.customer is not None:
        found.append(InterventionRow.customer_id == chosen.customer)
    return [*found, has_overslept(now)] if chosen.overslept else found


def _run(row: Any) -> RunLine:
    """Read a line from the first columns of a row, the last of which tells whether it overslept."""
    return RunLine(*row[: len(COLUMNS) + 1])


async def load_runs(session: AsyncSession, chosen: RunFilter, now: BusinessInstant) -> RunPage:
    """Return one page, open runs first, then the newest; in one query."""
    newest = func.coalesce(
        InterventionRow.ended_at, InterventionRow.started_at, InterventionRow.planned_at
    ).desc()
    query = (
        _joined(*COLUMNS, has_overslept(now), func.count().over())
        .where(*_conditions(chosen, now))
        .order_by(InterventionRow.state == InterventionState.ENDED, newest, InterventionRow.id)
        .limit(PAGE_SIZE)
        .offset((max(chosen.page, 1) - 1) * PAGE_SIZE)
    )
    rows: Sequence[Row[Any]] = (await session.execute(query)).all()
    total = int(rows[0][-1]) if rows else 0
    return RunPage(tuple(_run(row) for row in rows), total, chosen.page, max(1, -(-total // PAGE_SIZE)))


async def load_run(session: AsyncSession, run_id: uuid.UUID, now: BusinessInstant) -> RunDetail:
    """Return one run with its document and steps in two queries, or raise NotFoundError."""
    version = (PlaybookVersionRow.document, PlaybookVersionRow.published_at, CustomerRow.segment)
    query = _joined(*COLUMNS, has_overslept(now), *version).where(InterventionRow.id == run_id)
    row: Any = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError(what="run", key=run_id)
    return RunDetail(_run(row), row[-3], row[-2], row[-1], await _load_steps(session, run_id))


async def _load_steps(session: AsyncSession, run_id: uuid.UUID) -> tuple[StepLine, ...]:
    step = InterventionStepRow
    query = (
        select(
            step.step_id,
            step.occurrence,
            step.kind,
            step.state,
            step.reason,
            step.detail,
            step.due_at,
            step.started_at,
            step.finished_at,
        )
        .where(step.intervention_id == run_id)
        .order_by(step.started_at.asc().nulls_last(), step.due_at.asc().nulls_last(), step.id)
    )
    return tuple(StepLine(*each) for each in await session.execute(query))
