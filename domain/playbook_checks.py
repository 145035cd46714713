"""What a valid playbook names outside of itself, and what in it is likely not meant so."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from domain.own_steps import OwnSteps, check_own_steps
from domain.playbook import Playbook
from domain.playbook_problems import Path, Problem, nearest
from domain.playbook_steps import Step

Checker = Callable[[Playbook], Iterable[Problem]]
"""Looks at a valid playbook from one side; what else an installation knows is added as one more of them."""


@dataclass(frozen=True)
class Surroundings:
    """The names that exist around a playbook; None means that nobody knows, and nothing is said."""

    templates: frozenset[str] | None = None
    endpoints: frozenset[str] | None = None
    own_steps: OwnSteps | None = None
    own_signals: frozenset[str] | None = None


def check_playbook(playbook: Playbook, around: Surroundings, *more: Checker) -> tuple[Problem, ...]:
    """Return what is wrong with a playbook that is valid in itself, and what is suspicious."""
    checkers: tuple[Checker, ...] = (
        lambda one: _unknown_names(one, around),
        lambda one: _own_steps(one, around.own_steps),
        _unreached,
        _tasks_without_room,
        *more,
    )
    return tuple(problem for checker in checkers for problem in checker(playbook))


def _unknown_names(playbook: Playbook, around: Surroundings) -> Iterator[Problem]:
    for place, step in enumerate(playbook.steps):
        for part, name, value, known in _names(step, around):
            path: Path = ("steps", place, part, name)
            yield from _unknown(path, name, value, known)
    keys = [key.removeprefix("own:") for key in playbook.trigger.own_signals]
    for number, key in enumerate(keys):
        yield from _unknown(("trigger", "own_signals", number), "signal", key, around.own_signals)


def _names(step: Step, around: Surroundings) -> Iterator[tuple[str, str, str, frozenset[str] | None]]:
    if step.send_email is not None:
        yield "send_email", "template", step.send_email.template, around.templates
    if step.schedule_meeting is not None:
        yield "schedule_meeting", "template", step.schedule_meeting.template, around.templates
    if step.call_webhook is not None:
        yield "call_webhook", "endpoint", step.call_webhook.endpoint, around.endpoints


def _unknown(path: Path, what: str, name: str, known: frozenset[str] | None) -> Iterator[Problem]:
    if known is not None and name not in known:
        near = nearest(name, known) or f"there are {', '.join(sorted(known)) or 'none'}"
        yield Problem(path, f"there is no {what} {name!r}", near)


def _own_steps(playbook: Playbook, known: OwnSteps | None) -> Iterator[Problem]:
    for found in check_own_steps(playbook, known) if known is not None else ():
        path = tuple(int(part) if part.isdigit() else part for part in found.path.split("."))
        yield Problem(path, found.message, "")


def _unreached(playbook: Playbook) -> Iterator[Problem]:
    first = playbook.steps[0].id
    rules = playbook.recalibration
    starts = [name for name in (first, rules.step_down, rules.step_up) if name is not None]
    reached = {*starts, *(name for start in starts for name in playbook.ahead_of(start))}
    for place, step in enumerate(playbook.steps):
        if step.id not in reached:
            message = f"no way leads to the step {step.id!r}"
            hint = "name it in a next, or leave it out"
            yield Problem(("steps", place, "id"), message, hint, level="warning")


def _tasks_without_room(playbook: Playbook) -> Iterator[Problem]:
    """Warn where a task is waited for less long than people have for it."""
    for place, step in enumerate(playbook.steps):
        if step.wait is None or step.wait.step is None or step.wait.timeout is None:
            continue
        task = playbook.step(step.wait.step).create_task
        if task is not None and step.wait.timeout < task.due_in:
            message = f"the wait is over before the task of {step.wait.step!r} is due"
            path: Path = ("steps", place, "wait", "timeout")
            yield Problem(path, message, "give people the time that due_in promises", level="warning")
