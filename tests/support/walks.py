"""One run in memory: what the activities would write of it, without a database."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.documents import TEXT_FIELDS
from domain.interpreter import advance
from domain.playbook import Playbook
from domain.run_state import Position, Progress, RunView, StepRow, TaskOrder, TaskRow
from domain.time import BusinessInstant, business
from domain.vocabulary import InterventionState, StepState, TaskOutcome

START = business(datetime(2028, 2, 25, 10, tzinfo=UTC))  # a Friday before a leap day
TEXTS = dict.fromkeys(TEXT_FIELDS, "x")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def recipe(*steps: dict[str, Any], **more: Any) -> Playbook:
    """A playbook of these steps; without an id they are called a1, a2 and so on.

    A wait at its end would be for nothing and is left out: `last` follows it.
    """
    named = [{"id": f"a{number}"} | step for number, step in enumerate(steps, start=1)]
    base: dict[str, Any] = {
        "key": "a-key", "name": "n", "description": "d", "motion": "retention", "priority": 50,
        "trigger": {"tier": "high"}, "steps": named,
    }  # fmt: skip
    playbook = Playbook.model_validate(base | more)
    if not playbook.is_moot(playbook.steps[-1]):
        return playbook
    return Playbook.model_validate(base | more | {"steps": [*named, {"id": "last"} | notify()]})


def email(**more: Any) -> dict[str, Any]:
    return {"send_email": {"template": "hello", "to": ["champion"]}, **more}


def task(**more: Any) -> dict[str, Any]:
    return {"create_task": {"title": "Call $customer", "body": "$reason"}, **more}


def notify(**more: Any) -> dict[str, Any]:
    return {"notify": {"title": "Look at $customer", "body": "$arr"}, **more}


def pause(span: str = "2d", **more: Any) -> dict[str, Any]:
    return {"wait": {"duration": span}, **more}


def until(event: str, timeout: str = "3d", **more: Any) -> dict[str, Any]:
    return {"wait": {"event": event, "timeout": timeout, **more}}


def either(field_: str, value: Any, then: str, otherwise: str) -> dict[str, Any]:
    return {"branch": {"if": {"field": field_, "is": value}, "then": then, "else": otherwise}}


@dataclass
class Run:
    """A run that keeps what `advance` says, as the database does."""

    playbook: Playbook
    now: BusinessInstant = START
    view: RunView = field(init=False)
    orders: list[TaskOrder] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    last: Progress = field(init=False)

    def __post_init__(self) -> None:
        """Start with causes that hold."""
        self.view = RunView(
            intervention_id=uuid.UUID(int=1),
            customer_id=uuid.UUID(int=2),
            state=InterventionState.RUNNING,
            started_at=self.now,
            position=Position(),
            causes_hold=True,
            has_churned=False,
            touched_at=None,
            replied_at=None,
            renewed=False,
        )

    def advance(self, after: timedelta = timedelta(), **changes: Any) -> Progress:
        """Let time pass, change what bears on the run, advance it, and keep what it says."""
        self.now = BusinessInstant(self.now + after)
        self.view = replace(self.view, **changes)
        self.last = advance(self.view, self.playbook, TEXTS, self.now)
        self._keep(self.last)
        return self.last

    def _keep(self, progress: Progress) -> None:
        rows = {(row.step_id, row.occurrence): row for row in self.view.steps}
        for note in progress.notes:
            key = (note.step_id, note.occurrence)
            rows[key] = StepRow(*key, note.state, note.due_at, note.reason)
        tasks = tuple(
            TaskRow(order.step_id, order.occurrence, is_open=True, purpose=order.purpose)
            for order in progress.tasks
        )
        self.orders += progress.tasks
        self.warnings += [order.step_id for order in progress.heads_ups]
        # through JSON, as it is stored
        position = Position.model_validate(progress.position.model_dump(mode="json"))
        self.view = replace(
            self.view, position=position, steps=tuple(rows.values()), tasks=(*self.view.tasks, *tasks)
        )

    def settle(
        self, state: StepState = StepState.DONE, due: BusinessInstant | None = None, reason: str | None = None
    ) -> None:
        """Record what became of the send that was asked for, as the sending activity does."""
        order = self.last.send
        assert order is not None
        key = (order.step_id, order.occurrence)
        others = tuple(row for row in self.view.steps if (row.step_id, row.occurrence) != key)
        self.view = replace(self.view, steps=(*others, StepRow(*key, state, due, reason)))

    def finish(self, step_id: str, state: StepState, reason: str | None = None) -> None:
        """Record what became of the current visit of a step, as a person or another activity does."""
        key = (step_id, self.view.position.visits[step_id])
        others = tuple(row for row in self.view.steps if (row.step_id, row.occurrence) != key)
        self.view = replace(self.view, steps=(*others, StepRow(*key, state, None, reason)))

    def finish_tasks(self, outcome: TaskOutcome = TaskOutcome.REACHED) -> None:
        """Close every open task."""
        closed = tuple(
            replace(one, is_open=False, outcome=outcome) if one.is_open else one for one in self.view.tasks
        )
        self.view = replace(self.view, tasks=closed)

    def state_of(self, step_id: str, occurrence: int = 1) -> StepState | None:
        """Return the state of a visit."""
        row = self.view.row_of(step_id, occurrence)
        return row.state if row else None

    @property
    def window_end(self) -> BusinessInstant:
        rested = self.view.position.paused_for
        return BusinessInstant(self.view.started_at + self.playbook.goal.window + rested)
