"""Write what became of one message: claim and touchpoint before it, step record and decision after it."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import (
    Channel,
    DecisionKind,
    Direction,
    EffectState,
    StepState,
    TouchpointState,
    TouchTier,
)
from models.decisions import Decision, record_decisions
from models.effects import Effect
from models.meeting_ends import drop_meeting
from models.runs import EVERSTAY
from models.sends import SendContext
from models.step_visits import Visit, is_row_of
from models.tables.customers import CustomerRow
from models.tables.data import SourceRow
from models.tables.ledger import TouchpointRow
from models.tables.playbooks import InterventionStepRow

INVITED = "invited"
"""The run knows that its invitation is out and waits for the answer, which a late word must not end."""
CLOSED = {StepState.DONE, StepState.SKIPPED, StepState.FAILED, StepState.CANCELLED}


@dataclass(frozen=True)
class Become:
    """What became of a send, for the step's record and, if it is worth one, the decision ledger."""

    state: StepState
    reason: str | None = None
    due_at: BusinessInstant | None = None
    decision: DecisionKind | None = None
    sentence: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


async def add_touchpoint(
    session: AsyncSession,
    context: SendContext,
    effect: Effect,
    template: str,
    now: BusinessInstant,
    *,
    run_id: uuid.UUID | None = None,
    case_id: uuid.UUID | None = None,
) -> None:
    """Count the message as a contact from its claim on; it belongs to a run or to a case."""
    assert context.person is not None  # noqa: S101 - the guard let it pass
    source = {"id": EVERSTAY, "name": "Everstay", "kind": "everstay", "provides": [], "connected_at": now}
    await session.execute(upsert(SourceRow).values(source).on_conflict_do_nothing())
    await session.execute(
        insert(TouchpointRow).values(
            id=uuid.uuid4(),
            source_id=EVERSTAY,
            external_id=effect.delivery_id,
            content_hash=effect.payload_hash,
            customer_id=context.customer_id,
            contact_id=context.person.contact_id,
            user_id=context.csm_id,
            intervention_id=run_id,
            case_id=case_id,
            effect_key=effect.key,
            direction=Direction.OUT,
            channel=Channel.EMAIL,
            purpose=context.proposed.purpose,
            state=TouchpointState.CLAIMED,
            template=template,
            occurred_at=now,
            known_at=now,
        )
    )


async def is_over(session: AsyncSession, visit: Visit) -> bool:
    """Tell whether a visit is finished, though not by its send: a person skipped it or sent the run back."""
    row = InterventionStepRow
    state = await session.scalar(select(row.state).where(is_row_of(visit)))
    return state in CLOSED


async def keep_subject(session: AsyncSession, effect_key: str, subject: str) -> None:
    """Keep what the message was called."""
    await session.execute(
        update(TouchpointRow).where(TouchpointRow.effect_key == effect_key).values(subject=subject)
    )


async def record_step(
    session: AsyncSession, visit: Visit, context: SendContext, become: Become, now: BusinessInstant
) -> None:
    """Write what became of the send into the step's record; a refusal or deferral is a decision too."""
    closed = become.state in CLOSED
    if closed and become.state is not StepState.DONE:
        await drop_meeting(session, visit, now)
    await session.execute(
        update(InterventionStepRow)
        .where(is_row_of(visit))
        .values(
            state=become.state,
            reason=become.reason,
            due_at=become.due_at,
            detail=become.detail,
            finished_at=now if closed else None,
        )
    )
    if become.decision is not None:
        decision = Decision(
            context.customer_id,
            become.decision,
            "send_email",
            context.playbook_key,
            become.reason or "sent",
            become.sentence,
            {"step": visit.step_id, "occurrence": visit.occurrence, **become.detail},
            visit.intervention_id,
        )
        await record_decisions(session, [decision], now)


SENT = "The message was handed to the e-mail provider."


def sent(effect: Effect, receipt: str | None = None) -> Become:
    """Return what a step has become whose message the provider has taken."""
    detail = {"delivery_id": effect.delivery_id, "receipt": receipt}
    return Become(StepState.DONE, None, None, DecisionKind.DIRECTIVE, SENT, detail)


async def catch_up(
    session: AsyncSession, visit: Visit, context: SendContext, effect: Effect, now: BusinessInstant
) -> None:
    """Finish a step whose effect was settled without it: the provider's word came before the sender's."""
    mine = is_row_of(visit)
    query = select(InterventionStepRow.state, InterventionStepRow.reason).where(mine)
    step = (await session.execute(query)).one_or_none()
    is_known = step is not None and (step.state in CLOSED or step.reason == INVITED)
    if is_known or effect.state is EffectState.UNCERTAIN:
        return
    if effect.state is EffectState.FAILED:
        become = Become(StepState.FAILED, "provider_refused", None, DecisionKind.REFUSAL, effect.error or "")
        await record_step(session, visit, context, become, now)
        return
    await record_step(session, visit, context, sent(effect), now)
    await count_as_touch(session, context, now)


async def count_as_touch(session: AsyncSession, context: SendContext, now: BusinessInstant) -> None:
    """Let the mail end a silence where mail is how we speak: with tech-touch customers."""
    if context.touch_tier is TouchTier.TECH_TOUCH:
        await session.execute(
            update(CustomerRow).where(CustomerRow.id == context.customer_id).values(last_touch_at=now)
        )


async def give_up(session: AsyncSession, visit: Visit, now: BusinessInstant) -> None:
    """Close a visit whose send failed at every attempt, so that its run goes on without it."""
    await drop_meeting(session, visit, now)
    await session.execute(
        update(InterventionStepRow)
        .where(
            is_row_of(visit),
            InterventionStepRow.state == StepState.STARTED,
        )
        .values(state=StepState.FAILED, reason="every_attempt_failed", finished_at=now)
    )
