"""Load what the interpreter sees of one run."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.conditions import Value
from domain.errors import NotFoundError
from domain.run_state import Position, RunView, StepRow, TaskRow
from domain.time import BusinessInstant
from domain.vocabulary import (
    CustomerStatus,
    Direction,
    Outcome,
    RiskTier,
    SignalKind,
    SignalState,
    TaskOutcome,
    TaskState,
)
from models.tables import work
from models.tables.customers import CustomerRow
from models.tables.ledger import TouchpointRow
from models.tables.playbooks import InterventionRow, InterventionStepRow
from models.tables.scoring import SignalRow

OPEN_TASKS = {TaskState.OPEN, TaskState.SNOOZED}
EVERSTAY = "everstay"
"""The source id of what we did ourselves."""


@dataclass(frozen=True)
class LoadedRun:
    """A run with everything that the advance activity needs."""

    view: RunView
    customer_id: uuid.UUID
    version_id: uuid.UUID
    playbook_key: str
    advance_seq: int
    last_result: dict[str, Any] | None
    texts: dict[str, str]
    csm_id: uuid.UUID | None
    sales_owner_id: uuid.UUID | None


async def customer_of(session: AsyncSession, intervention_id: uuid.UUID) -> uuid.UUID:
    """Return whose run it is."""
    customer = await session.scalar(
        select(InterventionRow.customer_id).where(InterventionRow.id == intervention_id)
    )
    if customer is None:
        raise NotFoundError(what="intervention", key=intervention_id)
    return customer


async def load_run(session: AsyncSession, intervention_id: uuid.UUID, now: BusinessInstant) -> LoadedRun:
    """Return one run as of now. The caller holds the customer's row lock."""
    query = (
        select(InterventionRow, CustomerRow)
        .join(CustomerRow, CustomerRow.id == InterventionRow.customer_id)
        .where(InterventionRow.id == intervention_id)
    )
    run, customer = (await session.execute(query)).one()
    started = run.started_at or run.planned_at
    touched, replied = await _contacts_since(session, customer.id, started)
    holds = await _causes_hold(session, run, customer)
    tasks = await _tasks(session, intervention_id)
    view = RunView(
        intervention_id=intervention_id,
        state=run.state,
        started_at=started,
        position=Position.model_validate(run.position),
        causes_hold=holds,
        has_churned=customer.status is CustomerStatus.CHURNED,
        touched_at=touched,
        replied_at=replied,
        renewed=_has_renewed(run, customer),
        steps=await _steps(session, intervention_id),
        tasks=tasks,
        facts=_facts(customer, tasks, now, holds=holds, replied=replied is not None),
    )
    return LoadedRun(
        view,
        customer.id,
        run.version_id,
        run.playbook_key,
        run.advance_seq,
        run.last_result,
        _texts(run, customer),
        customer.csm_id,
        customer.sales_owner_id,
    )


async def _contacts_since(
    session: AsyncSession, customer_id: uuid.UUID, since: BusinessInstant
) -> tuple[BusinessInstant | None, BusinessInstant | None]:
    """Return the last two-way contact (not our own automatic mail) and the last answer since an instant."""
    mine = (TouchpointRow.customer_id == customer_id, TouchpointRow.occurred_at >= since)
    touched = select(func.max(TouchpointRow.occurred_at)).where(*mine, TouchpointRow.source_id != EVERSTAY)
    replied = select(func.max(TouchpointRow.occurred_at)).where(
        *mine, TouchpointRow.direction == Direction.IN
    )
    return await session.scalar(touched), await session.scalar(replied)


async def _causes_hold(session: AsyncSession, run: InterventionRow, customer: CustomerRow) -> bool:
    """Tell whether something that opened the run still holds: its tier, or a signal of a kind that opened it.

    By kind, not by row: a signal that comes back is a new row and the same cause.
    """
    tiers = [RiskTier(cause["tier"]) for cause in run.causes if "tier" in cause]
    kinds = {SignalKind(cause["signal"]) for cause in run.causes if "signal" in cause}
    still_open = 0
    if kinds:
        query = select(func.count()).where(
            SignalRow.customer_id == customer.id,
            SignalRow.kind.in_(kinds),
            SignalRow.state == SignalState.OPEN,
        )
        still_open = await session.scalar(query) or 0
    if not tiers:
        return still_open > 0 if kinds else True
    if customer.acted_tier is None or customer.acted_tier.rank >= tiers[0].rank:
        return not kinds or still_open > 0
    return customer.acted_tier.rank >= RiskTier.HIGH.rank and still_open > 0


