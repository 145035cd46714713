"""A customer's contact budget as people see it: what is left, what is planned, what was refused and why."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact_policy import ContactPolicy
from domain.contact_slots import DAY, WEEK, Spent
from domain.time import BusinessInstant
from domain.vocabulary import Channel, DecisionKind, InterventionState, StepState
from models.contact_policy import load_contact_policy
from models.contact_spending import spent_lately
from models.tables.customers import ContactRow
from models.tables.ledger import DecisionRow
from models.tables.playbooks import InterventionRow, InterventionStepRow, PlaybookRow
from models.tables.reservations import ContactReservationRow

REFUSED_WITHIN = dt.timedelta(days=30)
MOST_REFUSED = 10


@dataclass(frozen=True)
class Allowance:
    """One cap of the customer's: how much of it was spent, and how much is held by what waits."""

    channel: Channel
    hours: int
    most: int
    spent: int
    planned: int

    @property
    def left(self) -> int:
        """What may still go out in these hours, counted back from now, if nothing that waits is let go."""
        return max(0, self.most - self.spent)


@dataclass(frozen=True)
class PlannedContact:
    """A message that waits for its time."""

    intervention_id: uuid.UUID
    playbook: str
    step_id: str
    contact: str | None
    until: BusinessInstant | None
    reason: str
    worth: float | None
    """Only what holds a slot has one; the others wait for a person."""
    times_displaced: int


@dataclass(frozen=True)
class RefusedContact:
    """A message that will not go out."""

    intervention_id: uuid.UUID | None
    playbook: str
    at: BusinessInstant
    reason: str
    sentence: str


@dataclass(frozen=True)
class ContactBudgetView:
    """Everything about it at one instant."""

    allowances: tuple[Allowance, ...]
    planned: tuple[PlannedContact, ...]
    refused: tuple[RefusedContact, ...]
    last_at: BusinessInstant | None
    """When the last message that counts went out, of the last seven days."""


async def load_contact_budget(
    session: AsyncSession, customer_id: uuid.UUID, now: BusinessInstant
) -> ContactBudgetView:
    """Return what is left, planned and refused for one customer."""
    policy = await load_contact_policy(session)
    spent = await spent_lately(session, customer_id, now)
    planned = await _planned(session, customer_id)
    return ContactBudgetView(
        _allowances(policy, spent, [each for _, each in planned], now),
        tuple(each for each, _ in planned),
        await _refused(session, customer_id, now),
        spent[0].at if spent else None,
    )


def _allowances(
    policy: ContactPolicy,
    spent: Iterable[Spent],
    slots: Iterable[BusinessInstant | None],
    now: BusinessInstant,
) -> tuple[Allowance, ...]:
    budget, past, coming = policy.budget, list(spent), [slot for slot in slots if slot is not None]
    return tuple(
        Allowance(
            Channel.EMAIL,
            span // dt.timedelta(hours=1),
            most,
            sum(one.at > now - span for one in past),
            sum(at <= now + span for at in coming),
        )
        for span, most in ((DAY, budget.per_day), (WEEK, budget.per_week))
    )


async def _planned(
    session: AsyncSession, customer_id: uuid.UUID
) -> list[tuple[PlannedContact, BusinessInstant | None]]:
    """Return what is deferred in runs that go on, soonest first, with the slot that it holds."""
    step, run, held = InterventionStepRow, InterventionRow, ContactReservationRow
    same = (
        (held.intervention_id == step.intervention_id)
        & (held.step_id == step.step_id)
        & (held.occurrence == step.occurrence)
    )
    query = (
        select(run.id, PlaybookRow.name, step.step_id, ContactRow.name, step.due_at, step.reason)
        .add_columns(held.worth, held.displaced, held.slot_at)
        .join(run, run.id == step.intervention_id)
        .join(PlaybookRow, PlaybookRow.key == run.playbook_key)
        .outerjoin(held, same)
        .outerjoin(ContactRow, ContactRow.id == held.contact_id)
        .where(
            run.customer_id == customer_id,
            run.state != InterventionState.ENDED,
            step.state == StepState.DEFERRED,
        )
        .order_by(step.due_at, step.id)
    )
    return [
        (
            PlannedContact(run_id, name, step_id, contact, due, reason or "", worth, displaced or 0),
            slot,
        )
        for run_id, name, step_id, contact, due, reason, worth, displaced, slot in (
            await session.execute(query)
        )
    ]


async def _refused(
    session: AsyncSession, customer_id: uuid.UUID, now: BusinessInstant
) -> tuple[RefusedContact, ...]:
    row = DecisionRow
    query = (
        select(row.intervention_id, PlaybookRow.name, row.subject, row.decided_at, row.reason, row.sentence)
        .outerjoin(PlaybookRow, PlaybookRow.key == row.subject)
        .where(
            row.customer_id == customer_id,
            row.kind == DecisionKind.REFUSAL,
            row.action == "send_email",
            row.decided_at > now - REFUSED_WITHIN,
        )
        .order_by(row.decided_at.desc(), row.id)
        .limit(MOST_REFUSED)
    )
    return tuple(
        RefusedContact(run_id, name or subject, at, reason, sentence)
        for run_id, name, subject, at, reason, sentence in await session.execute(query)
    )
