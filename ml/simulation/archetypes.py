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
    ERRATIC = "erratic"
    """Ups and downs of weeks and months that mean nothing."""


class Care(StrEnum):
    """What we can do for a customer that changes what the customer does."""

    EMAIL_DELIVERED = "email_delivered"
    EMAIL_OPENED = "email_opened"
    TASK_DONE = "task_done"
    EXECUTIVE = "executive"


SHARES: dict[Archetype, float] = {
    Archetype.HEALTHY: 0.34,
    Archetype.DECLINING: 0.17,
    Archetype.SILENT: 0.11,
    Archetype.TICKET_STORM: 0.10,
    Archetype.CHAMPION_LEFT: 0.07,
    Archetype.FAILING_PAYMENT: 0.05,
    Archetype.GROWING: 0.09,
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
    """Hazard of cancelling once trouble is ripe."""
    tickets: float
    """Support requests per day."""
    shrinks: float = 0.0
    """Hazard of paying less from now on."""
    quiet_days: int = 0
    """So long nobody leaves for it."""
    ripe_days: int = 30
    """After so many days the hazards of leaving and of paying less have grown to their full height."""
    leaves_at_renewal: float = 0.5
    """Chance of cancelling on the day of a renewal, once ripe."""


TROUBLES: dict[Archetype, Trouble] = {
    Archetype.DECLINING: Trouble(0.07, 0.2, 0.012, 0.045, 0.08, shrinks=0.024),
    Archetype.SILENT: Trouble(0.75, 0.0, 0.035, 0.044, 0.0, shrinks=0.018),
    Archetype.TICKET_STORM: Trouble(0.03, 0.55, 0.020, 0.036, 0.9, shrinks=0.018),
    Archetype.CHAMPION_LEFT: Trouble(0.05, 0.3, 0.008, 0.036, 0.05, shrinks=0.024),
    Archetype.FAILING_PAYMENT: Trouble(0.0, 1.0, 0.045, 0.040, 0.02),
}
"""The stories that hold trouble in the lively two months of the demo; the others have none."""

RECOVERY_PULL = 0.4
"""Share of the way back to normal that engagement climbs each day after a return."""
ORDINARY_TICKETS = 0.03
"""Support requests per day of a customer without trouble."""