def _has_renewed(run: InterventionRow, customer: CustomerRow) -> bool:
    """Tell whether the contract that the run was about has got a later date."""
    dates = [dt.date.fromisoformat(cause["renewal_on"]) for cause in run.causes if "renewal_on" in cause]
    return bool(dates) and customer.renewal_on is not None and customer.renewal_on > max(dates)


async def _steps(session: AsyncSession, intervention_id: uuid.UUID) -> tuple[StepRow, ...]:
    query = select(
        InterventionStepRow.step_id,
        InterventionStepRow.occurrence,
        InterventionStepRow.state,
        InterventionStepRow.due_at,
        InterventionStepRow.reason,
    ).where(InterventionStepRow.intervention_id == intervention_id)
    return tuple(StepRow(*row) for row in (await session.execute(query)).all())


async def _tasks(session: AsyncSession, intervention_id: uuid.UUID) -> tuple[TaskRow, ...]:
    query = (
        select(work.TaskRow.effect_key, work.TaskRow.state, work.TaskRow.outcome, work.TaskRow.closed_at)
        .where(work.TaskRow.intervention_id == intervention_id)
        .order_by(work.TaskRow.closed_at.nulls_last(), work.TaskRow.id)
    )
    return tuple(
        _task(row.effect_key, row.state, row.outcome) for row in (await session.execute(query)).all()
    )


def _task(effect_key: str, state: TaskState, outcome: TaskOutcome | None) -> TaskRow:
    _origin, step_id, occurrence, _target = effect_key.rsplit("/", 3)
    return TaskRow(step_id, int(occurrence), state in OPEN_TASKS, outcome)


def _facts(
    customer: CustomerRow, tasks: tuple[TaskRow, ...], now: BusinessInstant, *, holds: bool, replied: bool
) -> dict[str, Value]:
    """Fill the fields that conditions may speak of."""
    done = [task.outcome for task in tasks if task.outcome is not None]
    tier = customer.acted_tier
    days = (customer.renewal_on - now.date()).days if customer.renewal_on else None
    return {
        "tier": tier.value if tier else None,
        "tier_rank": tier.rank if tier else None,
        "health_score": customer.health_score,
        "health_status": customer.health_status.value if customer.health_status else None,
        "touch_tier": (customer.touch_tier_override or customer.touch_tier).value,
        "segment": customer.segment.value,
        "plan": customer.plan,
        "arr": customer.arr_minor / 100,
        "days_to_renewal": days,
        "has_owner": customer.csm_id is not None,
        "causes_open": holds,
        "replied": replied,
        "last_task_outcome": done[-1].value if done else None,
    }


def _reason(run: InterventionRow) -> str:
    """Say in words what the run is about: the families of its drivers, or its signal."""
    families = [str(cause["family"]) for cause in run.causes if "family" in cause]
    said = " and ".join(dict.fromkeys(families)) or run.reason.split(":", 1)[-1]
    return said.replace("_", " ")


def _texts(run: InterventionRow, customer: CustomerRow) -> dict[str, str]:
    """Fill the names that task and heads-up texts may use."""
    return {
        "customer": customer.name,
        "reason": _reason(run),
        "arr": f"{customer.arr_minor / 100:,.0f} {customer.currency}",
        "renewal_date": f"{customer.renewal_on:%d %B %Y}" if customer.renewal_on else "no renewal date",
        "contact": "the main contact",
    }


async def outcome_of(session: AsyncSession, intervention_id: uuid.UUID) -> Outcome | None:
    """Return how a run ended."""
    return await session.scalar(select(InterventionRow.outcome).where(InterventionRow.id == intervention_id))


async def version_of(session: AsyncSession, intervention_id: uuid.UUID) -> uuid.UUID:
    """Return which playbook version a run follows."""
    query = select(InterventionRow.version_id).where(InterventionRow.id == intervention_id)
    version: uuid.UUID = (await session.execute(query)).scalar_one()
    return version
