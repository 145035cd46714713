"""The inbox: tasks and early warnings that wait, by customer, the largest revenue at stake first."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.permissions import Permission, may
from domain.time import BusinessInstant
from domain.vocabulary import HeadsUpState, RiskTier, Role, Severity, TaskOutcome, TaskState
from models.tables.customers import CustomerRow
from models.tables.people import UserRow
from models.tables.playbooks import InterventionRow, PlaybookRow
from models.tables.work import HeadsUpRow, TaskRow
from models.views.chrome import due_heads_up, due_task

MOST = 500
"""Lines of each sort that are looked at; whoever has more needs help, not a longer list."""
PAGE_SIZE = 25
"""Customers on one page."""
DONE_SHOWN = 50
SEVERITIES = tuple(Severity)


class InboxScope(StrEnum):
    """Whose work is shown."""

    MINE = "mine"
    TEAM = "team"
    ALL = "all"


class InboxShow(StrEnum):
    """Which part of it."""

    DUE = "due"
    SNOOZED = "snoozed"
    DONE = "done"


@dataclass(frozen=True)
class InboxTask:
    """One task."""

    id: uuid.UUID
    customer_id: uuid.UUID
    kind: str
    title: str
    body: str
    severity: Severity
    state: TaskState
    assignee_id: uuid.UUID | None
    assignee: str | None
    created_at: BusinessInstant
    due_at: BusinessInstant
    snoozed_until: BusinessInstant | None
    outcome: TaskOutcome | None
    note: str | None
    closed_at: BusinessInstant | None
    run_id: uuid.UUID | None
    playbook: str | None
    case_id: uuid.UUID | None


@dataclass(frozen=True)
class InboxHeadsUp:
    """One early warning."""

    id: uuid.UUID
    customer_id: uuid.UUID
    severity: Severity
    title: str
    body: str
    state: HeadsUpState
    owner_id: uuid.UUID | None
    owner: str | None
    opened_at: BusinessInstant
    snoozed_until: BusinessInstant | None
    closed_at: BusinessInstant | None
    closed_reason: str | None


@dataclass
class InboxGroup:
    """One customer with what waits there."""

    id: uuid.UUID
    name: str
    arr_minor: int
    currency: str
    tier: RiskTier | None
    score: int | None
    tasks: list[InboxTask] = field(default_factory=list)
    heads_ups: list[InboxHeadsUp] = field(default_factory=list)

    @property
    def worst(self) -> int:
        """How bad the worst of it is: of customers with the same revenue, it says who comes first."""
        found = [task.severity for task in self.tasks] + [one.severity for one in self.heads_ups]
        return max(map(SEVERITIES.index, found), default=0)

    @property
    def open_heads_ups(self) -> list[InboxHeadsUp]:
        """What can be acknowledged, snoozed or closed together."""
        return [one for one in self.heads_ups if one.state is HeadsUpState.OPEN]


@dataclass(frozen=True)
class InboxPage:
    """One page of customers with what waits there, and how much waits in all."""

    groups: tuple[InboxGroup, ...]
    customers: int
    lines: int
    page: int
    pages: int


CUSTOMER = (
    CustomerRow.id,
    CustomerRow.name,
    CustomerRow.arr_minor,
    CustomerRow.currency,
    CustomerRow.churn_risk_tier,
    CustomerRow.churn_risk_score,
)
TASK = (
    TaskRow.id,
    TaskRow.customer_id,
    TaskRow.kind,
    TaskRow.title,
    TaskRow.body,
    TaskRow.severity,
    TaskRow.state,
    TaskRow.assignee_id,
    UserRow.name,
    TaskRow.created_at,
    TaskRow.due_at,
    TaskRow.snoozed_until,
    TaskRow.outcome,
    TaskRow.note,
    TaskRow.closed_at,
    TaskRow.intervention_id,
    PlaybookRow.name,
    TaskRow.case_id,
)
HEADS_UP = (
    HeadsUpRow.id,
    HeadsUpRow.customer_id,
    HeadsUpRow.severity,
    HeadsUpRow.title,
    HeadsUpRow.body,
    HeadsUpRow.state,
    HeadsUpRow.owner_id,
    UserRow.name,
    HeadsUpRow.opened_at,
    HeadsUpRow.snoozed_until,
    HeadsUpRow.closed_at,
    HeadsUpRow.closed_reason,
)


def _whose(column: Any, scope: InboxScope, user_id: uuid.UUID) -> list[ColumnElement[bool]]:
    if scope is InboxScope.ALL:
        return []
    if scope is InboxScope.MINE:
        return [column == user_id]
    team = select(UserRow.id).where(or_(UserRow.manager_id == user_id, UserRow.id == user_id))
    return [or_(column.in_(team), column.is_(None))]


def _tasks_shown(show: InboxShow, now: BusinessInstant) -> ColumnElement[bool]:
    if show is InboxShow.DUE:
        due: ColumnElement[bool] = due_task(now)
        return due
    if show is InboxShow.SNOOZED:
        return and_(TaskRow.state == TaskState.SNOOZED, TaskRow.snoozed_until > now)
    return TaskRow.state == TaskState.DONE


def _heads_ups_shown(show: InboxShow, now: BusinessInstant) -> ColumnElement[bool]:
    if show is InboxShow.DUE:
        due: ColumnElement[bool] = due_heads_up(now)
        return due
    if show is InboxShow.SNOOZED:
        later = and_(HeadsUpRow.state == HeadsUpState.OPEN, HeadsUpRow.snoozed_until > now)
        return or_(later, HeadsUpRow.state == HeadsUpState.ACKNOWLEDGED)
    return HeadsUpRow.state == HeadsUpState.CLOSED


def _task_query(scope: InboxScope, show: InboxShow, user_id: uuid.UUID, now: BusinessInstant) -> Any:
    done = show is InboxShow.DONE
    order = (TaskRow.closed_at.desc(),) if done else (CustomerRow.arr_minor.desc(), TaskRow.due_at)
    return (
        select(*CUSTOMER, *TASK)
        .join(CustomerRow, CustomerRow.id == TaskRow.customer_id)
        .outerjoin(UserRow, UserRow.id == TaskRow.assignee_id)
        .outerjoin(InterventionRow, InterventionRow.id == TaskRow.intervention_id)
        .outerjoin(PlaybookRow, PlaybookRow.key == InterventionRow.playbook_key)
        .where(_tasks_shown(show, now), *_whose(TaskRow.assignee_id, scope, user_id))
        .order_by(*order, TaskRow.id)
        .limit(DONE_SHOWN if done else MOST)
    )


def _heads_up_query(scope: InboxScope, show: InboxShow, user_id: uuid.UUID, now: BusinessInstant) -> Any:
    done = show is InboxShow.DONE
    order = (HeadsUpRow.closed_at.desc(),) if done else (CustomerRow.arr_minor.desc(), HeadsUpRow.opened_at)
    return (
        select(*CUSTOMER, *HEADS_UP)
        .join(CustomerRow, CustomerRow.id == HeadsUpRow.customer_id)
        .outerjoin(UserRow, UserRow.id == HeadsUpRow.owner_id)
        .where(_heads_ups_shown(show, now), *_whose(HeadsUpRow.owner_id, scope, user_id))
        .order_by(*order, HeadsUpRow.id)
        .limit(DONE_SHOWN if done else MOST)
    )


async def load_inbox(
    session: AsyncSession,
    scope: InboxScope,
    show: InboxShow,
    user_id: uuid.UUID,
    now: BusinessInstant,
    page: int = 1,
) -> InboxPage:
    """Return what waits, by customer, in two queries; what is done is in the order of its end."""
    groups: dict[uuid.UUID, InboxGroup] = {}
    width = len(CUSTOMER)
    for row in await session.execute(_task_query(scope, show, user_id, now)):
        group = groups.setdefault(row[0], InboxGroup(*row[:width]))
        group.tasks.append(InboxTask(*row[width:]))
    for row in await session.execute(_heads_up_query(scope, show, user_id, now)):
        group = groups.setdefault(row[0], InboxGroup(*row[:width]))
        group.heads_ups.append(InboxHeadsUp(*row[width:]))
    return _page(list(groups.values()), show, page)


def _page(groups: list[InboxGroup], show: InboxShow, page: int) -> InboxPage:
    if show is not InboxShow.DONE:
        groups.sort(key=lambda group: (-group.arr_minor, -group.worst))
        for group in groups:
            group.heads_ups.sort(key=lambda one: (-SEVERITIES.index(one.severity), one.opened_at))
    lines = sum(len(group.tasks) + len(group.heads_ups) for group in groups)
    pages = max(1, -(-len(groups) // PAGE_SIZE))
    page = min(max(page, 1), pages)
    shown = groups[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    return InboxPage(tuple(shown), len(groups), lines, page, pages)


async def load_colleagues(session: AsyncSession) -> Sequence[tuple[uuid.UUID, str]]:
    """Return (id, name) of everyone to whom work can be handed, by name."""
    roles = [role for role in Role if may(role, Permission.DO_WORK)]
    query = select(UserRow.id, UserRow.name).where(UserRow.disabled_at.is_(None), UserRow.role.in_(roles))
    return [(row[0], row[1]) for row in await session.execute(query.order_by(func.lower(UserRow.name)))]
