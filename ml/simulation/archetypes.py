"""What can happen to a sample customer, and what our care truly changes: the known truth."""

from dataclasses import dataclass
from enum import StrEnum


class Archetype(StrEnum):
    """The story of a sample customer."""

    HEALTHY = "healthy"
    DECLINING = "declining"
    SILENT = "silent"
    TICKET_STORM = "ticket_storm"
    CHAMPION_LEFT = "champion_left"
    FAILING_PAYMENT = "failing_payment"
    GROWING = "growing"
    SEASONAL = "seasonal"


class Care(StrEnum):
    """What we can do for a customer that changes what the customer does."""

    EMAIL_DELIVERED = "email_delivered"
    EMAIL_OPENED = "email_opened"
    TASK_DONE = "task_done"
    EXECUTIVE = "executive"


SHARES: dict[Archetype, float] = {
    Archetype.HEALTHY: 0.40,
    Archetype.DECLINING: 0.14,
    Archetype.SILENT: 0.10,
    Archetype.TICKET_STORM: 0.08,
    Archetype.CHAMPION_LEFT: 0.06,
    Archetype.FAILING_PAYMENT: 0.05,
    Archetype.GROWING: 0.10,
    Archetype.SEASONAL: 0.07,
}
"""Share of each story in the portfolio; a configuration may give others."""


@dataclass(frozen=True)
class Trouble:
    """How trouble of one kind runs. Hazards are per day; engagement is 1 at the customer's own normal."""

    pull: float
    """Share of the way to the floor that engagement falls each day."""
    floor: float
    returns_alone: float
    """Hazard of coming back with no contact from us."""
    leaves: float
    """Hazard of cancelling, reached after a month of trouble."""
    tickets: float
    """Support requests per day."""
    care: dict[Care, float]
    """What each care adds to the hazard of coming back on the next day; it decays with CARE_DAYS."""


CARE_DAYS = 5.0
"""Time constant of the decay of what one care added."""

TROUBLES: dict[Archetype, Trouble] = {
    Archetype.DECLINING: Trouble(
        0.07, 0.2, 0.012, 0.010, 0.08,
        {Care.EMAIL_DELIVERED: 0.01, Care.EMAIL_OPENED: 0.05, Care.TASK_DONE: 0.10, Care.EXECUTIVE: 0.12},
    ),
    Archetype.SILENT: Trouble(
        0.75, 0.0, 0.035, 0.008, 0.0,
        {Care.EMAIL_DELIVERED: 0.02, Care.EMAIL_OPENED: 0.07, Care.TASK_DONE: 0.08, Care.EXECUTIVE: 0.10},
    ),
    Archetype.TICKET_STORM: Trouble(
        0.03, 0.55, 0.020, 0.006, 0.9,
        {Care.EMAIL_DELIVERED: 0.00, Care.EMAIL_OPENED: 0.02, Care.TASK_DONE: 0.16, Care.EXECUTIVE: 0.10},
    ),
    Archetype.CHAMPION_LEFT: Trouble(
        0.05, 0.3, 0.008, 0.009, 0.05,
        {Care.EMAIL_DELIVERED: 0.00, Care.EMAIL_OPENED: 0.03, Care.TASK_DONE: 0.10, Care.EXECUTIVE: 0.16},
    ),
    Archetype.FAILING_PAYMENT: Trouble(
        0.0, 1.0, 0.045, 0.005, 0.02,
        {Care.EMAIL_DELIVERED: 0.03, Care.EMAIL_OPENED: 0.09, Care.TASK_DONE: 0.14, Care.EXECUTIVE: 0.06},
    ),
}  # fmt: skip
"""The stories that hold trouble; the others have none."""

RECOVERY_PULL = 0.4
"""Share of the way back to normal that engagement climbs each day after a return."""
RELAPSE = 0.002
"""Hazard per day that trouble comes again after a return."""
ORDINARY_TICKETS = 0.03
"""Support requests per day of a customer without trouble."""
ORDINARY_LEAVING = 0.00005
"""Hazard per day of cancelling out of the blue."""
