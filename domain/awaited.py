"""What a run asks at every moment, and which of it may come to hold without any news."""

from domain.condition_needs import needs_of
from domain.conditions import Condition
from domain.playbook import Playbook

TOLD = frozenset({"tier", "tier_rank"})
"""Scored fields whose every change is a notice of its own."""


def awaited(playbook: Playbook, step_id: str | None, *, rests: bool) -> tuple[Condition, ...]:
    """Return the conditions that would end or move a run at this step now; a run that rests takes no step."""
    asked = [way_out.condition for way_out in playbook.exits]
    if playbook.goal.condition is not None:
        asked.append(playbook.goal.condition)
    step = next((step for step in playbook.steps if step.id == step_id), None)
    if not rests and step is not None and step.wait is not None and step.wait.condition is not None:
        asked.append(step.wait.condition)
    return tuple(asked)


def comes_without_news(condition: Condition) -> bool:
    """Tell whether a scoring, or time alone, can make it hold: nothing rings for either."""
    needs = needs_of(condition)
    return bool(needs.fields - TOLD or needs.history or needs.performed or needs.signals)
