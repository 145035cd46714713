"""A win-back case as it is now: its letters, deeds, offers, and what the customer and our people did."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.delivery_events import DeliveryEventKind
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, StepState, TaskOutcome, TouchTier
from domain.win_back_state import GRANT, CaseOffer, Return, StepTaken, WinBackState
from models.case_steps import CaseRecord, CaseVisit, records_of
from models.cases import StoredCase
from models.offer_facts import load_offer_facts
from models.offers import offers_of
from models.opt_outs import OWN_WORDS
from models.pauses import pauses_of, rests
from models.relations import load_relations
from models.stored_offers import StoredOffer
from models.tables.cases import WinBackRow
from models.tables.customers import ConsentRow, ContactRow, CustomerRow
from models.tables.ledger import TouchpointRow
from models.tables.work import TaskRow

REACHED = frozenset({TaskOutcome.REACHED, TaskOutcome.RESOLVED})


@dataclass(frozen=True)
class Seen:
    """What the billing provider said before the case was looked at."""

    can_grant: bool = False
    used: frozenset[uuid.UUID] = frozenset()
    """Offers that the customer has used."""
    disputed_payments: int = 0


NOTHING_SEEN = Seen()


def approval_key(case_id: uuid.UUID, number: int) -> str:
    """Return the key that makes the question about an offer appear once."""
    return f"{CaseVisit(case_id, GRANT, number).origin}approval"


def talk_key(case_id: uuid.UUID) -> str:
    """Return the key that makes the task to talk to a customer appear once."""
    return f"{CaseVisit(case_id, 'talk').origin}task"


async def load_win_back(session: AsyncSession, case_id: uuid.UUID) -> WinBackRow:
    """Return what a win-back has beside its case."""
    return (await session.scalars(select(WinBackRow).where(WinBackRow.case_id == case_id))).one()


async def load_win_back_state(
    session: AsyncSession, case: StoredCase, seen: Seen, now: BusinessInstant
) -> WinBackState:
    """Return everything that bears on what comes next. The caller holds the customer's lock."""
    customer = (
        await session.execute(select(CustomerRow).where(CustomerRow.id == case.customer_id))
    ).scalar_one()
    row = await load_win_back(session, case.id)
    records = await records_of(session, case.id)
    tasks = await _tasks(session, case.id)
    pauses = await pauses_of(session, customer.id, customer.segment, now)
    is_resting, rests_until = rests(pauses, case.kind.value, case.id)
    offers = await offers_of(session, case.id)
    disputed = seen.disputed_payments
    facts = await load_offer_facts(session, case, row, disputed) if seen.can_grant else None
    talk = tasks.get(talk_key(case.id))
    return WinBackState(
        cancelled_at=row.cancelled_at,
        time_zone=customer.time_zone,
        is_held_out=row.is_held_out,
        by_person=(customer.touch_tier_override or customer.touch_tier) is TouchTier.STRATEGIC,
        has_task=talk is not None,
        silent=await _silent(session, case, customer.do_not_contact),
        rests=is_resting,
        rests_until=rests_until,
        returned=await _returned(session, customer, row.cancelled_at, now),
        steps={key: _taken(one) for key, one in records.items()},
        offers=_case_offers(case.id, offers, tasks, seen.used),
        touched_at=_touched_at(records, talk),
        facts=facts,
    )


def _taken(record: CaseRecord) -> StepTaken:
    return StepTaken(record.state, record.due_at, record.finished_at)


def _case_offers(
    case_id: uuid.UUID,
    offers: Sequence[StoredOffer],
    tasks: Mapping[str, TaskRow],
    used: Collection[uuid.UUID],
) -> tuple[CaseOffer, ...]:
    return tuple(
        CaseOffer(
            id=one.id,
            number=number,
            state=one.state,
            is_agreed=one.decided_at is not None,
            expires_at=one.expires_at,
            answer=question.outcome if (question := tasks.get(approval_key(case_id, number))) else None,
            is_used=one.id in used,
        )
        for number, one in enumerate(offers, start=1)
    )


def _touched_at(
    records: Mapping[tuple[str, int], CaseRecord], talk: TaskRow | None
) -> BusinessInstant | None:
    """Return when a letter was last handed over, or somebody of ours reached them."""
    letters = [
        one.finished_at for one in records.values() if one.kind == "letter" and one.state is StepState.DONE
    ]
    if talk is not None and talk.outcome in REACHED:
        letters.append(talk.closed_at)
    return max((at for at in letters if at is not None), default=None)


async def _tasks(session: AsyncSession, case_id: uuid.UUID) -> dict[str, TaskRow]:
    found = await session.scalars(select(TaskRow).where(TaskRow.case_id == case_id))
    return {one.effect_key: one for one in found}


async def _silent(session: AsyncSession, case: StoredCase, do_not_contact: bool) -> str:  # noqa: FBT001  a column
    """Say why nobody may be written to; who says no to one of the letters says it for the whole case."""
    if do_not_contact:
        return "they asked not to be contacted"
    point, consent = TouchpointRow, ConsentRow
    written_to = select(point.contact_id).where(point.case_id == case.id, point.contact_id.is_not(None))
    spam = exists().where(
        ContactRow.id.in_(written_to), ContactRow.suppressed_reason == DeliveryEventKind.REPORTED_SPAM.value
    )
    if await session.scalar(select(spam)):
        return "one of the letters was reported as spam"
    refused = exists().where(
        consent.contact_id.in_(written_to),
        consent.granted.is_(False),
        consent.origin.in_(OWN_WORDS),
        consent.occurred_at >= case.opened_at,
    )
    return "they opted out of such mail" if await session.scalar(select(refused)) else ""


async def _returned(
    session: AsyncSession, customer: CustomerRow, cancelled_at: BusinessInstant, now: BusinessInstant
) -> Return | None:
    """Return since when a former customer is one again: as terms and facts say, else since now."""
    if customer.status is CustomerStatus.CHURNED:
        return None
    relation = (await load_relations(session, {customer.id}))[customer.id]
    told = [one.occurred_at for one in relation.departures if one.reactivated]
    begun = [term.started_at for term in relation.terms]
    back = min((at for at in [*told, *begun] if cancelled_at < at <= now), default=now)
    return Return(back, customer.arr_minor)
