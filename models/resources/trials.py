"""The customers behind the figures of a playbook's trial, page by page."""

from models.database import Session
from models.resources.keyset import Order, Slice, read_slice
from models.trial_rows import ArmFilter, arm_query


async def read_trial(session: Session, chosen: ArmFilter, cursor: str | None, limit: int) -> Slice:
    """Return the first occasion of each customer, the newest first."""
    query, occasion = arm_query(chosen)
    order = Order("assigned_at", occasion.assigned_at, occasion.id, descending=True)
    return await read_slice(session, query, order, cursor, limit)
