"""Load what the interpreter sees of one run."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import run_state
from domain.calendar import NO_DAYS
from domain.conditions import Value
from domain.dealing import Before
from domain.errors import NotFoundError
from domain.known import Facts, Known
from domain.money import whole_units
from domain.openings import customer_dates
from domain.playbook import Playbook
from domain.run_state import Position, RunView, StepRow, TaskRow
from domain.time import BusinessInstant
from domain.vocabulary import Channel, CustomerStatus, Direction, Outcome, TaskOutcome, TaskState
from models.assignments import dealt_before
from models.causes import load_causes
from models.condition_facts import load_known
from models.impact import load_shares
from models.open_hours import open_hours
from models.pauses import pauses_of, rests
from models.playbooks import PlaybookShelf
from models.run_offers import against_run_offer
from models.stored_offers import StoredOffer, usable_offer_of
from models.tables import work
from models.tables.customers import CustomerRow
from models.tables.facts import InvoiceRow, MeetingRow
from models.tables.ledger import TouchpointRow
from models.tables.playbooks import InterventionRow, InterventionStepRow

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
    playbook: Playbook
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


async def load_run(
    session: AsyncSession, intervention_id: uuid.UUID, shelf: PlaybookShelf, now: BusinessInstant
) -> LoadedRun:
    """Return one run as of now. The caller holds the customer's row lock."""
    query = (
        select(InterventionRow, CustomerRow)
        .join(CustomerRow, CustomerRow.id == InterventionRow.customer_id)
        .where(InterventionRow.id == intervention_id)
    )
    run, customer = (await session.execute(query)).one()
    playbook = await shelf.version(session, run.version_id)
    started = run.started_at or run.planned_at
    touched, replied = await _contacts_since(session, customer.id, started)
    causes = await load_causes(session, run.causes, customer)
    holds = causes.hold
    tasks = await _tasks(session, intervention_id)
    is_paused, until = rests(
        await pauses_of(session, customer.id, customer.segment, now), run.playbook_key, run.id
    )
    met, paid = await _met_and_paid_since(session, customer.id, started)
    hours = await open_hours(session, customer, now) if _asks_for_hours(playbook) else None
    shares, dealt = await _experiments(session, customer, run.playbook_key, playbook)
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
        facts=await _facts(session, customer.id, playbook, now, _own_values(tasks, replied, holds=holds)),
        causes_are_worse=causes.are_worse,
        is_paused=is_paused,
        rests_until=until,
        touch_tier=customer.touch_tier_override or customer.touch_tier,
        expected_loss=(customer.churn_probability or 0.0)
        * whole_units(customer.arr_minor, customer.currency),
        dates=customer_dates(
            customer.renewal_on,
            customer.notice_days,
            customer.started_at,
            customer.onboarded_at,
            customer.first_value_at,
        ),
        time_zone=customer.time_zone,
        days_off=hours.days_off if hours is not None else NO_DAYS,
        open_hours=hours,
        met_at=met,
        paid_at=paid,
        meetings=await _meetings(session, intervention_id),
        shares=shares,
        dealt=dealt,
        against_offer=await _against_offer(session, customer.id, playbook, now),
    )
    return LoadedRun(
        view,
        customer.id,
        run.version_id,
        run.playbook_key,
        playbook,
        run.advance_seq,
        run.last_result,
        _texts(run, customer, await usable_offer_of(session, run.id, now)),
        customer.csm_id,
        customer.sales_owner_id,
    )


async def _against_offer(
    session: AsyncSession, customer_id: uuid.UUID, playbook: Playbook, now: BusinessInstant
) -> str:
    """Return why nothing may be offered now; most playbooks offer nothing, and nothing is read."""
    if all(step.offer is None for step in playbook.steps):
        return ""
    found = await against_run_offer(session, customer_id, now)
    return found.reason if found is not None else ""


async def _experiments(
    session: AsyncSession, customer: CustomerRow, key: str, playbook: Playbook
) -> tuple[dict[str, dict[str, float]], dict[str, Before]]:
    """Return what bears on the deals of the playbook's experiments; most have none, and nothing is read."""
    experiments = [step.experiment for step in playbook.steps if step.experiment is not None]
    if not experiments:
        return {}, {}
    measured = any(one.choose == "measured" for one in experiments)
    shares = await load_shares(session, key, customer.segment) if measured else {}
    return shares, await dealt_before(session, customer.id, key)


async def _contacts_since(
    session: AsyncSession, customer_id: uuid.UUID, since: BusinessInstant
) -> tuple[BusinessInstant | None, BusinessInstant | None]:
    """Return the last two-way contact (not our own automatic mail) and the last answer since an instant."""
    mine = (TouchpointRow.customer_id == customer_id, TouchpointRow.occurred_at >= since)
    touched = select(func.max(TouchpointRow.occurred_at)).where(*mine, TouchpointRow.source_id != EVERSTAY)
    replied = select(func.max(TouchpointRow.occurred_at)).where(
        *mine, TouchpointRow.direction == Direction.IN, TouchpointRow.channel != Channel.IN_APP
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


async def _facts(
    session: AsyncSession,
    customer_id: uuid.UUID,
    playbook: Playbook,
    now: BusinessInstant,
    own: dict[str, Value],
) -> Facts:
    """Return what the conditions of the playbook ask for; most ask nothing, and nothing is read."""
    conditions = list(playbook.conditions())
    return await load_known(session, customer_id, conditions, now, own) if conditions else Known(own, now)


def _asks_for_hours(playbook: Playbook) -> bool:
    """Tell whether the playbook waits for local times, or before a message."""
    return any(
        step.wait is not None and (step.wait.until_window is not None or playbook.message_after(step))
        for step in playbook.steps
    )


def _own_values(
    tasks: tuple[TaskRow, ...], replied: BusinessInstant | None, *, holds: bool
) -> dict[str, Value]:
    """Return what a run knows of itself: the fields of conditions that have its scope."""
    done = [task.outcome for task in tasks if task.outcome is not None]
    return {
        "causes_open": holds,
        "replied": replied is not None,
        "last_task_outcome": done[-1].value if done else None,
    }


def _reason(run: InterventionRow) -> str:
    """Say in words what the run is about: the families of its drivers, or its signal."""
    families = [str(cause["family"]) for cause in run.causes if "family" in cause]
    said = " and ".join(dict.fromkeys(families)) or run.reason.split(":", 1)[-1]
    return said.replace("_", " ")


def _texts(run: InterventionRow, customer: CustomerRow, offer: StoredOffer | None) -> dict[str, str]:
    """Fill the names that task and heads-up texts may use."""
    return {
        "customer": customer.name,
        "reason": _reason(run),
        "arr": f"{whole_units(customer.arr_minor, customer.currency):,.0f} {customer.currency}",
        "renewal_date": f"{customer.renewal_on:%d %B %Y}" if customer.renewal_on else "no renewal date",
        "contact": "the main contact",
        "offer_code": (offer.code if offer is not None else None) or "no code",
    }


async def outcome_of(session: AsyncSession, intervention_id: uuid.UUID) -> Outcome | None:
    """Return how a run ended."""
    return await session.scalar(select(InterventionRow.outcome).where(InterventionRow.id == intervention_id))


async def version_of(session: AsyncSession, intervention_id: uuid.UUID) -> uuid.UUID:
    """Return which playbook version a run follows."""
    query = select(InterventionRow.version_id).where(InterventionRow.id == intervention_id)
    version: uuid.UUID = (await session.execute(query)).scalar_one()
    return version
