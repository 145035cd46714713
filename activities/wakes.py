"""From a business deadline to what a workflow can wait for."""

from activities.contracts import Wake
from domain.ports import Clock
from domain.time import BusinessInstant


def wake_at(clock: Clock, due: BusinessInstant | None) -> Wake | None:
    """Return the deadline with the wall instant at which today's pace will reach it."""
    return None if due is None else Wake(due, clock.wall_at(due))
