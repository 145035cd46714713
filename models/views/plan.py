"""What would be carried out if it were released: planned runs by playbook, with their messages and tasks."""

import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import InterventionState, Motion
from models.tables.customers import CustomerRow
from models.tables.playbooks import InterventionRow, PlaybookRow, PlaybookVersionRow
from models.views.portfolio_summary import Money

SHOWN = 200
"""Planned runs listed by name; the totals count all of them."""


@dataclass(frozen=True)
class PlannedRun:
    """One run that waits."""

    id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    arr_minor: int
    currency: str
    reason: str
    planned_at: BusinessInstant
    playbook_key: str


@dataclass
class PlannedPlaybook:
    """One playbook, what its steps do in a run that takes each once, and the runs that wait for it."""

    key: str
    name: str
    motion: Motion
    released_at: BusinessInstant | None
    description: str
    messages: int
    tasks: int
    customers: int
    runs: list[PlannedRun] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """The whole plan."""

    playbooks: tuple[PlannedPlaybook, ...]
    customers: int
    runs: int
    messages: int
    tasks: int
    arr: tuple[Money, ...]


def _steps(document: dict[str, Any], kind: str) -> int:
    return sum(1 for step in document.get("steps", ()) if step.get(kind))


async def _playbooks(session: AsyncSession) -> list[PlannedPlaybook]:
    waiting = (
        select(InterventionRow.playbook_key, func.count().label("runs"))
        .where(InterventionRow.state == InterventionState.PLANNED)
        .group_by(InterventionRow.playbook_key)
        .subquery()
    )
    row, version = PlaybookRow, PlaybookVersionRow
    current = (version.playbook_key == row.key) & (version.version == row.current_version)
    query = (
        select(row.key, row.name, row.motion, row.released_at, version.document, waiting.c.runs)
        .join(version, current)
        .outerjoin(waiting, waiting.c.playbook_key == row.key)
        .where(row.archived_at.is_(None))
        .order_by(func.coalesce(waiting.c.runs, 0).desc(), row.name)
    )
    return [_playbook(each) for each in await session.execute(query)]


def _playbook(row: Any) -> PlannedPlaybook:
    document, waiting = row[-2:]
    steps = (_steps(document, "send_email"), _steps(document, "create_task"))
    values: list[Any] = [*row[:-2], str(document.get("description", "")), *steps, waiting or 0]
    return PlannedPlaybook(*values)


async def _runs(session: AsyncSession) -> list[PlannedRun]:
    run, customer = InterventionRow, CustomerRow
    query = (
        select(
            run.id,
            customer.id,
            customer.name,
            customer.arr_minor,
            customer.currency,
            run.reason,
            run.planned_at,
            run.playbook_key,
        )
        .join(customer, customer.id == run.customer_id)
        .where(run.state == InterventionState.PLANNED)
        .order_by(customer.arr_minor.desc(), run.id)
    )
    return [PlannedRun(*each) for each in await session.execute(query)]


def _arr(runs: list[PlannedRun]) -> tuple[Money, ...]:
    once = {run.customer_id: run for run in runs}
    totals: Counter[str] = Counter()
    for run in once.values():
        totals[run.currency] += run.arr_minor
    return tuple(Money(minor, currency) for currency, minor in totals.most_common())


async def load_plan(session: AsyncSession) -> Plan:
    """Return what waits for a person, in two queries. Messages and tasks count each step once per run."""
    playbooks, runs = await _playbooks(session), await _runs(session)
    by_key = {playbook.key: playbook for playbook in playbooks}
    for run in runs[:SHOWN]:
        by_key[run.playbook_key].runs.append(run)
    return Plan(
        playbooks=tuple(playbooks),
        customers=len({run.customer_id for run in runs}),
        runs=len(runs),
        messages=sum(by_key[run.playbook_key].messages for run in runs),
        tasks=sum(by_key[run.playbook_key].tasks for run in runs),
        arr=_arr(runs),
    )
