"""A dry run for a chosen customer: a run is written, read as every run is, and rolled back."""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.calendar import zone
from domain.contact_slots import ContactBudget, Spent
from domain.dry_run import Ask, Assumptions, Event, dry_run
from domain.errors import NotFoundError
from domain.guard import ProposedSend, Verdict, may_send
from domain.known import Facts
from domain.playbook import Playbook
from domain.playbook_contacts import ScheduleMeeting, SendEmail
from domain.time import BusinessInstant
from domain.vocabulary import InterventionState
from models.addressees import Addressee, choose_addressee
from models.contact_policy import load_contact_policy
from models.contact_spending import spent_lately
from models.playbooks import PlaybookShelf
from models.runs import load_run
from models.tables.customers import CustomerRow
from models.tables.playbooks import InterventionRow, PlaybookRow, PlaybookVersionRow


@dataclass(frozen=True)
class DryRun:
    """The story, where the customer is, and what speaks against opening such a run at all."""

    customer_id: uuid.UUID
    customer: str
    zone: ZoneInfo
    events: tuple[Event, ...]
    remarks: tuple[str, ...]

    def local(self, event: Event) -> str:
        """Return when an event is, where the customer is."""
        return f"{event.at.astimezone(self.zone):%a %d %b %Y, %H:%M}"


async def try_out(
    session: AsyncSession,
    document: Playbook,
    customer_id: uuid.UUID,
    assumed: Assumptions,
    now: BusinessInstant,
) -> DryRun:
    """Return what would happen if a run of this document opened for this customer now.

    Nothing is left of it: what has to be written to be read is rolled back.
    """
    customer = await session.get(CustomerRow, customer_id)
    if customer is None:
        raise NotFoundError(what="customer", key=customer_id)
    async with session.begin_nested() as trial:
        run_id = await write_trial(session, document, customer_id, now)
        loaded = await load_run(session, run_id, PlaybookShelf(), now)
        people = await _people(session, document, customer, now)
        await trial.rollback()
    budget = (await load_contact_policy(session)).budget
    earlier = await spent_lately(session, customer_id, now)
    ask = _guard(document, customer, people, budget, earlier, now)
    events = dry_run(loaded.view, document, loaded.texts, now, assumed, ask)
    remarks = await _remarks(session, document, customer, loaded.view.facts)
    return DryRun(customer_id, customer.name, zone(customer.time_zone), events, remarks)


async def write_trial(
    session: AsyncSession, document: Playbook, customer_id: uuid.UUID, now: BusinessInstant
) -> uuid.UUID:
    """Write a run of a document to be read as every run is; the caller rolls it back."""
    values = {"key": document.key, "name": document.name, "motion": document.motion, "current_version": 0}
    await session.execute(upsert(PlaybookRow).values(values).on_conflict_do_nothing())
    version_id, run_id = uuid.uuid4(), uuid.uuid4()
    await session.execute(
        insert(PlaybookVersionRow).values(
            id=version_id,
            playbook_key=document.key,
            version=-1 - secrets.randbelow(2**31),
            document=document.model_dump(mode="json", by_alias=True),
            content_hash="",
            published_at=now,
        )
    )
    await session.execute(
        insert(InterventionRow).values(
            id=run_id,
            customer_id=customer_id,
            playbook_key=document.key,
            version_id=version_id,
            reason=f"dry_run:{run_id}",
            causes=[],
            state=InterventionState.RUNNING,
            position={},
            planned_at=now,
            started_at=now,
        )
    )
    return run_id


People = Mapping[str, tuple[SendEmail | ScheduleMeeting, Addressee | None]]


async def _people(
    session: AsyncSession, document: Playbook, customer: CustomerRow, now: BusinessInstant
) -> People:
    """Return who each message would go to, as things are now."""
    found: dict[str, tuple[SendEmail | ScheduleMeeting, Addressee | None]] = {}
    for step in document.steps:
        order = step.send_email or step.schedule_meeting
        if order is not None:
            meant = await choose_addressee(
                session, customer, order, order.purpose, [], now, document.motion.value
            )
            found[step.id] = order, meant
    return found


def _guard(
    document: Playbook,
    customer: CustomerRow,
    people: People,
    budget: ContactBudget,
    earlier: tuple[Spent, ...],
    began: BusinessInstant,
) -> Ask:
    """Return the guard's answer for a step, as if the playbook were released and effects were on."""
    asked: dict[tuple[str, int], BusinessInstant] = {}
    topic = document.motion.value

    def ask(step_id: str, sent: tuple[BusinessInstant, ...], now: BusinessInstant) -> tuple[Verdict, str]:
        order, addressee = people[step_id]
        first = asked.setdefault((step_id, len(sent)), max(now, began))
        proposed = ProposedSend(
            purpose=order.purpose,
            recipient=addressee[1] if addressee else None,
            still_wanted=True,
            effects_stopped=False,
            released=True,
            do_not_contact=customer.do_not_contact,
            holdout=customer.holdout and document.holdout,
            touch_tier=customer.touch_tier_override or customer.touch_tier,
            first_asked_at=first,
            spent=(*earlier, *(Spent(at, topic=topic) for at in sent)),
            topic=topic,
        )
        return may_send(proposed, budget, now), addressee[0].name if addressee else "nobody"

    return ask


async def _remarks(
    session: AsyncSession, document: Playbook, customer: CustomerRow, facts: Facts
) -> tuple[str, ...]:
    """Return what would keep such a run from opening, or from acting."""
    tier = customer.touch_tier_override or customer.touch_tier
    released = await session.scalar(select(PlaybookRow.released_at).where(PlaybookRow.key == document.key))
    said = {
        f"The playbook is not for {tier.value.replace('_', ' ')} customers.": tier not in document.audience,
        "Its condition only_if does not hold for this customer now.": (
            document.only_if is not None and not document.only_if.holds(facts)
        ),
        "The customer belongs to the holdout and would get no run.": customer.holdout and document.holdout,
        "The playbook is not released: a run would only be planned.": released is None,
        f"It needs {', '.join(document.requires)}, which must be connected.": bool(document.requires),
    }
    return tuple(sentence for sentence, holds in said.items() if holds)
