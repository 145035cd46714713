"""What opens or bars playbooks by conditions: read only where a playbook asks for it."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from domain.candidates import find_candidates
from domain.condition_clauses import Performed
from domain.customer_state import CustomerState, DirectorPolicy
from domain.time import BusinessInstant
from models.condition_facts import load_known


async def with_trigger_facts(
    session: AsyncSession, state: CustomerState, policy: DirectorPolicy, now: BusinessInstant
) -> CustomerState:
    """Return the state with how often they did what opens playbooks, and whom `only_if` leaves out.

    `only_if` is asked of playbooks that would open otherwise: of most customers, on most days, none.
    """
    events = [one.document.trigger.event for one in policy.playbooks]
    asked = [Performed(performed=one.performed, within=one.within) for one in events if one is not None]
    if asked:
        known = await load_known(session, state.customer_id, asked, now)
        times = {(one.performed, one.within): known.times(one.performed, one.within) for one in asked}
        state = replace(state, performed=times)
    called_for = [one.playbook.document for one in find_candidates(state, policy, now)]
    conditions = {one.key: one.only_if for one in called_for if one.only_if is not None}
    if not conditions:
        return state
    known = await load_known(session, state.customer_id, conditions.values(), now)
    return replace(
        state, unfit=frozenset(key for key, condition in conditions.items() if not condition.holds(known))
    )
