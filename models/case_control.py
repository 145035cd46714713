"""What a person does with one case: hold, resume, end, ring. The impossible is refused in words."""

import uuid
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_holds import PersonsHold, with_hold
from domain.case_vocabulary import CaseKind, CaseOutcome, CaseState
from domain.errors import ConflictError, InvalidInputError
from domain.vocabulary import DecisionKind
from models.cases import CaseEnding, StoredCase, end_case, load_case, ring_case
from models.changes import announce_change
from models.decisions import Decision, record_decisions
from models.hands import Hand
from models.run_control import checked_reason
from models.tables.cases import CaseRow

BY_HAND = {
    CaseKind.DUNNING: (CaseOutcome.WRITTEN_OFF, CaseOutcome.STOPPED),
    CaseKind.WIN_BACK: (CaseOutcome.LOST, CaseOutcome.STOPPED),
}
"""The endings that a person may give a case: what was paid or came back is known from the provider alone."""


async def hold_case(session: AsyncSession, case_id: uuid.UUID, reason: str, hand: Hand) -> None:
    """Hold a case: it goes on listening, and nothing is decided and nothing leaves until it is resumed."""
    case = await _going_on(session, case_id)
    if case.hold is not None:
        raise ConflictError(what="The case", reason=f"{case.hold.by} holds it already; resume it first")
    hold = PersonsHold(reason=checked_reason(reason), by=hand.name, since=hand.now)
    held = {"state": CaseState.HELD, "held_reason": hold.sentence, "expected_wake_at": None}
    await _change(session, case, memory=with_hold(case.memory, hold), **held)
    await _record(session, case, "hold_case", f"{hand.name} holds it: {hold.reason.rstrip('.')}.", hand)


async def resume_case(session: AsyncSession, case_id: uuid.UUID, hand: Hand) -> None:
    """End a person's hold; the case looks again at once, and may find another reason to wait."""
    case = await _going_on(session, case_id)
    if case.hold is None:
        reason = "no person holds it; what holds it ends by itself" if case.held_reason else "it is not held"
        raise ConflictError(what="The case", reason=reason)
    going_on = {"state": CaseState.OPEN, "held_reason": None, "expected_wake_at": hand.now}
    await _change(session, case, memory=with_hold(case.memory, None), **going_on)
    await _record(session, case, "resume_case", f"{hand.name} let it go on.", hand)


async def stop_case(
    session: AsyncSession, case_id: uuid.UUID, outcome: CaseOutcome, reason: str, hand: Hand
) -> None:
    """End a case with an outcome and a reason. Nothing is changed at the provider by it."""
    case = await _going_on(session, case_id)
    if outcome not in BY_HAND[case.kind]:
        known = ", ".join(BY_HAND[case.kind])
        raise InvalidInputError(field="outcome", reason=f"a person ends such a case as one of {known}")
    sentence = f"{checked_reason(reason).rstrip('.')} (by {hand.name})"
    await _record(session, case, "stop_case", f"{hand.name} ended it: {sentence}.", hand)
    await end_case(session, case, CaseEnding(outcome, sentence), hand.now, hand.wall)


async def look_again(session: AsyncSession, case_id: uuid.UUID, hand: Hand) -> None:
    """Have a case look at its evidence now; a workflow that is gone is started from what is stored."""
    case = await _going_on(session, case_id)
    await _record(session, case, "ring_case", f"{hand.name} had the case look again.", hand)


async def _going_on(session: AsyncSession, case_id: uuid.UUID) -> StoredCase:
    """Return the case with its customer locked; raises NotFoundError, and ConflictError where it is over."""
    case = await load_case(session, case_id)
    if case.state is CaseState.ENDED:
        raise ConflictError(what="The case", reason="it has ended")
    return case


async def _change(session: AsyncSession, case: StoredCase, **values: Any) -> None:
    await session.execute(update(CaseRow).where(CaseRow.id == case.id).values(**values))


async def _record(session: AsyncSession, case: StoredCase, action: str, sentence: str, hand: Hand) -> None:
    """Write who did it, and ring the case, whose workflow finds the new state."""
    evidence = {"user_id": str(hand.user_id) if hand.user_id else None}
    decision = Decision(
        case.customer_id,
        DecisionKind.DIRECTIVE,
        action,
        case.kind.value,
        "by_a_person",
        sentence,
        evidence,
        case_id=case.id,
    )
    await record_decisions(session, [decision], hand.now)
    await ring_case(session, case.id, hand.wall)
    await announce_change(session)
