"""What a playbook does to a customer in a trial: which care on which day, and how surely."""

from collections.abc import Mapping
from dataclasses import dataclass

from ml.simulation.archetypes import Care

CONTROL = "control"
"""The arm that gets nothing."""


@dataclass(frozen=True)
class Step:
    """One care of a treatment, `day` days after enrolment; it reaches the customer with a chance."""

    day: int
    care: Care
    chance: float = 1.0


def _mail(*days: int) -> tuple[Step, ...]:
    """Return messages that arrive, half of which are opened."""
    return tuple(
        step for day in days for step in (Step(day, Care.EMAIL_DELIVERED), Step(day, Care.EMAIL_OPENED, 0.5))
    )


TREATMENTS: Mapping[str, tuple[Step, ...]] = {
    CONTROL: (),
    "usage-nudge": _mail(1, 6, 13),
    "value-conversation": (Step(2, Care.TASK_DONE, 0.75), Step(10, Care.TASK_DONE, 0.5)),
    "escalated-save": (Step(2, Care.EXECUTIVE, 0.8), Step(6, Care.TASK_DONE, 0.7)),
    "personal-note": _mail(1),
}
"""Families of playbooks by the name of one of the library; what their care changes is in causes.py."""
