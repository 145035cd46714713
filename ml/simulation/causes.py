"""The one table of what our care truly changes, for better and for worse: an assumption, not a finding.

Each number is a hazard per day that one care adds from the day after it on; it decays with CARE_DAYS, so that
one care adds about five and a half times its number in all. Nothing else that we do changes a customer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ml.simulation.archetypes import Archetype, Care

CARE_DAYS = 5.0
"""Time constant of the decay of what one care added."""


@dataclass(frozen=True)
class Effect:
    """What one care adds for a customer who lives one story."""

    returns: float = 0.0
    """To the hazard of coming back."""
    leaves: float = 0.0
    """To the hazard of cancelling: some are better left alone."""


Effects = Mapping[Archetype, Mapping[Care, Effect]]


def _table(returns: Mapping[Archetype, tuple[float, float, float, float]]) -> Effects:
    return {
        story: {care: Effect(number) for care, number in zip(Care, numbers, strict=True)}
        for story, numbers in returns.items()
    }


LIVELY: Effects = _table(
    {
        Archetype.DECLINING: (0.01, 0.05, 0.10, 0.12),
        Archetype.SILENT: (0.02, 0.07, 0.08, 0.10),
        Archetype.TICKET_STORM: (0.00, 0.02, 0.16, 0.10),
        Archetype.CHAMPION_LEFT: (0.00, 0.03, 0.10, 0.16),
        Archetype.FAILING_PAYMENT: (0.03, 0.09, 0.14, 0.06),
    }
)
"""Of the demo: an e-mail delivered, one opened, a task done with a conversation, an executive who called."""

MEASURED: Effects = {
    Archetype.DECLINING: {
        Care.EMAIL_DELIVERED: Effect(0.001),
        Care.EMAIL_OPENED: Effect(0.006),
        Care.TASK_DONE: Effect(0.030),
        Care.EXECUTIVE: Effect(0.040),
    },
    Archetype.SILENT: {
        Care.EMAIL_DELIVERED: Effect(0.000, 0.004),
        Care.EMAIL_OPENED: Effect(0.002, 0.016),
        Care.TASK_DONE: Effect(0.030, 0.001),
        Care.EXECUTIVE: Effect(0.030, 0.001),
    },
    Archetype.TICKET_STORM: {
        Care.EMAIL_DELIVERED: Effect(0.000, 0.001),
        Care.EMAIL_OPENED: Effect(0.001, 0.003),
        Care.TASK_DONE: Effect(0.050),
        Care.EXECUTIVE: Effect(0.030),
    },
    Archetype.CHAMPION_LEFT: {
        Care.EMAIL_DELIVERED: Effect(0.000),
        Care.EMAIL_OPENED: Effect(0.003),
        Care.TASK_DONE: Effect(0.020),
        Care.EXECUTIVE: Effect(0.050),
    },
    Archetype.FAILING_PAYMENT: {
        Care.EMAIL_DELIVERED: Effect(0.008),
        Care.EMAIL_OPENED: Effect(0.025),
        Care.TASK_DONE: Effect(0.040),
        Care.EXECUTIVE: Effect(0.010),
    },
}
"""Of a company's ordinary year. Who fell silent and still pays is a sleeping dog: a message about the product
reminds them of a bill for something nobody uses; a conversation does not, since it finds out why."""

VALUE: Mapping[Care, float] = {
    Care.EMAIL_DELIVERED: 0.0,
    Care.EMAIL_OPENED: 0.2,
    Care.TASK_DONE: 1.2,
    Care.EXECUTIVE: 0.8,
}
"""By what share one care raises the hazard of reaching first value, for a customer who still waits for it."""
