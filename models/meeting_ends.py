"""Meetings of runs that will not take place: the send failed, or the run went another way."""

import datetime as dt
import uuid

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, after
from domain.vocabulary import EffectState, StepState
from models.arrays import among
from models.fact_changes import keep_before
from models.meeting_tasks import ask_organiser
from models.step_visits import Visit
from models.tables.facts import MeetingRow
from models.tables.ledger import EffectRow
from models.tables.playbooks import InterventionStepRow

OURS = "everstay"
STEP = "schedule_meeting"
UNANSWERED = [state for state in StepState if state not in {StepState.DONE, StepState.FAILED}]
"""Those that were left without an answer too: a run notes its step as cancelled before it ends."""
TASK_DUE = dt.timedelta(days=1)
CALL_OFF = (
    "The run that planned it went another way ({reason}), and the invitation has gone out. Tell them that it "
    "does not take place, and take it out of the calendar; or hold it anyway and say so on its page."
)


def meeting_key(visit: Visit) -> str:
    """Return what names the meeting of one visit within our own source."""
    return visit.origin.removesuffix("/")


async def drop_meeting(session: AsyncSession, visit: Visit, now: BusinessInstant) -> None:
    """Cancel the meeting of a visit whose invitation will not go out: nobody was asked."""
    await _cancel(session, [meeting_key(visit)], now)


async def withdraw_invitations(
    session: AsyncSession,
    intervention_id: uuid.UUID,
    reason: str,
    now: BusinessInstant,
    step_id: str | None = None,
) -> int:
    """Cancel the meetings that a run still waited to hear about when it went another way.

    What was accepted stands. Where the invitation has left, its organiser gets the task to call it off: the
    customer hears that from a person. Returns how many there were.
    """
    row = InterventionStepRow
    waiting = select(row.step_id, row.occurrence).where(
        row.intervention_id == intervention_id, row.kind == STEP, row.state.in_(UNANSWERED)
    )
    if step_id is not None:
        waiting = waiting.where(row.step_id == step_id)
    visits = [Visit(intervention_id, *found) for found in (await session.execute(waiting)).all()]
    gone = await _cancel(session, [meeting_key(visit) for visit in visits], now) if visits else []
    for meeting_id, key in gone:
        if await _may_have_left(session, key):
            what = ("call-off", "Call off “{title}” with {person}", CALL_OFF.format(reason=reason))
            await ask_organiser(session, meeting_id, *what, now, after(now, TASK_DUE))
    return len(gone)


async def _cancel(
    session: AsyncSession, keys: list[str], now: BusinessInstant
) -> list[tuple[uuid.UUID, str]]:
    row = MeetingRow
    chosen = (
        row.source_id == OURS,
        among(row.external_id, keys),
        row.cancelled_at.is_(None),
        row.held_at.is_(None),
        or_(row.answer.is_(None), row.answer != "accepted"),
    )
    await keep_before(session, row, ("cancelled_at",), chosen, now)
    cancelled = update(row).where(*chosen).values(cancelled_at=now).returning(row.id, row.external_id)
    return [(found.id, found.external_id) for found in (await session.execute(cancelled)).all()]


async def _may_have_left(session: AsyncSession, key: str) -> bool:
    """Tell whether the customer may know of it: all but what was certainly never handed over."""
    unsent = (EffectRow.state == EffectState.CLAIMED) & EffectRow.lease_until.is_(None)
    query = select(EffectRow.key).where(
        EffectRow.key.startswith(f"{key}/", autoescape=True), EffectRow.state != EffectState.FAILED, ~unsent
    )
    return (await session.execute(query.limit(1))).first() is not None
