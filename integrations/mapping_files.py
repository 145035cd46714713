"""Mapping documents as files: found by name or path, and errors that name the line."""

from pathlib import Path
from typing import Any

import yaml

from domain.errors import EverstayError
from domain.mapping import Mapping
from domain.mapping_check import MappingProblem, nearest, parse_mapping

LIBRARY = Path(__file__).resolve().parent.parent / "mappings"


class MappingError(EverstayError):
    """The mapping {file} cannot be used:{problems}."""

    exit_code = 2
    status = 422


def load_mapping(name: str, library: Path = LIBRARY) -> Mapping:
    """Return the mapping of a path, or of a name in the library; raises MappingError."""
    path = find_mapping(name, library)
    text = path.read_text(encoding="utf-8")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise MappingError(file=path.name, problems=f"\n  line {line}: {error.problem}") from None
    found = parse_mapping(document)
    if isinstance(found, Mapping):
        return found
    shown = "".join(f"\n  {_told(problem, root)}" for problem in found)
    raise MappingError(file=path.name, problems=shown)


def find_mapping(name: str, library: Path = LIBRARY) -> Path:
    """Return the file of a mapping; raises MappingError with the nearest name."""
    for path in (Path(name), library / f"{name}.yaml", library / name):
        if path.is_file():
            return path
    names = {path.stem for path in library.glob("*.yaml")}
    raise MappingError(file=name, problems=f" there is no such file{nearest(name, names)}")


def _told(problem: MappingProblem, root: Any) -> str:
    path = ".".join(str(part) for part in problem.path)
    return f"line {_line_of(root, problem.path)}, {path or 'document'}: {problem.reason}"


def _line_of(node: Any, path: tuple[str | int, ...]) -> int:
    """Return the line of the deepest part of the path that is written in the file."""
    line = node.start_mark.line + 1 if node is not None else 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                continue
            key, node = found[0]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return int(line)


def dump_mapping(document: dict[str, Any]) -> str:
    """Return a mapping as YAML, in the order of the document."""
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100))
