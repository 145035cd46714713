"""What a look at a win-back case changes: its offers, the questions to our people, and its label."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.money import say_money
from domain.time import BusinessInstant, after
from domain.vocabulary import DecisionKind, Severity, TaskOutcome, TaskState
from domain.win_back_policy import KEY
from domain.win_back_state import GRANT, Ending, WinBackDecision, WinBackState
from models.case_steps import CaseVisit
from models.cases import CaseEnding, CaseProgress, CaseStep, StoredCase
from models.decisions import Decision, record_decisions
from models.heads_up_owners import owner_of_warning
from models.offers import agree, offers_of, propose
from models.stored_offers import move_offer
from models.tables.cases import WinBackRow
from models.tables.customers import CustomerRow
from models.tables.people import UserRow
from models.tables.work import TaskRow
from models.win_back_state import approval_key, talk_key

TALK_WITHIN_DAYS = 2


def _moved(state: WinBackState, decision: WinBackDecision) -> Mapping[uuid.UUID, int]:
    """Return the offers that are over or refused now, with their numbers."""
    return {one.id: one.number for one in state.offers if one.id in decision.offer_states}


async def write_decision(
    session: AsyncSession,
    case: StoredCase,
    state: WinBackState,
    decision: WinBackDecision,
    now: BusinessInstant,
) -> None:
    """Write what a decision changes beside the case: its offers, its questions, and its label."""
    for offer_id, number in _moved(state, decision).items():
        await move_offer(session, offer_id, decision.offer_states[offer_id], now)
        await _close_question(session, case, number, now)
    if decision.proposal is not None:
        await _propose(session, case, len(state.offers) + 1, decision, now)
    if decision.asks_person:
        await _ask_to_talk(session, case, now)
    if decision.no_offer is not None:
        await _record_no_offer(session, case, decision, now)
    if state.returned is not None or decision.ending is not None:
        await _label(session, case, state, decision.ending)


async def _propose(
    session: AsyncSession, case: StoredCase, number: int, decision: WinBackDecision, now: BusinessInstant
) -> None:
    """Write an offer; above the limit a person is asked, with everything that it was chosen by."""
    offer = decision.proposal
    assert offer is not None  # noqa: S101 - the caller asked
    await propose(
        session, case.customer_id, CaseVisit(case.id, GRANT, number), offer, decision.decide_by, now
    )
    if decision.decide_by is None:
        return
    facts = "\n".join(f"- {name}: {words}" for name, words in offer.evidence.items())
    cost = say_money(offer.cost_minor, offer.currency)
    await _task(
        session,
        case,
        Work(
            approval_key(case.id, number),
            "offer",
            f"Agree to {offer.title} for $customer, who has left?",
            f"It costs {cost} if it is used, and {offer.approval}.\n{facts}\n"
            "Without an answer the letter goes out without an offer.",
            decision.decide_by,
            to_manager=True,
        ),
        now,
    )


async def _ask_to_talk(session: AsyncSession, case: StoredCase, now: BusinessInstant) -> None:
    row = (await session.scalars(select(WinBackRow).where(WinBackRow.case_id == case.id))).one()
    why = row.reason.replace("_", " ") if row.reason else "no reason told"
    lost = say_money(row.lost_arr_minor, row.currency)
    body = (
        f"They left on {row.cancelled_at:%d %B %Y} ({row.cause.value}, {why}) and paid {lost} a year. "
        "They are a strategic customer: nothing is sent to them by itself. Say what came of it; whoever is "
        "reached counts as spoken to."
    )
    due = after(now, dt.timedelta(days=TALK_WITHIN_DAYS))
    await _task(
        session, case, Work(talk_key(case.id), "call", "Talk to $customer about coming back", body, due), now
    )


@dataclass(frozen=True)
class Work:
    """What one of ours is asked to do for a case."""

    key: str
    kind: str
    title: str
    body: str
    due_at: BusinessInstant
    to_manager: bool = False


async def _task(session: AsyncSession, case: StoredCase, work: Work, now: BusinessInstant) -> None:
    query = (
        select(CustomerRow.name, CustomerRow.csm_id, UserRow.manager_id)
        .outerjoin(UserRow, UserRow.id == CustomerRow.csm_id)
        .where(CustomerRow.id == case.customer_id)
    )
    customer = (await session.execute(query)).one()
    asked = (customer.manager_id or customer.csm_id) if work.to_manager else customer.csm_id
    statement = upsert(TaskRow).values(
        id=uuid.uuid4(),
        customer_id=case.customer_id,
        case_id=case.id,
        effect_key=work.key,
        kind=work.kind,
        title=work.title.replace("$customer", customer.name),
        body=work.body,
        severity=Severity.HIGH,
        assignee_id=await owner_of_warning(session, asked, now),
        state=TaskState.OPEN,
        created_at=now,
        due_at=work.due_at,
    )
    await session.execute(statement.on_conflict_do_nothing(index_elements=["effect_key"]))


async def _close_question(session: AsyncSession, case: StoredCase, number: int, now: BusinessInstant) -> None:
    """Take a question back that nobody answered in time, or that nobody needs answered."""
    row = TaskRow
    await session.execute(
        update(row)
        .where(
            row.effect_key == approval_key(case.id, number),
            row.state.in_([TaskState.OPEN, TaskState.SNOOZED]),
        )
        .values(state=TaskState.CANCELLED, closed_at=now, note="Closed by itself: the offer is over.")
    )


async def _record_no_offer(
    session: AsyncSession, case: StoredCase, decision: WinBackDecision, now: BusinessInstant
) -> None:
    refusal = decision.no_offer
    assert refusal is not None  # noqa: S101 - the caller asked
    sentence = f"The letter carries no offer: {refusal.sentence}."
    row = Decision(
        case.customer_id, DecisionKind.REFUSAL, "offer", KEY, refusal.reason, sentence, case_id=case.id
    )
    await record_decisions(session, [row], now)


async def _label(session: AsyncSession, case: StoredCase, state: WinBackState, ending: Ending | None) -> None:
    """Keep when they came back and what for; whether it was us is said at the end."""
    back = state.returned
    values: dict[str, Any] = {}
    if back is not None:
        values = {"returned_at": back.at, "returned_arr_minor": back.arr_minor}
    if ending is not None:
        values["is_attributed"] = ending.is_attributed
    await session.execute(update(WinBackRow).where(WinBackRow.case_id == case.id).values(values))


async def settle_answers(
    session: AsyncSession, case: StoredCase, valid_days: int, now: BusinessInstant
) -> None:
    """Take over what people said to the offers that were put to them."""
    for number, offer in enumerate(await offers_of(session, case.id), start=1):
        query = select(TaskRow).where(TaskRow.effect_key == approval_key(case.id, number))
        task = await session.scalar(query)
        if task is not None and task.outcome is TaskOutcome.APPROVED:
            await agree(session, offer.id, task.closed_by_id, dt.timedelta(days=valid_days), now)


def progress_of(decision: WinBackDecision, memory: Mapping[str, Any]) -> CaseProgress:
    """Return a decision as every case stores it."""
    order, ending = decision.order, decision.ending
    return CaseProgress(
        memory=memory,
        stage=decision.stage,
        next_action=decision.next_action,
        step=CaseStep(order.kind, order.step, order.occurrence) if order is not None else None,
        wake_at=decision.wake_at,
        held_reason=decision.held,
        ending=CaseEnding(ending.outcome, ending.sentence) if ending is not None else None,
    )
