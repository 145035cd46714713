"""Slots in the contact budget: held by messages that wait, taken by worthier ones. Under the row lock."""

import uuid
from datetime import timedelta

from sqlalchemy import Delete, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact_policy import ContactPolicy
from domain.contact_slots import Ask, Move, Reservation
from domain.guard import Defer, gave_way
from domain.time import BusinessInstant
from domain.uplift import Uplifts, declared_uplift, measured
from domain.vocabulary import DecisionKind, InterventionState, StepState
from domain.worth import Stake, worth_of
from models.days_off import days_off
from models.decisions import Decision, record_decisions
from models.step_visits import Visit, is_row_of
from models.tables.customers import ContactRow, CustomerRow
from models.tables.playbooks import InterventionRow, InterventionStepRow, PlaybookVersionRow
from models.tables.reservations import ContactReservationRow
from models.uplifts import load_uplifts

HELD_AFTER_SLOT = timedelta(hours=4)
"""How long a slot is kept for a run that does not come: then it stands in nobody's way."""


async def load_reservations(
    session: AsyncSession, customer_id: uuid.UUID, policy: ContactPolicy, now: BusinessInstant
) -> tuple[Reservation, ...]:
    """Return the slots that are held at this customer, by the worth of today.

    One whose run has ended, rests or has moved on holds nothing: its step says so.
    """
    row, step = ContactReservationRow, InterventionStepRow
    query = (
        select(
            row,
            CustomerRow,
            ContactRow.time_zone,
            InterventionRow.playbook_key,
            PlaybookVersionRow.document["assumed_uplift"].as_float().label("assumed"),
        )
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .join(InterventionRow, InterventionRow.id == row.intervention_id)
        .join(
            step,
            (step.intervention_id == row.intervention_id)
            & (step.step_id == row.step_id)
            & (step.occurrence == row.occurrence),
        )
        .join(PlaybookVersionRow, PlaybookVersionRow.id == InterventionRow.version_id)
        .outerjoin(ContactRow, ContactRow.id == row.contact_id)
        .where(
            row.customer_id == customer_id,
            row.expires_at > now,
            InterventionRow.state == InterventionState.RUNNING,
            step.state == StepState.DEFERRED,
        )
        .order_by(row.slot_at, row.intervention_id)
    )
    found = (await session.execute(query)).all()
    uplifts = await load_uplifts(session) if found else {}
    return tuple(
        Reservation(
            _ask(held, customer, time_zone, policy, now, _uplift(held, customer, key, assumed, uplifts)),
            held.slot_at,
        )
        for held, customer, time_zone, key, assumed in found
    )


def _uplift(
    row: ContactReservationRow, customer: CustomerRow, key: str, assumed: float | None, uplifts: Uplifts
) -> float:
    known = measured(key, customer.segment, uplifts)
    return known.value if known is not None else declared_uplift(row.priority, assumed)


def _ask(
    row: ContactReservationRow,
    customer: CustomerRow,
    time_zone: str | None,
    policy: ContactPolicy,
    now: BusinessInstant,
    uplift: float,
) -> Ask:
    stake = Stake(customer.arr_minor, customer.currency, customer.churn_probability)
    return Ask(
        key=visit_of(row).origin,
        worth=worth_of(stake, uplift),
        asked_at=row.asked_at,
        latest=row.latest_at,
        person=str(row.contact_id) if row.contact_id else "",
        time_zone=time_zone or customer.time_zone,
        days_off=days_off(policy, customer.country, now),
        channel=row.channel,
        topic=row.topic,
    )


def visit_of(row: ContactReservationRow) -> Visit:
    """Return which visit holds it."""
    return Visit(row.intervention_id, row.step_id, row.occurrence)


async def reserve(
    session: AsyncSession,
    visit: Visit,
    customer_id: uuid.UUID,
    ask: Ask,
    priority: int,
    slot: BusinessInstant,
    now: BusinessInstant,
) -> None:
    """Hold the slot for this visit, in place of the one that it held."""
    values = {
        "customer_id": customer_id,
        "contact_id": uuid.UUID(ask.person) if ask.person else None,
        "channel": ask.channel,
        "topic": ask.topic,
        "priority": priority,
        "worth": ask.worth,
        "asked_at": ask.asked_at,
        "slot_at": slot,
        "latest_at": ask.latest,
        "expires_at": slot + HELD_AFTER_SLOT,
    }
    keys = vars(visit)
    statement = upsert(ContactReservationRow).values(**keys, **values)
    await session.execute(_expired(customer_id, now))
    await session.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=values))


def _expired(customer_id: uuid.UUID, now: BusinessInstant) -> Delete:
    """Drop what nobody came for; a run that does come asks anew."""
    row = ContactReservationRow
    return delete(row).where(row.customer_id == customer_id, row.expires_at <= now)


async def give_up_slot(session: AsyncSession, visit: Visit) -> None:
    """Hold nothing any more: the message is claimed, or will never be."""
    row = ContactReservationRow
    await session.execute(
        delete(row).where(
            row.intervention_id == visit.intervention_id,
            row.step_id == visit.step_id,
            row.occurrence == visit.occurrence,
        )
    )


async def displace(
    session: AsyncSession, customer_id: uuid.UUID, move: Move, by: str, now: BusinessInstant
) -> None:
    """Give a message that lost its slot the next one, or refuse it; either way its ledger says who took it.

    Its run sleeps until the old time, asks then, and finds the new one: nobody has to be woken.
    """
    visit, verdict = _visit(move.reservation.ask.key), gave_way(move)
    if isinstance(verdict, Defer):
        await _move_slot(session, visit, verdict.until)
        become = {"state": StepState.DEFERRED, "due_at": verdict.until}
        kind = DecisionKind.DEFERRAL
        sentence = f"Put off until {verdict.until:%d %B %Y %H:%M} UTC: {by} is worth more and took its place."
    else:
        await give_up_slot(session, visit)
        become = {"state": StepState.SKIPPED, "due_at": None, "finished_at": now}
        kind = DecisionKind.REFUSAL
        sentence = f"Not sent: {by} took its place, and no other is left while it is of use."
    step = InterventionStepRow
    await session.execute(update(step).where(is_row_of(visit)).values(reason=verdict.reason, **become))
    playbook = await session.scalar(
        select(InterventionRow.playbook_key).where(InterventionRow.id == visit.intervention_id)
    )
    evidence = {
        "step": visit.step_id,
        "occurrence": visit.occurrence,
        "worth": move.reservation.ask.worth,
        "slot": move.reservation.slot.isoformat(),
    }
    decision = Decision(
        customer_id,
        kind,
        "send_email",
        str(playbook),
        verdict.reason,
        sentence,
        evidence,
        visit.intervention_id,
    )
    await record_decisions(session, [decision], now)


async def _move_slot(session: AsyncSession, visit: Visit, slot: BusinessInstant) -> None:
    row = ContactReservationRow
    await session.execute(
        update(row)
        .where(
            row.intervention_id == visit.intervention_id,
            row.step_id == visit.step_id,
            row.occurrence == visit.occurrence,
        )
        .values(slot_at=slot, expires_at=slot + HELD_AFTER_SLOT, displaced=row.displaced + 1)
    )


def _visit(key: str) -> Visit:
    """Return the visit that an ask's key names."""
    run, step_id, occurrence, _ = key.rsplit("/", 3)
    return Visit(uuid.UUID(run), step_id, int(occurrence))
