"""One call of the interpreter in progress: where the run stands, what was noted, what is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from string import Template
from typing import Any

from domain.documents import END
from domain.playbook import Playbook
from domain.playbook_steps import Step
from domain.run_state import (
    Ending,
    Order,
    PerformOrder,
    Position,
    Progress,
    RunView,
    SendOrder,
    StepNote,
    StepRow,
)
from domain.time import BusinessInstant, after
from domain.vocabulary import StepState

FINISHED = {StepState.DONE, StepState.SKIPPED, StepState.FAILED, StepState.CANCELLED}


@dataclass
class Walk:
    """One call's work in progress."""

    run: RunView
    playbook: Playbook
    texts: dict[str, str]
    now: BusinessInstant
    position: Position
    notes: list[StepNote] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    looks: list[BusinessInstant] = field(default_factory=list)
    """Instants at which to look again, whatever the current step waits for."""
    send: SendOrder | None = None
    perform: PerformOrder | None = None

    @property
    def occurrence(self) -> int:
        """Which visit of the current step this is, from 1."""
        return self.position.visits.get(self.position.step or "", 0)

    @property
    def row(self) -> StepRow | None:
        """The record of the current visit."""
        return self.run.row_of(self.position.step or "", self.occurrence)

    @property
    def entered_at(self) -> BusinessInstant:
        """When the current step was entered."""
        return self.position.entered_at or self.now

    @property
    def window_end(self) -> BusinessInstant:
        """When the goal's window closes; the time that people had the run rest is not counted."""
        return after(self.run.started_at, self.playbook.goal.window + self.position.paused_for)

    def note(self, step: Step, state: StepState, reason: str | None = None, **detail: Any) -> None:
        """Record what became of the current visit."""
        due = self.position.due_at
        self.notes.append(StepNote(step.id, self.occurrence, step.kind, state, reason, due, detail))

    def enter(self, step_id: str, *, reached_here: int = 0) -> None:
        """Move on to a step."""
        visits = self.position.visits | {step_id: self.position.visits.get(step_id, 0) + 1}
        self.set(
            step=step_id,
            visits=visits,
            entered_at=self.now,
            due_at=None,
            uncertain_since=None,
            reached_here=reached_here,
            is_invited=False,
        )

    def set(self, **changes: Any) -> None:
        """Change the position."""
        self.position = self.position.model_copy(update=changes)

    def wait_for(self, due: BusinessInstant | None) -> None:
        """Set when the current step is over, None where no time but an answer ends it."""
        self.set(due_at=due)

    def since_entered(self, span: timedelta) -> BusinessInstant:
        """Return the instant so long after the current step was entered."""
        return after(self.entered_at, span)

    def fill(self, text: str) -> str:
        """Fill the `$names` of a text."""
        return Template(text).substitute(self.texts)

    def progress(self, wake_at: BusinessInstant | None, ending: Ending | None = None) -> Progress:
        """Return what was found; it is looked at again at the earliest of all instants that were named."""
        looks: Iterable[BusinessInstant] = (look for look in self.looks if look > self.now)
        wake = None if ending is not None or wake_at is None else min([wake_at, *looks])
        expects = self._expects() if wake is not None and wake == self.position.due_at else None
        return Progress(
            self.position,
            tuple(self.notes),
            tuple(self.orders),
            self.send,
            self.perform,
            wake,
            ending,
            expects,
        )

    def _expects(self) -> str | None:
        """Return the step whose message goes out if the current one just ends by time."""
        if self.position.step in {None, END}:
            return None
        step = self.playbook.step(self.position.step or "")
        if step.wait is not None:
            return self.playbook.message_after(step)
        return step.id if step.is_message and not self.position.is_invited else None
