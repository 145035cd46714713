"""What a run would send next: the message, the person, and what stands in it, without sending it."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.playbook_contacts import ScheduleMeeting, SendEmail
from domain.playbook_steps import Step
from domain.run_state import Position
from domain.time import BusinessInstant
from domain.vocabulary import InterventionState
from models.contact_policy import load_contact_policy
from models.meeting_plans import with_likely_meeting
from models.playbooks import PlaybookShelf
from models.sends import SendContext, load_send
from models.step_visits import Visit
from models.tables.playbooks import InterventionRow


@dataclass(frozen=True)
class Pending:
    """The step at which a run stands, with the message that it sends if it is one."""

    step: Step
    order: SendEmail | ScheduleMeeting | None
    context: SendContext | None


async def load_pending(session: AsyncSession, run_id: uuid.UUID, now: BusinessInstant) -> Pending | None:
    """Return what a run would do now, None if it has ended or stands at no step."""
    run = InterventionRow
    query = select(run.state, run.position, run.version_id).where(run.id == run_id)
    found = (await session.execute(query)).one_or_none()
    if found is None or found.state is InterventionState.ENDED:
        return None
    shelf = PlaybookShelf()
    playbook = await shelf.version(session, found.version_id)
    position = Position.model_validate(found.position)
    step_id = position.step or playbook.steps[0].id
    if step_id not in {step.id for step in playbook.steps}:  # at its end
        return None
    step = playbook.step(step_id)
    order = step.send_email or step.schedule_meeting
    if order is None:
        return Pending(step, None, None)
    visit = Visit(run_id, step_id, max(position.visits.get(step_id, 1), 1))
    context = await load_send(session, visit, playbook, await load_contact_policy(session), now)
    context = await with_likely_meeting(session, visit, order, context, shelf, now)
    return Pending(step, order, context)
