"""What opens a run and what ends or redirects it: the parts of a playbook beside its steps."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from domain.condition_clauses import Performed
from domain.conditions import Condition
from domain.documents import Document
from domain.durations import Duration, Offset
from domain.vocabulary import (
    CustomerDate,
    HealthComponent,
    HealthStatus,
    Outcome,
    RiskTier,
    SignalKind,
    TouchTier,
)

OWN = "own:"
"""Before the name of a signal that the tenant declared."""


class DateTrigger(Document):
    """So long before (`-60d`) or after (`90d`) a date of the customer, for as long as `within`."""

    date: CustomerDate
    offset: Offset = Field(alias="at")
    within: Duration = timedelta(days=14)
    """How late it may still begin; what lies further back is past."""


class EventTrigger(Document):
    """The customer's people did something, by the name under which it is tracked."""

    performed: str = Field(min_length=1, max_length=200)
    times: int = Field(1, ge=1)
    within: Duration = timedelta(days=1)

    @model_validator(mode="after")
    def _can_be_counted(self) -> Self:
        """Refuse what no condition could ask."""
        Performed(performed=self.performed, times=self.times, within=self.within)
        return self


class ScheduleTrigger(Document):
    """Again and again, counted from a date of the customer; each customer has its own day."""

    every: Duration
    since: CustomerDate = CustomerDate.STARTED

    @model_validator(mode="after")
    def _is_not_a_hail(self) -> Self:
        if self.every < timedelta(days=1):
            raise ValueError("a schedule opens a run at most once a day")
        return self


class Trigger(Document):
    """When a run opens. People and the API may open one of any playbook; `manual` ones open only so."""

    tier: RiskTier | None = None
    drivers: tuple[HealthComponent, ...] = ()
    health: HealthStatus | None = None
    """Health that has fallen to this status or a worse one."""
    signals: tuple[SignalKind, ...] = ()
    own_signals: tuple[str, ...] = ()
    """Signals that the tenant declared, by their keys."""
    resolved: tuple[SignalKind, ...] = ()
    """Signals that have ended lately."""
    before_renewal: Duration | None = None
    on_date: DateTrigger | None = None
    event: EventTrigger | None = None
    schedule: ScheduleTrigger | None = None
    manual: bool = False

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if len(self.kinds) != 1:
            message = f"a trigger has one of {', '.join(TRIGGERS)}"
            raise ValueError(message)
        if self.drivers and self.tier is None:
            raise ValueError("drivers go with a tier: they say which reasons of the risk it is for")
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the names of what was given; a valid trigger has one."""
        found = [name for name in TRIGGERS if getattr(self, name) not in (None, (), False)]
        return tuple(name for name in found if name != "own_signals" or "signals" not in found)


TRIGGERS = (
    "tier",
    "health",
    "signals",
    "own_signals",
    "resolved",
    "before_renewal",
    "on_date",
    "event",
    "schedule",
    "manual",
)


class Goal(Document):
    """What ends the run well, and as what."""

    when: Literal["causes_reversed", "touchpoint", "meeting", "renewed", "condition", "steps_taken"] = (
        "causes_reversed"
    )
    condition: Condition | None = None
    outcome: Outcome = Outcome.SAVED
    dwell: Duration = timedelta(hours=12)
    window: Duration = timedelta(days=30)

    @model_validator(mode="after")
    def _has_its_condition(self) -> Self:
        if (self.when == "condition") is (self.condition is None):
            raise ValueError("a goal has a condition where, and only where, it says when: condition")
        return self


class Exit(Document):
    """What ends the run without its goal: it is of no use any more."""

    condition: Condition = Field(alias="if")
    reason: str = Field(min_length=3, max_length=200)
    outcome: Literal[Outcome.NO_CHANGE, Outcome.STOPPED, Outcome.LOST] = Outcome.STOPPED


class Recalibration(Document):
    """What a run does when its cause gets better or worse, and stays so for the dwell time.

    Better: it exits as its goal says, or steps down to a gentler step. Worse (a higher tier than it was
    opened at, or a further signal of the same family): it steps up. Each way is gone once in a run.
    """

    step_down: str | None = None
    """Where to go on when the cause has reversed; without one the run exits as saved."""
    step_up: str | None = None
    dwell: Duration = timedelta(hours=12)
    """How long it must have been worse."""


class Autonomy(Document):
    """Whether what reaches the customer goes out by itself or after a person's yes, by touch tier."""

    default: Literal["automatic", "approval"] = "automatic"
    tiers: dict[TouchTier, Literal["automatic", "approval"]] = Field(default_factory=dict)
    approver: Literal["csm", "manager", "sales"] = "csm"
    deadline: Duration = timedelta(days=2)
    on_expiry: Literal["go", "skip", "end"] = "skip"
    """What happens when nobody has answered by then: nothing waits for a person for ever."""

    def asks(self, tier: TouchTier) -> bool:
        """Whether a person is asked first for customers of this tier."""
        return self.tiers.get(tier, self.default) == "approval"


class OnReply(Document):
    """What an answer of the customer does: the run rests until a person has dealt with it."""

    pause: bool = True
    title: str = "Answer $customer"
    deadline: Duration = timedelta(days=3)
    """After so long the run goes on without."""
