"""Load what the interpreter sees of one run."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import run_state
from domain.conditions import Value
from domain.errors import NotFoundError
from domain.run_state import Position, RunView, StepRow, TaskRow
from domain.time import BusinessInstant, after, start_of_day
from domain.vocabulary import CustomerDate, CustomerStatus, Direction, Outcome, TaskOutcome, TaskState
from models.causes import load_causes
from models.pauses import pauses_of, rests
from models.tables import work
from models.tables.customers import CustomerRow
from models.tables.facts import InvoiceRow, MeetingRow
from models.tables.ledger import TouchpointRow
from models.tables.playbooks import InterventionRow, InterventionStepRow

OPEN_TASKS = {TaskState.OPEN, TaskState.SNOOZED}
EVERSTAY = "everstay"
"""The source id of what we did ourselves."""
MINOR_UNITS = 100


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
    causes = await load_causes(session, run.causes, customer)
    holds = causes.hold
    tasks = await _tasks(session, intervention_id)
    is_paused, until = rests(
        await pauses_of(session, customer.id, customer.segment, now), run.playbook_key, run.id
    )
    met, paid = await _met_and_paid_since(session, customer.id, started)
    view = RunView(
        intervention_id=intervention_id,
        customer_id=customer.id,
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
        causes_are_worse=causes.are_worse,
        is_paused=is_paused,
        rests_until=until,
        touch_tier=customer.touch_tier_override or customer.touch_tier,
        expected_loss=(customer.churn_probability or 0.0) * customer.arr_minor / MINOR_UNITS,
        dates=dates_of(customer),
        time_zone=customer.time_zone,
        met_at=met,
        paid_at=paid,
        meetings=await _meetings(session, intervention_id),
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


async def _met_and_paid_since(
    session: AsyncSession, customer_id: uuid.UUID, since: BusinessInstant
) -> tuple[BusinessInstant | None, BusinessInstant | None]:
    met = select(func.max(MeetingRow.held_at)).where(
        MeetingRow.customer_id == customer_id, MeetingRow.held_at >= since
    )
    paid = select(func.max(InvoiceRow.paid_at)).where(
        InvoiceRow.customer_id == customer_id, InvoiceRow.paid_at >= since
    )
    query = select(met.scalar_subquery(), paid.scalar_subquery())
    met_at, paid_at = (await session.execute(query)).one()
    return met_at, paid_at


async def _meetings(session: AsyncSession, intervention_id: uuid.UUID) -> tuple[run_state.MeetingRow, ...]:
    """Return the meetings that this run invited to; their ids are those of the visits."""
    row = MeetingRow
    query = select(row.external_id, row.answer, row.held_at).where(
        row.source_id == EVERSTAY, row.external_id.startswith(f"{intervention_id}/", autoescape=True)
    )
    found = (await session.execute(query)).all()
    return tuple(_meeting(external_id, answer, held_at) for external_id, answer, held_at in found)


def _meeting(external_id: str, answer: str | None, held_at: BusinessInstant | None) -> run_state.MeetingRow:
    _origin, step_id, occurrence = external_id.rsplit("/", 2)
    return run_state.MeetingRow(step_id, int(occurrence), answer, held_at is not None)


def dates_of(customer: CustomerRow) -> dict[CustomerDate, BusinessInstant]:
    """Return the dates of a customer that playbooks count from, as far as they are known."""
    renewal = start_of_day(customer.renewal_on) if customer.renewal_on else None
    notice = after(renewal, -dt.timedelta(days=customer.notice_days)) if renewal else None
    known = {
        CustomerDate.RENEWAL: renewal,
        CustomerDate.NOTICE_DEADLINE: notice,
        CustomerDate.STARTED: customer.started_at,
        CustomerDate.ONBOARDED: customer.onboarded_at,
        CustomerDate.FIRST_VALUE: customer.first_value_at,
    }
    return {name: at for name, at in known.items() if at is not None}


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
    _origin, step_id, occurrence, purpose = effect_key.rsplit("/", 3)
    return TaskRow(step_id, int(occurrence), state in OPEN_TASKS, outcome, purpose)


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
        "arr": customer.arr_minor / MINOR_UNITS,
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
        "arr": f"{customer.arr_minor / MINOR_UNITS:,.0f} {customer.currency}",
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
