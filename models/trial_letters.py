"""Letters of a playbook as a customer would get them, and test copies that go to whoever asks for one.

A test copy is an effect like every other, of a kind of its own: no touchpoint, no budget, no domain's limit.
"""

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError
from domain.playbook import Playbook
from domain.time import BusinessInstant, WallInstant
from models.contact_policy import load_contact_policy
from models.dry_runs import write_trial
from models.effects import Effect, NewEffect, claim
from models.installation import load_installation
from models.meeting_plans import with_likely_meeting
from models.playbooks import PlaybookShelf
from models.sends import Order, SendContext, load_send, order_of
from models.step_visits import Visit
from models.tables.ledger import EffectRow

KIND = "test_email"
MOST_PER_HOUR = 30
"""Test copies that one person may ask for within an hour."""


@dataclass(frozen=True)
class TrialLetter:
    """One message step with what its letter would say to a customer now."""

    step_id: str
    order: Order
    context: SendContext


async def trial_letters(
    session: AsyncSession, document: Playbook, customer_id: uuid.UUID, now: BusinessInstant
) -> list[TrialLetter]:
    """Return the letters of a document for a customer; what is written to find them is rolled back."""
    policy, found = await load_contact_policy(session), []
    async with session.begin_nested() as trial:
        run_id = await write_trial(session, document, customer_id, now)
        for step in document.steps:
            if step.send_email is None and step.schedule_meeting is None:
                continue
            visit = Visit(run_id, step.id, 1)
            order, shelf = order_of(document, visit), PlaybookShelf()
            context = await load_send(session, visit, document, policy, now)
            context = await with_likely_meeting(session, visit, order, context, shelf, now)
            found.append(TrialLetter(step.id, order, context))
        await trial.rollback()
    return found


async def claim_test(
    session: AsyncSession, user_id: uuid.UUID, template: str, provider: str, wall: WallInstant
) -> Effect:
    """Claim a test copy for one of ours; raises ConflictError while effects are stopped or after many."""
    if (await load_installation(session)).effects_stopped_at is not None:
        raise ConflictError(what="a test copy", reason="a person has stopped every outward effect")
    lately = (
        EffectRow.kind == KIND,
        EffectRow.user_id == user_id,
        EffectRow.claimed_at > wall - dt.timedelta(hours=1),
    )
    count = await session.scalar(select(func.count()).select_from(EffectRow).where(*lately)) or 0
    if count >= MOST_PER_HOUR:
        raise ConflictError(what="a test copy", reason=f"{count} within an hour are enough; wait a while")
    digest = hashlib.sha256(f"{template}/{user_id}".encode()).hexdigest()
    new = NewEffect(f"test/{uuid.uuid4()}", KIND, digest, None, provider, user_id)
    return await claim(session, new, wall)
