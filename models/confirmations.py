"""Steps that wait for word of an uncertain message, finished once the provider has given it."""

import uuid

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import EffectState, StepState
from models.doubts import close_question
from models.effects import find_effect
from models.step_visits import Visit
from models.tables.playbooks import InterventionStepRow


async def hear_confirmations(session: AsyncSession, intervention_id: uuid.UUID, now: BusinessInstant) -> None:
    """Finish what was confirmed since the run last looked. The caller holds the customer's row lock."""
    query = select(InterventionStepRow).where(
        InterventionStepRow.intervention_id == intervention_id,
        InterventionStepRow.state == StepState.WAITING,
        InterventionStepRow.reason == "uncertain",
    )
    for step in (await session.scalars(query)).all():
        visit = Visit(intervention_id, step.step_id, step.occurrence)
        effect = await find_effect(session, visit.origin)
        if effect is not None and effect.state is EffectState.CONFIRMED:
            await _finish(session, step.id, effect.delivery_id, now)
            await close_question(session, effect.key, now)


async def _finish(
    session: AsyncSession, step_row_id: uuid.UUID, delivery_id: str, now: BusinessInstant
) -> None:
    """Close the step as done."""
    await session.execute(
        update(InterventionStepRow)
        .where(InterventionStepRow.id == step_row_id)
        .values(
            state=StepState.DONE, reason="confirmed", detail={"delivery_id": delivery_id}, finished_at=now
        )
    )
