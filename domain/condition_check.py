"""What is wrong with a condition as somebody wrote it, each mistake by its path."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from domain.condition_words import ConditionFault
from domain.conditions import Condition
from domain.errors import InvalidInputError
from domain.field_shape import Place

CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
MOST_PARTS = 60
"""Comparisons, clauses, all, any and not, together."""


@dataclass(frozen=True)
class Problem:
    """One mistake: `all.1.field`, and what is wrong there."""

    path: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """The condition, or what is wrong with it."""

    condition: Condition | None
    problems: tuple[Problem, ...] = ()


def check_condition(
    document: object, place: Place = Place.CUSTOMER, own_signals: Collection[str] | None = None
) -> Checked:
    """Read a condition; `own_signals` are the declared keys, None where they are not known."""
    if has_too_many_parts(document):
        return Checked(None, (Problem("", f"it has more than {MOST_PARTS} parts"),))
    context = {"place": place, "own_signals": None if own_signals is None else frozenset(own_signals)}
    try:
        return Checked(CONDITION.validate_python(document, context=context))
    except ValidationError as error:
        return Checked(None, _told_once([_problem(each) for each in error.errors()]))


def _told_once(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Leave out what is wrong with a part only because of something inside it, such as a list left empty."""
    paths = [problem.path for problem in problems]
    inner = [problem for problem in problems if not any(_is_inside(path, problem.path) for path in paths)]
    return tuple(inner)


def _is_inside(path: str, outer: str) -> bool:
    return path != outer and (not outer or path.startswith(f"{outer}."))


def has_too_many_parts(document: object) -> bool:
    """Tell whether a document is larger or deeper than anybody would read."""
    waiting, seen = [document], 0
    while waiting and seen <= MOST_PARTS:
        part = waiting.pop()
        if isinstance(part, Mapping):
            seen += 1
            waiting += part.values()
        elif isinstance(part, list | tuple):
            waiting += part
    return seen > MOST_PARTS


def _problem(error: Mapping[str, Any]) -> Problem:
    fault = error.get("ctx", {}).get("error")
    at = (fault.at,) if isinstance(fault, ConditionFault) else ()
    path = (*steps_of(error["loc"]), *at)
    return Problem(".".join(map(str, path)), reason_of(error["msg"]))


def reason_of(message: str) -> str:
    """Return what an error says, without pydantic's words before it."""
    return message.removeprefix("Value error, ")


def steps_of(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return the way through the document, without the names of forms that pydantic adds."""
    return tuple(step for step in location if not str(step).startswith("<"))


def path_in(document: str, location: tuple[int | str, ...]) -> str:
    """Write `condition.all[1].field`."""
    path = document
    for step in steps_of(location):
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path


def read_condition(document: Mapping[str, Any], place: Place) -> Condition:
    """Return the condition that a document describes, or raise InvalidInputError naming path and fix."""
    if has_too_many_parts(document):
        raise InvalidInputError(field="condition", reason=f"it has more than {MOST_PARTS} parts")
    try:
        return CONDITION.validate_python(document, context={"place": place})
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInputError(
            field=path_in("condition", first["loc"]), reason=reason_of(first["msg"])
        ) from None
