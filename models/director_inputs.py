"""Everything that one decision reads, loaded under the customer's row lock in two statements."""

import uuid
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from domain.customer_state import CustomerState, DirectorPolicy, HeardNotice
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import CustomerStatus
from models.customer_state import Sight, see_customer
from models.installation import release_left
from models.lifecycles import StoredLifecycle
from models.outbox import Notice, mark_heard
from models.playbooks import PlaybookShelf
from models.standing_orders import StandingOrders, load_standing_orders
from models.touches import note_finished_tasks
from models.trigger_facts import with_trigger_facts
from models.win_back_openings import load_departure
from models.win_back_policy import load_win_back_policy


@dataclass(frozen=True)
class DirectorInputs:
    """The arguments of `domain.director.decide` without time, and what the last decision left behind."""

    state: CustomerState
    notices: tuple[HeardNotice, ...]
    policy: DirectorPolicy
    lifecycle: StoredLifecycle
    unheard: list[Notice]


async def load_director_inputs(
    session: AsyncSession, customer_id: uuid.UUID, shelf: PlaybookShelf, now: BusinessInstant
) -> DirectorInputs:
    """Return what to decide on; nothing counts as heard before `hear`."""
    orders = await load_standing_orders(session, shelf)
    sight = await see_customer(session, customer_id, shelf, orders, now)
    policy = await _policy(session, orders, now)
    state = await with_trigger_facts(session, sight.state, policy, now)
    if state.status is CustomerStatus.CHURNED:
        state = replace(state, departure=await load_departure(session, state))
        policy = replace(policy, win_back=await load_win_back_policy(session))
    return DirectorInputs(state, _heard(sight), policy, sight.lifecycle, sight.unheard)


def _heard(sight: Sight) -> tuple[HeardNotice, ...]:
    return tuple(HeardNotice(notice.kind, notice.payload, notice.occurred_at) for notice in sight.unheard)


async def _policy(session: AsyncSession, orders: StandingOrders, now: BusinessInstant) -> DirectorPolicy:
    left = await release_left(session, orders.release_per_day, now)
    return DirectorPolicy(
        orders.playbooks,
        orders.contact.longest_silence_days,
        left,
        orders.parts,
        uplifts=orders.uplifts,
        trial=orders.trial,
        remind_before=orders.remind_before,
    )


async def hear(
    session: AsyncSession, inputs: DirectorInputs, now: BusinessInstant, wall: WallInstant
) -> DirectorInputs:
    """Mark the notices as heard in this transaction; a finished task that reached somebody is a contact."""
    await mark_heard(session, inputs.unheard, wall)
    touched = await note_finished_tasks(session, inputs.state.customer_id, inputs.unheard, now)
    if touched is None:
        return inputs
    return replace(inputs, state=replace(inputs.state, last_touch_at=touched))
