"""The playbook document: one immutable recipe. YAML, API and database hold this same shape."""

from collections.abc import Callable
from datetime import timedelta
from string import Template
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.conditions import Condition
from domain.durations import Duration
from domain.vocabulary import (
    ContactRole,
    HealthComponent,
    Motion,
    Outcome,
    Purpose,
    RiskTier,
    Severity,
    SignalKind,
    TouchTier,
)

END = "end"
TEXT_FIELDS = {"customer", "reason", "arr", "renewal_date", "contact"}


class Document(BaseModel):
    """Strict and immutable, as all parts of a playbook are."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _check_text(text: str) -> None:
    names = set(Template(text).get_identifiers())
    unknown = names - TEXT_FIELDS
    if not Template(text).is_valid():
        raise ValueError("a $ stands before a name, such as $customer; write $$ for the sign itself")
    if unknown:
        message = f"unknown ${', $'.join(sorted(unknown))}; texts may use ${', $'.join(sorted(TEXT_FIELDS))}"
        raise ValueError(message)


class SendEmail(Document):
    """One message to the first reachable person of the named roles."""

    template: str
    to: tuple[ContactRole, ...] = Field(min_length=1)
    purpose: Purpose = Purpose.LIFECYCLE


class CreateTask(Document):
    """Work for one of our people."""

    kind: Literal["call", "email", "meeting", "review", "executive"] = "call"
    title: str
    body: str
    assignee: Literal["csm", "manager", "sales"] = "csm"
    due_in: Duration = timedelta(days=2)
    severity: Severity = Severity.MEDIUM

    @model_validator(mode="after")
    def _texts_use_known_names(self) -> Self:
        _check_text(self.title)
        _check_text(self.body)
        return self


class Notify(Document):
    """A heads-up for one of our people: to know, not to do."""

    to: Literal["csm", "manager", "sales"] = "csm"
    title: str
    body: str
    severity: Severity = Severity.MEDIUM

    @model_validator(mode="after")
    def _texts_use_known_names(self) -> Self:
        _check_text(self.title)
        _check_text(self.body)
        return self


class Wait(Document):
    """Let time pass, or wait for an event with a timeout. What interrupts a run interrupts every wait."""

    duration: Duration | None = None
    event: Literal["task_done", "reply", "touchpoint", "meeting"] | None = None
    step: str | None = None
    timeout: Duration | None = None
    on_event: str | None = None
    on_timeout: str | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.duration is None) == (self.event is None):
            raise ValueError("a wait has either a duration or an event")
        if self.event is not None and self.timeout is None:
            raise ValueError("a wait for an event needs a timeout: nothing waits for ever")
        if (self.event == "task_done") is (self.step is None):
            raise ValueError("a wait for task_done, and no other, names the step whose task it waits for")
        if self.duration is not None and (self.timeout or self.on_event or self.on_timeout):
            raise ValueError("a wait for a duration has no timeout, on_event or on_timeout: use next")
        return self


class Branch(Document):
    """Go one way or the other, by what holds when the branch is reached."""

    condition: Condition = Field(alias="if")
    then: str
    otherwise: str = Field(alias="else")


class Step(Document):
    """One node: an id that stays the same across versions, and exactly one thing to do."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")
    send_email: SendEmail | None = None
    create_task: CreateTask | None = None
    notify: Notify | None = None
    wait: Wait | None = None
    branch: Branch | None = None
    next: str | None = None

    @property
    def kind(self) -> str:
        """Name of the one thing this step does."""
        return next(name for name in STEP_KINDS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if sum(getattr(self, name) is not None for name in STEP_KINDS) != 1:
            message = f"step {self.id} must have exactly one of {', '.join(STEP_KINDS)}"
            raise ValueError(message)
        return self

    def targets(self) -> tuple[str, ...]:
        """Return every step id that this step may go to by name."""
        named: list[str | None] = [self.next]
        if self.wait is not None:
            named += [self.wait.on_event, self.wait.on_timeout]
        if self.branch is not None:
            named += [self.branch.then, self.branch.otherwise]
        return tuple(name for name in named if name is not None and name != END)


STEP_KINDS = ("send_email", "create_task", "notify", "wait", "branch")


class Trigger(Document):
    """When a run opens: a tier with the main driver's family, a signal, or a date of the customer."""

    tier: RiskTier | None = None
    drivers: tuple[HealthComponent, ...] = ()
    signals: tuple[SignalKind, ...] = ()
    before_renewal: Duration | None = None

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Self:
        if sum((self.tier is not None, bool(self.signals), self.before_renewal is not None)) != 1:
            raise ValueError("a trigger has one of tier, signals or before_renewal")
        return self


class Goal(Document):
    """What ends the run well, and as what."""

    when: Literal["causes_reversed", "touchpoint", "renewed"] = "causes_reversed"
    outcome: Outcome = Outcome.SAVED
    dwell: Duration = timedelta(hours=12)
    window: Duration = timedelta(days=30)


class Playbook(Document):
    """One version of a recipe."""

    key: str = Field(pattern=r"^[a-z][a-z0-9-]{1,60}$")
    name: str
    description: str
    motion: Motion
    priority: int = Field(ge=0, le=100)
    trigger: Trigger
    audience: tuple[TouchTier, ...] = tuple(TouchTier)
    replaces: bool = False
    """Opening it ends the customer's other runs as replaced (escalation)."""
    cooldown: Duration = timedelta(days=30)
    holdout: bool = True
    """Customers of the global holdout get no run of it."""
    goal: Goal = Goal()
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _steps_are_connected(self) -> Self:
        ids = [step.id for step in self.steps]
        doubled = {name for name in ids if ids.count(name) > 1}
        if doubled:
            message = f"step ids must differ: {', '.join(sorted(doubled))}"
            raise ValueError(message)
        if END in ids:
            raise ValueError("no step may be called end: that is where a run goes when it is over")
        for step in self.steps:
            for target in step.targets():
                if target not in ids:
                    message = f"step {step.id} goes to {target!r}, which is no step"
                    raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _waits_for_tasks_that_are_made(self) -> Self:
        makers = {step.id for step in self.steps if step.create_task is not None}
        for step in self.steps:
            if step.wait is not None and step.wait.step is not None and step.wait.step not in makers:
                message = f"step {step.id} waits for the task of {step.wait.step!r}, which creates none"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _loops_take_time(self) -> Self:
        for step in self.steps:
            if step.id in self._reached(step.id, self.at_once):
                message = f"step {step.id} comes round to itself without a wait between: let time pass"
                raise ValueError(message)
        return self

    def step(self, step_id: str) -> Step:
        """Return the step with this id."""
        return next(step for step in self.steps if step.id == step_id)

    def after(self, step: Step) -> str:
        """Return where a step goes when nothing else is said: its `next`, the following step, or the end."""
        if step.next is not None:
            return step.next
        position = self.steps.index(step) + 1
        return self.steps[position].id if position < len(self.steps) else END

    def successors(self, step: Step) -> set[str]:
        """Return every step, or the end, that may come next."""
        if step.branch is not None:
            return {step.branch.then, step.branch.otherwise}
        return self.at_once(step) | {(step.wait and step.wait.on_timeout) or self.after(step)}

    def at_once(self, step: Step) -> set[str]:
        """Return what may come next at the same instant: an event may have happened, a span never has."""
        if step.branch is not None:
            return {step.branch.then, step.branch.otherwise}
        if step.wait is None:
            return {self.after(step)}
        instant = {(step.wait.on_event or self.after(step))} if step.wait.event else set()
        passed = not (step.wait.duration or step.wait.timeout)
        return instant | ({step.wait.on_timeout or self.after(step)} if passed else set())

    def ahead_of(self, step_id: str) -> tuple[str, ...]:
        """Return every step that may still come after this one, in the order of the document."""
        reached = self._reached(step_id, self.successors)
        return tuple(step.id for step in self.steps if step.id in reached)

    def _reached(self, step_id: str, following: Callable[[Step], set[str]]) -> set[str]:
        reached: set[str] = set()
        edge = {step_id}
        while edge:
            found = {name for at in edge if at != END for name in following(self.step(at))}
            edge = found - reached
            reached |= found
        return reached
