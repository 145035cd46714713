"""What opens or bars playbooks by conditions: read only where a playbook asks for it."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from domain.condition_clauses import Performed
from domain.customer_state import CustomerState, KnownPlaybook
from domain.time import BusinessInstant
from models.condition_facts import load_known


async def with_trigger_facts(
    session: AsyncSession, state: CustomerState, playbooks: Sequence[KnownPlaybook], now: BusinessInstant
) -> CustomerState:
    """Return the state with how often they did what opens playbooks, and whom `only_if` leaves out."""
    conditions = {one.document.key: one.document.only_if for one in playbooks if one.document.only_if}
    events = [one.document.trigger.event for one in playbooks if one.document.trigger.event is not None]
    asked = [Performed(performed=one.performed, within=one.within) for one in events]
    if not conditions and not asked:
        return state
    customer_id: uuid.UUID = state.customer_id
    known = await load_known(session, customer_id, [*conditions.values(), *asked], now)
    return replace(
        state,
        performed={(one.performed, one.within): known.times(one.performed, one.within) for one in events},
        unfit=frozenset(key for key, condition in conditions.items() if not condition.holds(known)),
    )
