"""Random playbooks under random events: what holds for every run, whatever happens."""

from datetime import timedelta
from typing import Any, Protocol, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from domain.documents import END
from domain.interpreter import advance
from domain.playbook import Playbook
from domain.run_walk import FINISHED
from domain.time import BusinessInstant
from domain.vocabulary import StepState
from tests.support.walks import TEXTS, Run, either, email, notify, pause, recipe, task, until

Ex = TypeVar("Ex")


class Draw(Protocol):
    """Draws from a strategy in the middle of a test."""

    def __call__(self, strategy: st.SearchStrategy[Ex], /) -> Ex: ...


SPANS = st.sampled_from(["12h", "1d", "36h", "3d", "1w"])
KINDS = st.sampled_from(["email", "task", "notify", "pause", "event", "branch"])


@st.composite
def playbooks(draw: st.DrawFn) -> Playbook:
    """A playbook whose ways lead forward at once, and back only through time."""
    count = draw(st.integers(1, 6))
    kinds = draw(st.lists(KINDS, min_size=count, max_size=count))
    ids = [f"a{number}" for number in range(1, count + 1)]
    steps = [_step(draw, kind, ids, place, kinds) for place, kind in enumerate(kinds)]
    when = draw(st.sampled_from(["causes_reversed", "touchpoint", "renewed"]))
    goal = {
        "when": when,
        "outcome": "saved",
        "dwell": draw(SPANS),
        "window": draw(st.sampled_from(["5d", "20d"])),
    }
    return recipe(*steps, goal=goal)


def _step(draw: st.DrawFn, kind: str, ids: list[str], place: int, kinds: list[str]) -> dict[str, Any]:
    forward = st.sampled_from([*ids[place + 1 :], END])
    anywhere = st.sampled_from([*ids, END])
    if kind == "pause":
        return pause(draw(SPANS), next=draw(anywhere))
    if kind == "branch":
        return either("replied", True, draw(forward), draw(forward))
    if kind == "event":
        return _event(draw, draw(forward), draw(anywhere), ids, kinds)
    return {"email": email, "task": task, "notify": notify}[kind](next=draw(forward))


def _event(
    draw: st.DrawFn, on_event: str, on_timeout: str, ids: list[str], kinds: list[str]
) -> dict[str, Any]:
    makers = [name for name, kind in zip(ids, kinds, strict=True) if kind == "task"]
    ways = {"on_event": on_event, "on_timeout": on_timeout}
    event = draw(st.sampled_from(["reply", "touchpoint", "meeting", *makers]))
    if event in makers:
        return until("task_done", draw(SPANS), step=event, **ways)
    return until(event, draw(SPANS), **ways)


SENDS = st.sampled_from(
    [StepState.DONE, StepState.DEFERRED, StepState.SKIPPED, StepState.FAILED, StepState.WAITING]
)
EVENTS = st.sampled_from(
    ["nothing", "nothing", "reverse", "hold", "reply", "touch", "task", "renew", "churn"]
)


def changes(event: str, run: Run) -> dict[str, Any]:
    """What an event changes in the view of the run."""
    if event == "task":
        run.finish_tasks()
    effects: dict[str, dict[str, Any]] = {
        "reverse": {"causes_hold": False},
        "hold": {"causes_hold": True},
        "reply": {"replied_at": run.now, "touched_at": run.now, "facts": {"replied": True}},
        "touch": {"touched_at": run.now},
        "renew": {"renewed": True},
        "churn": {"has_churned": True},
    }
    return effects.get(event, {})


def drive(draw: Draw, run: Run) -> list[tuple[str, int]]:
    """Take a run through events until it ends, checking each answer; return the sends that went out."""
    sent: list[tuple[str, int]] = []
    progress = run.advance()
    for _ in range(400):
        check(run)
        if progress.ending is not None:
            return sent
        if progress.send is not None:
            settle(draw, run, sent)
            progress = run.advance()
            continue
        assert progress.wake_at is not None
        left = progress.wake_at - run.now
        share = draw(st.sampled_from([1.0, 1.0, 0.5, 0.1]))
        progress = run.advance(left * share, **changes(draw(EVENTS), run))
    raise AssertionError("the run did not end")


def settle(draw: Draw, run: Run, sent: list[tuple[str, int]]) -> None:
    """Let the sending activity answer at random."""
    order = run.last.send
    assert order is not None
    state = draw(SENDS)
    due = BusinessInstant(run.now + timedelta(hours=20)) if state is StepState.DEFERRED else None
    run.settle(state, due)
    if state is StepState.DONE:
        sent.append((order.step_id, order.occurrence))


def check(run: Run) -> None:
    """What holds of every single answer."""
    progress, view = run.last, run.view
    if progress.ending is not None:
        assert progress.wake_at is None
        assert progress.send is None
        return
    assert progress.wake_at is not None
    assert run.now < progress.wake_at <= run.window_end
    held = run.playbook.goal.when == "causes_reversed" and not view.causes_hold
    if held:
        assert (progress.send, progress.tasks, progress.heads_ups) == (None, (), ())
    if progress.send is None:
        again = advance(view, run.playbook, TEXTS, run.now)
        assert (again.notes, again.tasks, again.heads_ups, again.send) == ((), (), (), None)
        assert (again.position, again.wake_at) == (progress.position, progress.wake_at)


@given(playbooks(), st.data())
def test_every_run_ends_and_never_acts_twice_for_one_visit(document: Playbook, data: st.DataObject) -> None:
    run = Run(document)
    sent = drive(data.draw, run)
    assert len(sent) == len(set(sent))
    made = [(order.step_id, order.occurrence, order.purpose) for order in run.orders]
    assert len(made) == len(set(made))
    assert run.now <= run.window_end
    ending = run.last.ending
    assert ending is not None
    assert set(ending.cancelled_steps) <= {step.id for step in document.steps}
    unfinished = [row for row in run.view.steps if row.state not in FINISHED]
    assert unfinished == [], "an ended run leaves no step open"


@given(playbooks(), st.lists(st.booleans(), min_size=20, max_size=40))
def test_however_causes_flicker_within_the_dwell_no_run_ends_by_it(
    document: Playbook, holds: list[bool]
) -> None:
    flickering, steady = Run(document), Run(document)
    for run in (flickering, steady):
        while run.advance().send is not None:
            run.settle()
    for hold in holds:
        flickering.advance(timedelta(minutes=10), causes_hold=hold)
        steady.advance(timedelta(minutes=10))
        assert flickering.last.ending == steady.last.ending
        if steady.last.ending is not None:
            return
    assert flickering.advance(causes_hold=True).position == steady.last.position
