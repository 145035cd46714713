"""Moves a touchpoint from state to state, and keeps when it began, or ceased, to count as a contact."""

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import TouchpointState
from models.clock import load_timeline
from models.fact_changes import keep_before
from models.tables.ledger import TouchpointRow

NO_CONTACT = frozenset(
    {
        TouchpointState.CLAIMED,
        TouchpointState.FAILED,
        TouchpointState.SUPPRESSED,
        TouchpointState.UNCERTAIN,
        TouchpointState.BOUNCED,
    }
)
"""States in which nobody was reached, as far as we know."""


async def move_touchpoint(
    session: AsyncSession, chosen: tuple[ColumnElement[bool], ...], state: TouchpointState, wall: WallInstant
) -> None:
    """Give the chosen touchpoints their state.

    That a claim was sent is no change of what was known: it counts from the instant at which it left.
    """
    row = TouchpointRow
    crosses = row.state.in_(NO_CONTACT) if state not in NO_CONTACT else row.state.not_in(NO_CONTACT)
    crossing = (*chosen, crosses, row.state != TouchpointState.CLAIMED)
    if await session.scalar(select(row.id).where(*crossing).limit(1)) is not None:
        timeline = await load_timeline(session)
        now = BusinessInstant(wall) if timeline is None else timeline.business_at(wall)
        await keep_before(session, row, ("state",), crossing, now)
    await session.execute(update(row).where(*chosen).values(state=state))
