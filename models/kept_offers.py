"""Offers of runs that have to come to an end: what is known of each, and whether its run still goes on."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import DiscountReceipt
from domain.case_vocabulary import OfferState
from domain.run_offers import GRANTED
from domain.run_walk import FINISHED
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import EffectState, InterventionState, Outcome, StepState, WorkflowAction
from models.customer_state import lock_customer
from models.doubts import close_question
from models.effects import Effect, find_effect, settle
from models.payers import Payer, find_payer
from models.step_visits import Visit, is_row_of
from models.stored_offers import StoredOffer, note_granted, offer_by
from models.tables.playbooks import InterventionRow, InterventionStepRow
from models.tables.runs import OfferRow
from models.workflow_orders import order_workflow

FOUND = "the billing provider has it"


@dataclass(frozen=True)
class KeptOffer:
    """One offer of a run, with the effect that makes it."""

    offer: StoredOffer
    customer_id: uuid.UUID
    visit: Visit
    has_ended: bool
    outcome: Outcome | None
    effect: Effect | None
    payer: Payer | None
    """Who they are where it was made."""


async def open_run_offers(session: AsyncSession) -> Sequence[str]:
    """Return the keys of the offers that are to be looked at: made and not used, or left behind by a run."""
    row, run = OfferRow, InterventionRow
    left_behind = (row.state == OfferState.PROPOSED) & or_(
        run.state == InterventionState.ENDED, row.decided_at.is_not(None)
    )
    made = (row.state == OfferState.GRANTED) & row.provider_key.is_not(None)
    query = select(row.effect_key).join(run, run.id == row.intervention_id).where(or_(made, left_behind))
    return (await session.scalars(query.order_by(row.proposed_at, row.effect_key))).all()


async def load_kept_offer(session: AsyncSession, key: str) -> KeptOffer:
    """Return one offer as it is now."""
    row, run = OfferRow, InterventionRow
    query = select(row.customer_id, row.source_id, run.state, run.outcome).join(
        run, run.id == row.intervention_id
    )
    found = (await session.execute(query.where(row.effect_key == key))).one()
    run_id, step_id, occurrence, _purpose = key.rsplit("/", 3)
    visit = Visit(uuid.UUID(run_id), step_id, int(occurrence))
    effect = await find_effect(session, visit.origin)
    has_ended = found.state is InterventionState.ENDED
    payer = await _payer(session, found.customer_id, found.source_id, visit, effect)
    offer = await offer_by(session, key)
    return KeptOffer(offer, found.customer_id, visit, has_ended, found.outcome, effect, payer)


async def note_found(
    session: AsyncSession,
    key: str,
    kept: KeptOffer,
    receipt: DiscountReceipt,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """Note a code that was made without our hearing of it, and let its run go on with it."""
    assert kept.effect is not None  # noqa: S101 - it was found by its effect
    assert kept.payer is not None  # noqa: S101 - and at this provider
    await lock_customer(session, kept.customer_id)
    state, run_id = EffectState.CONFIRMED, kept.visit.intervention_id
    await settle(session, kept.effect.key, state, wall, provider_message_id=receipt.key)
    await note_granted(session, key, receipt, kept.payer.source_id)
    await close_question(session, kept.effect.key, now, FOUND)
    step = InterventionStepRow
    done = {"state": StepState.DONE, "reason": GRANTED, "due_at": None, "finished_at": now}
    await session.execute(update(step).where(is_row_of(kept.visit), step.state.not_in(FINISHED)).values(done))
    if not kept.has_ended:
        await order_workflow(session, WorkflowAction.RING, kept.customer_id, run_id, wall)


async def _payer(
    session: AsyncSession,
    customer_id: uuid.UUID,
    source_id: str | None,
    visit: Visit,
    effect: Effect | None,
) -> Payer | None:
    """Return who they are where it was made, also if somebody else bills them by now."""
    if effect is None:
        return None
    customer_key = effect.key.removeprefix(visit.origin)
    if source_id is None:
        now = await find_payer(session, customer_id)
        return now if now is not None and now.customer_key == customer_key else None
    return Payer(source_id, customer_key, None, ())
