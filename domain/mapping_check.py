"""Whether a mapping makes sense: every name it uses exists, and errors name the path and the nearest."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from domain.mapping import FACTS, FactSpec, FileSpec, Mapping, ValueSpec

Path = tuple[str | int, ...]
RESERVED = {"type", "fingerprint", "properties", "sentiment_by"}
"""Fields of facts that a mapping does not set by itself."""


@dataclass(frozen=True)
class MappingProblem:
    """One thing that is wrong in a mapping, with the path to it in the document."""

    path: Path
    reason: str


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean …?)` where a known word is close, else the list of known ones."""
    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(words)}"


def parse_mapping(document: Any) -> Mapping | list[MappingProblem]:
    """Return the mapping, or everything that is wrong with it."""
    try:
        mapping = Mapping.model_validate(document)
    except ValidationError as error:
        return [_from_pydantic(dict(one)) for one in error.errors(include_url=False)]
    return list(check(mapping)) or mapping


def _from_pydantic(error: dict[str, Any]) -> MappingProblem:
    path: Path = tuple(error["loc"])
    if error["type"] == "extra_forbidden":
        known = _fields_at(path[:-1])
        return MappingProblem(path, f"there is no {path[-1]!r} here{nearest(str(path[-1]), known)}")
    if error["type"] == "missing":
        return MappingProblem(path, f"{path[-1]!r} is missing")
    return MappingProblem(path, str(error["msg"]).removeprefix("Value error, "))


def _fields_at(path: Path) -> list[str]:
    """Return the fields that the document allows at a path."""
    annotation: Any = Mapping
    for part in path:
        annotation = _step(annotation, part)
    model = _model_in(annotation)
    return [] if model is None else list(model.model_fields)


def _step(annotation: Any, part: str | int) -> Any:
    """Return the annotation one part deeper: into a tuple, a dictionary or a field of a model."""
    for one in (annotation, *get_args(annotation)):
        if get_origin(one) is tuple:
            return get_args(one)[0]
        if get_origin(one) is dict:
            return get_args(one)[1]
    model = _model_in(annotation)
    found = None if model is None else model.model_fields.get(str(part))
    return None if found is None else found.annotation


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the document model of an annotation such as `X`, `X | None` or `Annotated[X, …]`."""
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def check(mapping: Mapping) -> Iterator[MappingProblem]:
    """Yield what names something that does not exist."""
    for index, file in enumerate(mapping.files):
        for number, fact in enumerate(file.facts):
            yield from _check_fact(("files", index, "facts", number), fact, file, mapping)
    yield from _check_clock(mapping)


def _check_clock(mapping: Mapping) -> Iterator[MappingProblem]:
    if mapping.clock is None:
        return
    files = {file.name: file for file in mapping.files}
    if mapping.clock.file not in files:
        reason = f"there is no file {mapping.clock.file!r}{nearest(mapping.clock.file, files)}"
        yield MappingProblem(("clock", "file"), reason)
        return
    columns = files[mapping.clock.file].columns
    dates = {name for name, column in columns.items() if column.type in {"date", "instant"}}
    if mapping.clock.column not in dates:
        reason = f"{mapping.clock.column!r} is no date column{nearest(mapping.clock.column, dates)}"
        yield MappingProblem(("clock", "column"), reason)


def _check_fact(path: Path, fact: FactSpec, file: FileSpec, mapping: Mapping) -> Iterator[MappingProblem]:
    model = FACTS[fact.type]
    allowed = set(model.model_fields) - RESERVED
    for name, value in fact.fields.items():
        here = (*path, "fields", name)
        if name not in allowed:
            reason = f"a {fact.type} has no field {name!r}{nearest(name, allowed)}"
            yield MappingProblem(here, reason)
        yield from _check_value(here, value, file, mapping)
    for name, value in fact.properties.items():
        yield from _check_value((*path, "properties", name), value, file, mapping)
    if fact.properties and fact.type != "usage":
        yield MappingProblem((*path, "properties"), f"a {fact.type} has no properties; only usage does")
    needed = {name for name in allowed if model.model_fields[name].is_required()}
    for name in sorted(needed - set(fact.fields)):
        yield MappingProblem((*path, "fields"), f"a {fact.type} needs the field {name!r}")
    for number, condition in enumerate(fact.when):
        yield from _check_columns((*path, "when", number, "column"), [condition.column], file)


def _check_value(path: Path, value: ValueSpec, file: FileSpec, mapping: Mapping) -> Iterator[MappingProblem]:
    columns = [value.column] if value.column is not None else list(value.join)
    if value.plus is not None and value.plus.column is not None:
        columns.append(value.plus.column)
    yield from _check_columns(path, columns, file)
    if value.lookup is not None and value.lookup not in mapping.lookups:
        yield MappingProblem(
            (*path, "lookup"), f"there is no lookup {value.lookup!r}{nearest(value.lookup, mapping.lookups)}"
        )


def _check_columns(path: Path, columns: Iterable[str], file: FileSpec) -> Iterator[MappingProblem]:
    for column in columns:
        if column not in file.columns:
            reason = f"the file {file.name!r} has no column {column!r}{nearest(column, file.columns)}"
            yield MappingProblem(path, reason)


def check_header(file: FileSpec, header: Iterable[str]) -> list[str]:
    """Return what is wrong with a file's header: every column must be declared, every declared one there."""
    found = list(header)
    problems = [
        f"the column {name!r} is missing{nearest(name, found)}" for name in file.columns if name not in found
    ]
    problems += [
        f"the column {name!r} is not declared in the mapping{nearest(name, file.columns)}"
        for name in found
        if name not in file.columns
    ]
    if len(set(found)) != len(found):
        problems.append("a column stands twice in the header")
    return problems
