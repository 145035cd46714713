"""What the interpreter sees of a run, and what it says: plain data on both sides."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.contact_slots import OpenHours
from domain.dealing import Before
from domain.known import Facts
from domain.time import BusinessInstant
from domain.vocabulary import (
    CustomerDate,
    InterventionState,
    Outcome,
    Severity,
    StepState,
    TaskOutcome,
    TouchTier,
)


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
    reached_here: int = 0
    """How many people the current contact step has been for, since it was first entered."""
    is_invited: bool = False
    """The current meeting's invitation is out: what is waited for is the answer."""
    worse_since: BusinessInstant | None = None
    """Since when the causes are worse than when the run opened."""
    has_stepped_down: bool = False
    has_stepped_up: bool = False
    paused_since: BusinessInstant | None = None
    paused_for: timedelta = timedelta()
    """How long it has rested by a person's wish: its window is longer by that."""
    answering_since: BusinessInstant | None = None
    """Since when it rests because the customer has answered and a person is on it."""
    replies: int = 0
    """How many answers it has rested for."""
    reply_heard_at: BusinessInstant | None = None
    """The last answer that was dealt with."""
    touch_heard_at: BusinessInstant | None = None
    """The last two-way contact that a wait was over with."""


@dataclass(frozen=True)
class StepRow:
    """What is recorded of one visit of a step."""

    step_id: str
    occurrence: int
    state: StepState
    due_at: BusinessInstant | None = None
    reason: str | None = None
    """Why, or, of a step of a developer's own, its result."""


@dataclass(frozen=True)
class TaskRow:
    """A task that the run made."""

    step_id: str
    occurrence: int
    is_open: bool
    outcome: TaskOutcome | None = None
    purpose: str = "task"


@dataclass(frozen=True)
class MeetingRow:
    """A meeting that the run invited to, and the answer."""

    step_id: str
    occurrence: int
    answer: str | None = None
    was_held: bool = False


@dataclass(frozen=True)
class RunView:
    """One run and what bears on it, at one instant."""

    intervention_id: uuid.UUID
    customer_id: uuid.UUID
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
    facts: Facts = field(default_factory=dict)
    """What conditions ask for."""
    causes_are_worse: bool = False
    """The tier is higher than at the opening, or a further signal of the same family has opened."""
    is_paused: bool = False
    """A person has stopped this run, its playbook, its customer, a segment, or everything."""
    rests_until: BusinessInstant | None = None
    """When that ends by itself, None where a person has to say so."""
    touch_tier: TouchTier = TouchTier.MANAGED
    expected_loss: float = 0.0
    """Churn probability times ARR, in whole units of the customer's currency."""
    dates: Mapping[CustomerDate, BusinessInstant] = field(default_factory=dict)
    time_zone: str = "UTC"
    days_off: frozenset[date] = frozenset()
    """Holidays where the customer is, and our own days off."""
    open_hours: OpenHours | None = None
    """When messages may go out, known where the playbook waits before one."""
    met_at: BusinessInstant | None = None
    """The last meeting held since the run started."""
    paid_at: BusinessInstant | None = None
    """The last payment since the run started."""
    meetings: tuple[MeetingRow, ...] = ()
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """How likely each variant of an experiment is to be the best, by step; of those that are measured."""
    dealt: Mapping[str, Before] = field(default_factory=dict)
    """The variant that the customer was dealt before, by step."""
    against_offer: str = ""
    """Why nothing that costs us may be proposed now; known where the playbook would."""

    def row_of(self, step_id: str, occurrence: int) -> StepRow | None:
        """Return the record of a visit."""
        found = (row for row in self.steps if (row.step_id, row.occurrence) == (step_id, occurrence))
        return next(found, None)

    def task_of(self, step_id: str, occurrence: int, purpose: str = "task") -> TaskRow | None:
        """Return the task that a visit made."""
        wanted = (step_id, occurrence, purpose)
        return next((one for one in self.tasks if (one.step_id, one.occurrence, one.purpose) == wanted), None)

    def meeting_of(self, step_id: str, occurrence: int) -> MeetingRow | None:
        """Return the meeting that a visit invited to."""
        found = (one for one in self.meetings if (one.step_id, one.occurrence) == (step_id, occurrence))
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
    """A task to create, once per visit of its step and purpose."""

    step_id: str
    occurrence: int
    kind: str
    title: str
    body: str
    assignee: str
    severity: Severity
    due_at: BusinessInstant
    purpose: str = "task"


@dataclass(frozen=True)
class NotifyOrder:
    """A heads-up to open."""

    step_id: str
    to: str
    severity: Severity
    title: str
    body: str


@dataclass(frozen=True)
class OfferOrder:
    """An offer to write down, in the state that it has reached."""

    step_id: str
    occurrence: int
    kind: str
    title: str
    state: str
    """proposed, agreed (to be made), granted, refused, expired or withdrawn."""
    percent: float | None = None
    months: int | None = None
    decide_by: BusinessInstant | None = None


@dataclass(frozen=True)
class ChangeOrder:
    """What to say of the customer from now on; None leaves it as it is."""

    touch_tier: TouchTier | None
    watchlist: bool | None


@dataclass(frozen=True)
class TurnOrder:
    """A recalibration: the run goes on elsewhere. What it left behind is its receipt."""

    direction: str
    """down or up."""
    from_step: str | None
    to_step: str
    sentence: str
    cancelled_steps: tuple[str, ...]
    cancels_tasks: bool


Order = TaskOrder | NotifyOrder | OfferOrder | ChangeOrder | TurnOrder


@dataclass(frozen=True)
class SendOrder:
    """A message that should go out now, if nothing speaks against it at that moment."""

    step_id: str
    occurrence: int


@dataclass(frozen=True)
class PerformOrder:
    """Something that another activity does now: a prompt, a webhook, a payment, a developer's own step."""

    step_id: str
    occurrence: int
    kind: str


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
    orders: tuple[Order, ...] = ()
    send: SendOrder | None = None
    perform: PerformOrder | None = None
    wake_at: BusinessInstant | None = None
    ending: Ending | None = None
    expects: str | None = None
    """The step whose message is next if nothing happens until `wake_at`: a guess, which binds nobody."""

    @property
    def tasks(self) -> tuple[TaskOrder, ...]:
        """The tasks among the orders."""
        return tuple(order for order in self.orders if isinstance(order, TaskOrder))

    @property
    def heads_ups(self) -> tuple[NotifyOrder, ...]:
        """The warnings among the orders."""
        return tuple(order for order in self.orders if isinstance(order, NotifyOrder))
