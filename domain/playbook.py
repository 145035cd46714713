"""The playbook document: one immutable recipe. YAML, API and database hold this same shape."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.condition_needs import needs_of
from domain.conditions import Condition
from domain.documents import END, Document
from domain.durations import Duration
from domain.playbook_steps import Step
from domain.playbook_triggers import Autonomy, Exit, Goal, OnReply, Recalibration, Trigger
from domain.vocabulary import Motion, TouchTier

Part = Literal["billing", "in_app", "calendar", "deals"]
"""What an installation may lack: a playbook that rests on it says so and stays inert until it is there."""


class Playbook(Document):
    """One version of a recipe."""

    key: str = Field(pattern=r"^[a-z][a-z0-9-]{1,60}$")
    name: str
    description: str
    motion: Motion
    priority: int = Field(ge=0, le=100)
    trigger: Trigger
    audience: tuple[TouchTier, ...] = tuple(TouchTier)
    only_if: Condition | None = None
    """Whom it is for besides: asked when a run would open."""
    requires: tuple[Part, ...] = ()
    replaces: bool = False
    """Opening it ends the customer's other runs as replaced (escalation)."""
    cooldown: Duration = timedelta(days=30)
    once: bool = False
    """A customer gets at most one run of it, ever."""
    holdout: bool = True
    """Customers of the global holdout get no run of it."""
    holdout_share: float | None = Field(None, ge=0, le=0.5)
    """So large a share of customers is left without it, to measure it; without one, the installation's."""
    assumed_uplift: float | None = Field(None, ge=0, le=0.9)
    """The share of departures that it is taken to prevent until that is measured; else by its priority."""
    holdout_exempt: tuple[TouchTier, ...] = (TouchTier.STRATEGIC,)
    """These touch tiers are in no holdout of its own."""
    goal: Goal = Goal()
    exits: tuple[Exit, ...] = ()
    recalibration: Recalibration = Recalibration()
    autonomy: Autonomy = Autonomy()
    on_reply: OnReply = OnReply()
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
        for place, target in self._named_targets():
            if target not in ids:
                message = f"{place} goes to {target!r}, which is no step"
                raise ValueError(message)
        return self

    def _named_targets(self) -> Iterator[tuple[str, str]]:
        for step in self.steps:
            for target in step.targets():
                yield f"step {step.id}", target
        for name in ("step_down", "step_up"):
            target = getattr(self.recalibration, name)
            if target is not None:
                yield f"recalibration.{name}", target

    @model_validator(mode="after")
    def _asks_the_customer_before_there_is_a_run(self) -> Self:
        if self.only_if is not None and (own := needs_of(self.only_if).run_fields):
            message = f"only_if is asked before there is a run: it cannot speak of {', '.join(sorted(own))}"
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

    @property
    def opening_message(self) -> str | None:
        """Return the message that may go out as soon as a run begins."""
        return self._message_from(self.steps[0].id)

    @property
    def opens_with_a_message(self) -> bool:
        """Whether nothing but a message happens when a run begins, so that it may begin when doors open."""
        first, rules = self.steps[0], self.autonomy
        asks = "approval" in {rules.default, *rules.tiers.values()}
        return first.is_message and not first.is_transactional and not asks

    @property
    def reaches_people(self) -> bool:
        """Whether it writes to the customer's people by itself, beyond what a contract asks for."""
        steps = (step for step in self.steps if step.is_contact and step.offer is None)
        return any(not step.is_transactional for step in steps)

    def is_moot(self, step: Step) -> bool:
        """Tell whether a wait is for nothing: behind it the run only waits for its goal."""
        waits_anyway = self.goal.when in ("causes_reversed", "renewed", "condition")
        return step.wait is not None and waits_anyway and self.successors(step) == {END}

    def message_after(self, step: Step) -> str | None:
        """Return the message that may go out as soon as this step ends by time."""
        ways = step.wait
        follows = (ways.on_timeout if ways is not None and ways.waits_for_something else None) or self.after(
            step
        )
        return self._message_from(follows) if follows != END else None

    def _message_from(self, step_id: str) -> str | None:
        """Return a message that may go out without time passing in between, None where there is none."""
        if self.step(step_id).is_message:
            return step_id
        reached = self._reached(step_id, self.at_once)
        return next((step.id for step in self.steps if step.id in reached and step.is_message), None)

    def after(self, step: Step) -> str:
        """Return where a step goes when nothing else is said: its `next`, the following step, or the end."""
        if step.next is not None:
            return step.next
        position = self.steps.index(step) + 1
        return self.steps[position].id if position < len(self.steps) else END

    def successors(self, step: Step) -> set[str]:
        """Return every step, or the end, that may come next."""
        following = {way or self.after(step) for way in step.ways()}
        if step.branch is None and step.experiment is None:
            following.add(self.after(step))
        return following

    def at_once(self, step: Step) -> set[str]:
        """Return what may come next at the same instant: an event may have happened, a span never has."""
        if step.wait is None:
            return self.successors(step)
        if not step.wait.may_be_over_at_once:
            return set()
        if step.wait.waits_for_something and step.wait.timeout:
            return {step.wait.on_event or self.after(step)}
        return self.successors(step)

    def ahead_of(self, step_id: str) -> tuple[str, ...]:
        """Return every step that may still come after this one, in the order of the document."""
        reached = self._reached(step_id, self.successors)
        return tuple(step.id for step in self.steps if step.id in reached)

    def conditions(self) -> Iterator[Condition]:
        """Yield every condition that a run of it may ask."""
        yield from (exit_.condition for exit_ in self.exits)
        if self.goal.condition is not None:
            yield self.goal.condition
        for step in self.steps:
            if step.branch is not None:
                yield step.branch.condition
            if step.wait is not None and step.wait.condition is not None:
                yield step.wait.condition

    def _reached(self, step_id: str, following: Callable[[Step], set[str]]) -> set[str]:
        reached: set[str] = set()
        edge = {step_id}
        while edge:
            found = {name for at in edge if at != END for name in following(self.step(at))}
            edge = found - reached
            reached |= found
        return reached
