"""The interpreter: advances one run of one playbook version by as many steps as can be taken now.

Pure. It decides after waking, never before: each call looks at what holds now, ends the run if it is over,
rests while a person, an answer or a reversed cause wants it, turns it where the cause has changed for long
enough, and only then takes steps until one must wait.
"""

from collections.abc import Callable, Iterator

from domain.documents import END
from domain.playbook import Playbook
from domain.run_holds import (
    held_while_answering,
    held_while_reversed,
    is_resting,
    turn_if_worse,
)
from domain.run_state import Ending, Progress, RunView
from domain.run_steps import ACTIONS
from domain.run_walk import FINISHED, Walk
from domain.time import BusinessInstant, after
from domain.vocabulary import Outcome, StepState

MAX_STEPS = 100


def advance(run: RunView, playbook: Playbook, texts: dict[str, str], now: BusinessInstant) -> Progress:
    """Take every step that can be taken now.

    `texts` fills the `$names` of tasks and heads-ups. The result holds at most one send or call; the run is
    advanced again after it. `wake_at` is the latest instant at which to look again; a ring comes first if it
    comes. A run that rests by a person's wish has none: it listens, and is rung when it may go on.
    """
    walk = Walk(run, playbook, texts, now, run.position)
    rests = is_resting(walk)
    ending = next((ending for ending in _endings(walk) if ending is not None), None)
    if ending is None and not rests and now >= walk.window_end:
        ending = Ending(
            Outcome.NO_CHANGE, f"the goal was not reached within {playbook.goal.window.days} days"
        )
    if ending is not None:
        return _end(walk, ending)
    if rests:
        return walk.progress(run.rests_until)
    held_until = held_while_reversed(walk) or held_while_answering(walk)
    if held_until is not None:
        return walk.progress(min(held_until, walk.window_end))
    turn_if_worse(walk)
    if walk.position.step is None:
        walk.enter(playbook.steps[0].id)
    if walk.position.step == END:
        return _at_the_end(walk)
    return _walk(walk)


def _walk(walk: Walk) -> Progress:
    for _ in range(MAX_STEPS):
        step = walk.playbook.step(walk.position.step or "")
        target = ACTIONS[step.kind](walk, step)
        if target is None:
            due = walk.position.due_at
            return walk.progress(walk.window_end if due is None else min(due, walk.window_end))
        if target == END:
            walk.set(step=END)
        else:
            walk.enter(target)
        held_until = held_while_answering(walk)  # the step behind us may have been what dealt with answers
        if held_until is not None:
            return walk.progress(min(held_until, walk.window_end))
        if target == END:
            return _at_the_end(walk)
    return _end(walk, Ending(Outcome.STOPPED, f"the steps went round more than {MAX_STEPS} times at once"))


def _endings(walk: Walk) -> Iterator[Ending | None]:
    """Yield how the run is over, by each rule in turn, if it is."""
    run, goal = walk.run, walk.playbook.goal
    if run.has_churned:
        yield Ending(Outcome.CHURNED, "the customer has left")
    is_reached, words = GOALS.get(goal.when, (None, ""))
    if is_reached is not None and is_reached(walk):
        yield Ending(goal.outcome, words)
    for way_out in walk.playbook.exits:
        if way_out.condition.holds(run.facts):
            yield Ending(way_out.outcome, way_out.reason)


def _condition_holds(walk: Walk) -> bool:
    condition = walk.playbook.goal.condition
    return condition is not None and condition.holds(walk.run.facts)


def _reversed_long_enough(walk: Walk) -> bool:
    """Tell whether the causes stayed reversed; a playbook that steps down first goes that way to its end."""
    since = walk.position.reversed_since
    if walk.run.causes_hold or since is None or walk.now < after(since, walk.playbook.goal.dwell):
        return False
    goes_down = walk.playbook.recalibration.step_down is not None
    return not goes_down or (walk.position.has_stepped_down and walk.position.step == END)


REVERSED = "what opened this run has reversed and stayed so"
GOALS: dict[str, tuple[Callable[[Walk], bool], str]] = {
    "renewed": (lambda walk: walk.run.renewed, "the contract was renewed"),
    "touchpoint": (lambda walk: walk.run.touched_at is not None, "somebody has spoken with the customer"),
    "meeting": (lambda walk: walk.run.met_at is not None, "a meeting was held"),
    "condition": (_condition_holds, "its goal is reached"),
    "causes_reversed": (_reversed_long_enough, REVERSED),
}
"""Whether each kind of goal is reached, and the words for it; `steps_taken` is reached at the end."""


def _at_the_end(walk: Walk) -> Progress:
    """After the last step a run whose goal only time can show waits for it until the window closes."""
    limit = walk.window_end
    walk.set(step=END, due_at=limit)
    goal = walk.playbook.goal
    if goal.when == "steps_taken":
        return _end(walk, Ending(goal.outcome, "every step was taken"))
    if goal.when in {"causes_reversed", "renewed", "condition"}:
        if goal.when == "causes_reversed" and _reversed_long_enough(walk):
            return _end(walk, Ending(goal.outcome, REVERSED))
        return walk.progress(limit)
    return _end(walk, Ending(Outcome.NO_CHANGE, "every step was taken"))


def _end(walk: Walk, ending: Ending) -> Progress:
    """End the run and say what was still to come."""
    current = walk.position.step
    if current == END:
        return walk.progress(None, ending)
    first = walk.playbook.steps[0].id
    pending = {current or first, *walk.playbook.ahead_of(current or first)}
    if current is not None:
        row = walk.row
        if row is None or row.state not in FINISHED:
            walk.note(walk.playbook.step(current), StepState.CANCELLED, ending.reason)
        elif current not in walk.playbook.ahead_of(current):
            pending.remove(current)
    cancelled = tuple(step.id for step in walk.playbook.steps if step.id in pending)
    return walk.progress(None, Ending(ending.outcome, ending.reason, cancelled))
