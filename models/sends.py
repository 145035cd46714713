"""Load what bears on one message: its run, its recipient, its sender, and what was sent lately."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.guard import ProposedSend
from domain.playbook_contacts import ScheduleMeeting, SendEmail
from domain.run_state import Position
from domain.time import BusinessInstant
from domain.vocabulary import (
    Channel,
    Direction,
    InterventionState,
    Purpose,
    TouchTier,
)
from models.addressees import NOT_SENT, Person, choose_addressee
from models.installation import load_installation
from models.pauses import pauses_of, rests
from models.runs import EVERSTAY
from models.tables.customers import CustomerRow
from models.tables.facts import TicketRow
from models.tables.ledger import TouchpointRow
from models.tables.people import UserRow
from models.tables.playbooks import InterventionRow, InterventionStepRow, PlaybookRow


@dataclass(frozen=True)
class SendContext:
    """One message: what the guard asks, and what the template says."""

    proposed: ProposedSend
    person: Person | None
    customer_id: uuid.UUID
    playbook_key: str
    touch_tier: TouchTier
    csm_id: uuid.UUID | None
    values: dict[str, Any]
    """Context of the template, without links."""
    reply_to: str | None


async def load_send(
    session: AsyncSession,
    intervention_id: uuid.UUID,
    step_id: str,
    occurrence: int,
    order: SendEmail | ScheduleMeeting,
    now: BusinessInstant,
    *,
    withheld_from_holdout: bool,
) -> SendContext:
    """Return everything about one message. The caller holds the customer's row lock."""
    run = (
        await session.execute(select(InterventionRow).where(InterventionRow.id == intervention_id))
    ).scalar_one()
    customer = (
        await session.execute(select(CustomerRow).where(CustomerRow.id == run.customer_id))
    ).scalar_one()
    earlier = _earlier_visits(run, step_id, occurrence)
    recipient = await choose_addressee(session, customer, order, order.purpose, earlier, now)
    installation = await load_installation(session)
    released = await session.scalar(
        select(PlaybookRow.released_at).where(PlaybookRow.key == run.playbook_key)
    )
    step = await _step(session, intervention_id, step_id, occurrence)
    proposed = ProposedSend(
        purpose=order.purpose,
        recipient=recipient[1] if recipient else None,
        still_wanted=run.state is InterventionState.RUNNING and run.position.get("step") == step_id,
        effects_stopped=installation.effects_stopped_at is not None,
        released=released is not None,
        do_not_contact=customer.do_not_contact,
        holdout=customer.holdout and withheld_from_holdout,
        touch_tier=customer.touch_tier_override or customer.touch_tier,
        first_asked_at=step or run.planned_at,
        sent_at=await _sent_lately(session, customer.id, f"{intervention_id}/{step_id}/{occurrence}/"),
        is_paused=rests(
            await pauses_of(session, customer.id, customer.segment, now), run.playbook_key, run.id
        )[0],
    )
    sender = await _sender(session, customer.csm_id)
    values = _values(customer, recipient[0] if recipient else None, sender, installation.product_name)
    values["evidence"] = await _evidence(session, customer)
    return SendContext(
        proposed,
        recipient[0] if recipient else None,
        customer.id,
        run.playbook_key,
        proposed.touch_tier,
        customer.csm_id,
        values,
        sender["email"] if sender else None,
    )


async def _step(
    session: AsyncSession, intervention_id: uuid.UUID, step_id: str, occurrence: int
) -> BusinessInstant | None:
    """Return when this visit of the step began to ask."""
    return await session.scalar(
        select(InterventionStepRow.started_at).where(
            InterventionStepRow.intervention_id == intervention_id,
            InterventionStepRow.step_id == step_id,
            InterventionStepRow.occurrence == occurrence,
        )
    )


def _earlier_visits(run: InterventionRow, step_id: str, occurrence: int) -> list[str]:
    """Return how the effect keys begin of the people whom this step was for just before."""
    position = Position.model_validate(run.position)
    before = position.reached_here if position.step == step_id else 0
    return [f"{run.id}/{step_id}/{occurrence - back}/" for back in range(1, before + 1)]


async def _sent_lately(
    session: AsyncSession, customer_id: uuid.UUID, own: str
) -> tuple[BusinessInstant, ...]:
    """Return when other non-transactional mail went to this customer, newest first: claimed counts as sent.

    Marketing that other systems sent counts like ours; what our people write by hand does not.
    `own` begins the keys of the message in question: an earlier attempt at it is no other message.
    """
    other = TouchpointRow.effect_key.is_(None) | ~TouchpointRow.effect_key.startswith(own, autoescape=True)
    query = (
        select(TouchpointRow.occurred_at)
        .where(
            TouchpointRow.customer_id == customer_id,
            TouchpointRow.direction == Direction.OUT,
            TouchpointRow.channel == Channel.EMAIL,
            TouchpointRow.purpose != Purpose.TRANSACTIONAL,
            TouchpointRow.state.not_in(NOT_SENT),
            (TouchpointRow.source_id == EVERSTAY) | (TouchpointRow.purpose == Purpose.MARKETING),
            other,
        )
        .order_by(TouchpointRow.occurred_at.desc())
        .limit(20)
    )
    return tuple((await session.scalars(query)).all())


async def _sender(session: AsyncSession, csm_id: uuid.UUID | None) -> dict[str, str] | None:
    if csm_id is None:
        return None
    row = (
        await session.execute(select(UserRow.name, UserRow.email, UserRow.title).where(UserRow.id == csm_id))
    ).one()
    return {"name": row.name, "email": row.email, "title": row.title}


def _values(
    customer: CustomerRow, person: Person | None, sender: dict[str, str] | None, product_name: str
) -> dict[str, Any]:
    """Return the template's context, without what is looked up."""
    name = person.name if person else ""
    return {
        "customer": {
            "name": customer.name,
            "plan": customer.plan or "",
            "segment": customer.segment.value.replace("_", "-"),
        },
        "contact": {
            "first_name": name.split()[0] if name else "",
            "name": name,
            "email": person.email if person else "",
        },
        "sender": sender or {"name": f"The {product_name} team", "email": "", "title": ""},
        "product_name": product_name,
    }


async def _evidence(session: AsyncSession, customer: CustomerRow) -> dict[str, str]:
    """Return the sentences that templates may quote; what we cannot say is left out."""
    open_tickets = await session.scalar(
        select(func.count()).where(TicketRow.customer_id == customer.id, TicketRow.resolved_at.is_(None))
    )
    said: dict[str, str] = {}
    if customer.renewal_on is not None:
        said["renewal"] = f"Your agreement renews on {_long(customer.renewal_on)}."
    if open_tickets:
        requests = "One of your requests is" if open_tickets == 1 else f"{open_tickets} of your requests are"
        said["tickets"] = f"{requests} still open with our support team."
    return said


def _long(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"
