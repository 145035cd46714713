"""What the parts of a playbook document say of each other: step ids, and what lies outside of it.

`loose_ends` reads plain data, so that it finds every loose end also where other parts are wrong.
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from domain.documents import END

Path = tuple[str | int, ...]
Found = tuple[Path, str, str | None]
"""Where, what is wrong, and a hint."""

WAYS = (
    ("next",),
    ("wait", "on_event"),
    ("wait", "on_timeout"),
    ("branch", "then"),
    ("branch", "else"),
    ("schedule_meeting", "on_accepted"),
    ("schedule_meeting", "on_declined"),
    ("schedule_meeting", "on_timeout"),
    ("offer", "on_granted"),
    ("offer", "on_refused"),
    ("call_webhook", "on_answer"),
    ("call_webhook", "on_timeout"),
)
"""Where a step names another one; a test holds this list against the language."""


def loose_ends(data: Mapping[str, Any]) -> Iterator[Found]:
    """Yield ids that are given twice, and names of steps that are not there."""
    steps = data.get("steps")
    if not isinstance(steps, list):
        return
    ids = [str(step.get("id")) for step in steps if isinstance(step, Mapping)]
    for place, step in enumerate(steps):
        if isinstance(step, Mapping):
            yield from _own_id(place, step, ids)
            yield from _ways(("steps", place), step, ids)
            yield from _awaited(("steps", place), step, steps)
    for name in ("step_down", "step_up"):
        yield from _target(("recalibration", name), _at(data, ("recalibration", name)), ids)


def _own_id(place: int, step: Mapping[str, Any], ids: list[str]) -> Iterator[Found]:
    name = str(step.get("id"))
    path: Path = ("steps", place, "id")
    if name == END:
        yield path, "no step may be called end: that is where a run goes when it is over", None
    first = ids.index(name)
    if first < place and ids.count(name) > 1:
        yield path, f"the id {name!r} is given twice: step ids must differ", f"the first is steps[{first}]"


def _ways(base: Path, step: Mapping[str, Any], ids: list[str]) -> Iterator[Found]:
    for way in WAYS:
        yield from _target((*base, *way), _at(step, way), ids)
    variants = _at(step, ("experiment", "variants"))
    for number, variant in enumerate(variants if isinstance(variants, list) else []):
        path = (*base, "experiment", "variants", number, "next")
        yield from _target(path, _at(variant, ("next",)), ids)
    results = _at(step, ("call", "results"))
    for result, target in (results if isinstance(results, Mapping) else {}).items():
        yield from _target((*base, "call", "results", result), target, ids)


def _awaited(base: Path, step: Mapping[str, Any], steps: list[Any]) -> Iterator[Found]:
    awaited = _at(step, ("wait", "step"))
    makers = [str(one.get("id")) for one in steps if isinstance(one, Mapping) and one.get("create_task")]
    if isinstance(awaited, str) and awaited not in makers:
        message = f"waits for the task of {awaited!r}, which creates none"
        yield (*base, "wait", "step"), message, _near(awaited, makers)


def _target(path: Path, target: object, ids: list[str]) -> Iterator[Found]:
    if isinstance(target, str) and target != END and target not in ids:
        yield path, f"goes to {target!r}, which is no step", _near(target, [*ids, END])


def _near(word: str, known: list[str]) -> str | None:
    near = difflib.get_close_matches(word, known, 1, 0.5)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"


def _at(data: object, path: tuple[str, ...]) -> Any:
    for part in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(part)
    return data
