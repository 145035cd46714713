"""Every problem of a playbook document at once, each with its path, its words and a hint."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from domain.errors import EverstayError
from domain.playbook import Playbook
from domain.playbook_references import loose_ends

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or, as a warning, that is likely not meant so."""

    path: Path
    message: str
    hint: str | None = None
    line: int | None = None
    """Where it stands in the file, from 1."""
    level: Literal["error", "warning"] = "error"

    @property
    def where(self) -> str:
        """The path as people write it: steps[3].wait.timeout."""
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return "".join(parts).removeprefix(".") or "the document"

    def __str__(self) -> str:
        """Say it in one line."""
        line = f"line {self.line}, " if self.line else ""
        return f"{line}{self.where}: {self.message}{f' ({self.hint})' if self.hint else ''}"


class PlaybookDocumentError(EverstayError):
    """The playbook {file} is not valid: {reason}."""

    exit_code = 2
    status = 422

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        """Keep the problems beside the sentence that lists them."""
        self.problems = tuple(problems)
        super().__init__(file=file, reason="; ".join(str(problem) for problem in problems))

    @property
    def fields(self) -> list[dict[str, object]]:
        """The problems as an answer of the API lists them."""
        return [as_field(problem) for problem in self.problems]


def as_field(problem: Problem) -> dict[str, object]:
    """Return one problem as plain data."""
    return {
        "path": problem.where,
        "message": problem.message,
        "hint": problem.hint,
        "line": problem.line,
        "level": problem.level,
    }


def read_playbook(data: object) -> tuple[Playbook | None, tuple[Problem, ...]]:
    """Return the playbook that plain data describes, or everything that is wrong with it."""
    if not isinstance(data, Mapping):
        return None, (Problem((), "a playbook is a mapping that begins with key, name and description"),)
    try:
        return Playbook.model_validate(data), ()
    except ValidationError as error:
        found = [*_from_fields(error, data), *(Problem(*one) for one in loose_ends(data))]
        whole = [Problem((), _words(one)) for one in error.errors() if not one["loc"]]
        return None, tuple(found or whole)


def _from_fields(error: ValidationError, data: Any) -> list[Problem]:
    """Return one problem per place: the branches of a union all complain, and the first says enough."""
    found: dict[Path, Problem] = {}
    for one in error.errors():
        if not one["loc"]:
            continue
        path = real_path(one["loc"], data, whole=one["type"] in {"missing", "extra_forbidden"})
        found.setdefault(path, Problem(path, _words(one), _hint(one, path)))
    counted = [path for path, one in found.items() if one.message.startswith("tuple should have")]
    for path in counted:  # a list is too short only because its items are wrong
        if any(other[: len(path)] == path and other != path for other in found):
            del found[path]
    return list(found.values())


def real_path(loc: Path, data: Any, *, whole: bool) -> Path:
    """Leave out what pydantic puts into a path beside the document's own names: tags of unions."""
    path: list[str | int] = []
    for place, part in enumerate(loc):
        is_last = place == len(loc) - 1
        if _has(data, part):
            data = data[part]
        elif not (is_last and whole):
            continue
        path.append(part)
    return tuple(path)


def _has(data: Any, part: str | int) -> bool:
    if isinstance(data, Mapping):
        return part in data
    return isinstance(data, list | tuple) and isinstance(part, int) and part < len(data)


UNKNOWN = "is not known here"
SAID = {
    "missing": "is missing",
    "extra_forbidden": UNKNOWN,
    "string_type": "must be a text",
    "bool_parsing": "must be true or false",
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
}


def _words(error: Mapping[str, Any]) -> str:
    said = str(error["msg"]).removeprefix("Value error, ")
    return SAID.get(str(error["type"]), said[:1].lower() + said[1:])


def _hint(error: Mapping[str, Any], path: Path) -> str | None:
    if error["type"] == "extra_forbidden":
        return nearest(str(path[-1]), _names_at(path[:-1]))
    if str(error["type"]).startswith("time_"):
        return "write hours and minutes with two digits each, such as 09:00"
    if error["type"] in {"enum", "literal_error"}:
        choices = str((error.get("ctx") or {}).get("expected", "")).replace(" or ", ", ")
        return nearest(str(error["input"]), [word.strip("' ") for word in choices.split(",")])
    return None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return a question after the name that was likely meant."""
    near = difflib.get_close_matches(word, list(known), 1, 0.5)
    return f"did you mean {near[0]}?" if near else None


def _names_at(path: Path) -> list[str]:
    """Return the names that the document knows at a path."""
    models: list[type[BaseModel]] = [Playbook]
    for part in path:
        if isinstance(part, int):
            continue
        fields = [_field(model, part) for model in models]
        models = [model for field in fields for model in _models_in(field)]
    return [field.alias or name for model in models for name, field in model.model_fields.items()]


def _field(model: type[BaseModel], name: str) -> object:
    for own, field in model.model_fields.items():
        if name in {own, field.alias}:
            return field.annotation
    return None


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in {Union, UnionType, Annotated, tuple}:
        for part in get_args(annotation):
            yield from _models_in(part)


def with_lines(problems: Iterable[Problem], lines: Mapping[Path, int]) -> tuple[Problem, ...]:
    """Add the line of each problem, or of the nearest thing around it that has one; in file order."""
    placed = [replace(one, line=one.line or _line(one.path, lines)) for one in problems]
    return tuple(sorted(placed, key=lambda one: one.line or 0))


def _line(path: Path, lines: Mapping[Path, int]) -> int | None:
    around = (path[:length] for length in range(len(path), -1, -1))
    return next((lines[one] for one in around if one in lines), None)
