"""Load what bears on one message: its run, its recipient, its sender, and what was sent lately."""

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact_policy import ContactPolicy
from domain.guard import ProposedSend, Recipient
from domain.invitations import PlannedMeeting
from domain.playbook import Playbook
from domain.playbook_contacts import ScheduleMeeting, SendEmail
from domain.run_state import Position
from domain.time import BusinessInstant
from domain.uplift import uplift_of
from domain.vocabulary import GOING_ON, TouchTier
from domain.worth import Stake, worth_of
from models.addressees import Person, choose_addressee
from models.contact_spending import spent_lately
from models.days_off import days_off
from models.installation import load_installation
from models.pauses import pauses_of, rests
from models.step_visits import Visit, is_row_of
from models.stored_offers import told_of, usable_offer_of
from models.tables.customers import CustomerRow
from models.tables.facts import TicketRow
from models.tables.people import UserRow
from models.tables.playbooks import InterventionRow, InterventionStepRow, PlaybookRow
from models.uplifts import load_uplifts


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
    meeting: PlannedMeeting | None = None
    """What the message invites to, from the claim on."""
    page_of: uuid.UUID | None = None
    """The case to whose page at ours it leads."""


async def load_send(
    session: AsyncSession,
    visit: Visit,
    playbook: Playbook,
    policy: ContactPolicy,
    now: BusinessInstant,
) -> SendContext:
    """Return everything about one message but others' slots. The caller holds the customer's row lock."""
    intervention_id, step_id, order = visit.intervention_id, visit.step_id, order_of(playbook, visit)
    run = (
        await session.execute(select(InterventionRow).where(InterventionRow.id == intervention_id))
    ).scalar_one()
    customer = (
        await session.execute(select(CustomerRow).where(CustomerRow.id == run.customer_id))
    ).scalar_one()
    earlier = _earlier_visits(run, step_id, visit.occurrence)
    topic = playbook.motion.value
    recipient = await choose_addressee(session, customer, order, order.purpose, earlier, now, topic)
    installation = await load_installation(session)
    released = await session.scalar(
        select(PlaybookRow.released_at).where(PlaybookRow.key == run.playbook_key)
    )
    person = with_days_off(recipient[1], policy, customer.country, now) if recipient else None
    asked_at = await _step(session, visit) or run.planned_at
    stake = Stake(customer.arr_minor, customer.currency, customer.churn_probability)
    proposed = ProposedSend(
        purpose=order.purpose,
        recipient=person,
        still_wanted=run.state in GOING_ON and run.position.get("step") == step_id,
        effects_stopped=installation.effects_stopped_at is not None,
        released=released is not None,
        do_not_contact=customer.do_not_contact,
        holdout=customer.holdout and playbook.holdout,
        touch_tier=customer.touch_tier_override or customer.touch_tier,
        first_asked_at=asked_at,
        spent=await spent_lately(session, customer.id, now, except_for=visit.origin),
        key=visit.origin,
        worth=worth_of(stake, uplift_of(playbook, customer.segment, await load_uplifts(session))),
        topic=topic,
        useful_until=_useful_until(run, playbook, order, asked_at),
        is_paused=await _rests(session, run, customer, now),
    )
    sender = await sender_of(session, customer.csm_id)
    values = letter_values(customer, recipient[0] if recipient else None, sender, installation.product_name)
    values["evidence"] = await evidence_of(session, customer)
    values["offer"] = told_of(await usable_offer_of(session, run.id, now), customer.name)
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


Order = SendEmail | ScheduleMeeting
"""What a step says that sends a message."""


def order_of(playbook: Playbook, visit: Visit) -> Order:
    """Return what a sending step says."""
    step = playbook.step(visit.step_id)
    order = step.send_email or step.schedule_meeting
    assert order is not None  # noqa: S101 - the interpreter asks for sending steps only
    return order


async def _rests(
    session: AsyncSession, run: InterventionRow, customer: CustomerRow, now: BusinessInstant
) -> bool:
    pauses = await pauses_of(session, customer.id, customer.segment, now)
    return rests(pauses, run.playbook_key, run.id)[0]


def _useful_until(
    run: InterventionRow, playbook: Playbook, order: Order, asked_at: BusinessInstant
) -> BusinessInstant:
    """Return when the message has lost its use: with its run's window, or by what its step says itself."""
    rested = Position.model_validate(run.position).paused_for
    ends = BusinessInstant((run.started_at or run.planned_at) + playbook.goal.window + rested)
    return ends if order.useful_for is None else min(ends, BusinessInstant(asked_at + order.useful_for))


def with_days_off(
    recipient: Recipient, policy: ContactPolicy, country: str | None, now: BusinessInstant
) -> Recipient:
    """Return a recipient with the days on which nobody writes to them."""
    return replace(recipient, days_off=days_off(policy, country, now))


async def _step(session: AsyncSession, visit: Visit) -> BusinessInstant | None:
    """Return when this visit of the step began to ask."""
    return await session.scalar(select(InterventionStepRow.started_at).where(is_row_of(visit)))


def _earlier_visits(run: InterventionRow, step_id: str, occurrence: int) -> list[str]:
    """Return how the effect keys begin of the people whom this step was for just before."""
    position = Position.model_validate(run.position)
    before = position.reached_here if position.step == step_id else 0
    return [f"{run.id}/{step_id}/{occurrence - back}/" for back in range(1, before + 1)]


async def sender_of(session: AsyncSession, csm_id: uuid.UUID | None) -> dict[str, str] | None:
    """Return who of ours writes to the customer, None where nobody looks after it."""
    if csm_id is None:
        return None
    row = (
        await session.execute(select(UserRow.name, UserRow.email, UserRow.title).where(UserRow.id == csm_id))
    ).one()
    return {"name": row.name, "email": row.email, "title": row.title}


def letter_values(
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


async def evidence_of(session: AsyncSession, customer: CustomerRow) -> dict[str, str]:
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
