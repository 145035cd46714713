"""Mapping documents as files: found by name or path, and errors that name the line."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from domain.errors import EverstayError
from domain.mapping import Mapping
from domain.mapping_check import nearest, parse_mapping
from models.plain_yaml import YamlRead, write_plain

LIBRARY = Path(__file__).resolve().parent.parent / "mappings"


class MappingError(EverstayError):
    """The mapping {file} cannot be used:{problems}."""

    exit_code = 2
    status = 422


def load_mapping(name: str, library: Path = LIBRARY) -> Mapping:
    """Return the mapping of a path, or of a name in the library; raises MappingError."""
    path = find_mapping(name, library)
    read = read_file(path)
    found = parse_mapping(read.data)
    if isinstance(found, Mapping):
        return found
    raise bad_mapping(path, read, [(problem.path, problem.reason) for problem in found])


def read_file(path: Path) -> YamlRead:
    """Return what a file says, with its lines; raises MappingError where it is no YAML."""
    read = YamlRead(path.read_text(encoding="utf-8"))
    if read.problems:
        raise MappingError(file=path.name, problems="".join(f"\n  {problem}" for problem in read.problems))
    return read


def find_mapping(name: str, library: Path = LIBRARY) -> Path:
    """Return the file of a mapping; raises MappingError with the nearest name."""
    for path in (Path(name), library / f"{name}.yaml", library / name):
        if path.is_file():
            return path
    names = {path.stem for path in library.glob("*.yaml")}
    raise MappingError(file=name, problems=f" there is no such file{nearest(name, names)}")


def bad_mapping(
    path: Path, read: YamlRead, problems: Iterable[tuple[tuple[str | int, ...], str]]
) -> MappingError:
    """Return the error that names the line and the place of each problem."""
    shown = (
        f"\n  line {read.line_of(place)}, {'.'.join(map(str, place)) or 'document'}: {reason}"
        for place, reason in problems
    )
    return MappingError(file=path.name, problems="".join(shown))


def dump_mapping(document: dict[str, Any]) -> str:
    """Return a mapping as YAML, in the order of the document."""
    return write_plain(document)
