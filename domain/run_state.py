"""What the interpreter sees of a run, and what it says: plain data on both sides."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.conditions import Value
from domain.time import BusinessInstant
from domain.vocabulary import InterventionState, Outcome, Severity, StepState, TaskOutcome


class Position(BaseModel):
    """Where a run stands. Add-only, with defaults: old rows must stay readable."""

    model_config = ConfigDict(frozen=True)

    step: str | None = None
    """The current step, None before the first."""
    entered_at: BusinessInstant | None = None
    due_at: BusinessInstant | None = None
    """When the current wait or send is over."""
    visits: dict[str, int] = {}
    """How often each step was entered: the occurrence in effect keys."""
    reversed_since: BusinessInstant | None = None
    """Since when the causes no longer hold; outreach is held back meanwhile."""
    uncertain_since: BusinessInstant | None = None
    """Since when we know that the current send is uncertain."""


@dataclass(frozen=True)
class StepRow:
    """What is recorded of one visit of a step."""

    step_id: str
    occurrence: int
    state: StepState
    due_at: BusinessInstant | None = None
    reason: str | None = None


@dataclass(frozen=True)
class TaskRow:
    """A task that the run made."""

    step_id: str
    occurrence: int
    is_open: bool
    outcome: TaskOutcome | None = None


@dataclass(frozen=True)
class RunView:
    """One run and what bears on it, at one instant."""

    intervention_id: uuid.UUID
    state: InterventionState
    started_at: BusinessInstant
    position: Position
    causes_hold: bool
    """At least one cause of the run still holds."""
    has_churned: bool
    touched_at: BusinessInstant | None
    """The last two-way contact since the run started."""
    replied_at: BusinessInstant | None
    renewed: bool
    steps: tuple[StepRow, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    facts: dict[str, Value] = field(default_factory=dict)
    """Fields of conditions, by name."""

    def row_of(self, step_id: str, occurrence: int) -> StepRow | None:
        """Return the record of a visit."""
        found = (row for row in self.steps if (row.step_id, row.occurrence) == (step_id, occurrence))
        return next(found, None)


@dataclass(frozen=True)
class StepNote:
    """A line for the run's record."""

    step_id: str
    occurrence: int
    kind: str
    state: StepState
    reason: str | None = None
    due_at: BusinessInstant | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskOrder:
    """A task to create, once per visit of its step."""

    step_id: str
    occurrence: int
    kind: str
    title: str
    body: str
    assignee: str
    severity: Severity
    due_at: BusinessInstant


@dataclass(frozen=True)
class NotifyOrder:
    """A heads-up to open."""

    step_id: str
    to: str
    severity: Severity
    title: str
    body: str


@dataclass(frozen=True)
class SendOrder:
    """A message that should go out now, if nothing speaks against it at that moment."""

    step_id: str
    occurrence: int


@dataclass(frozen=True)
class Ending:
    """How a run ends, and what that cancels."""

    outcome: Outcome
    reason: str
    cancelled_steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """The interpreter's answer."""

    position: Position
    notes: tuple[StepNote, ...] = ()
    tasks: tuple[TaskOrder, ...] = ()
    heads_ups: tuple[NotifyOrder, ...] = ()
    send: SendOrder | None = None
    wake_at: BusinessInstant | None = None
    ending: Ending | None = None
