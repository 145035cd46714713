"""How an attempt ends in the ledger: one that was overtaken may say that it was taken, and nothing else."""

import uuid

from temporalio.exceptions import ApplicationError

from domain.time import WallInstant
from domain.vocabulary import EffectState
from models.customer_state import lock_customer
from models.database import Session
from models.effects import Effect, is_newest, settle

OVERTAKEN = "another attempt has been made since"


async def refuse_overtaken(session: Session, effect: Effect) -> None:
    """Stop an attempt that has nothing to say any more: only that it was taken would be news.

    The customer is locked already, as by everybody who claims an effect: nobody overtakes it after this.
    """
    if not await is_newest(session, effect):
        raise ApplicationError(OVERTAKEN)


async def end_attempt(
    session: Session,
    customer_id: uuid.UUID,
    effect: Effect,
    state: EffectState,
    wall: WallInstant,
    *,
    provider_message_id: str | None = None,
    error: str | None = None,
) -> bool:
    """Write what became of an effect, the customer locked first; False where it was confirmed before."""
    await lock_customer(session, customer_id)
    if state is not EffectState.SENT:
        await refuse_overtaken(session, effect)
    return await settle(
        session, effect.key, state, wall, provider_message_id=provider_message_id, error=error
    )
