"""Playbooks as YAML: read with the line of everything, and written so that people like to read them."""

import re
from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

import yaml

from domain.playbook import Playbook
from domain.playbook_problems import Path, PlaybookDocumentError, Problem, read_playbook, with_lines

MOST_BYTES = 500_000
DEEPEST = 40
FOLD_AT = 80
OPAQUE = {"config", "body"}
"""Names under which an author's own data lies, which is written as it is."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain words: `on`, `yes` and `17:00` are texts, as they look."""


_PLAIN = {
    "tag:yaml.org,2002:bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "tag:yaml.org,2002:null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "tag:yaml.org,2002:int": (r"[-+]?[0-9]+", "-+0123456789"),
    "tag:yaml.org,2002:float": (r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?", "-+.0123456789"),
}


def _whole_number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    return int(str(loader.construct_scalar(node)))


def _plain_words() -> None:
    _Loader.yaml_implicit_resolvers = {}
    for tag, (pattern, first) in _PLAIN.items():
        _Loader.add_implicit_resolver(tag, re.compile(f"^(?:{pattern})$"), list(first))
    _Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)


_plain_words()


class YamlRead:
    """One text as data, with the line of each part and what YAML itself says against it."""

    def __init__(self, text: str) -> None:
        """Read it; a text that cannot be read has no data and says why."""
        self.data: Any = None
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        if len(text.encode(errors="replace")) > MOST_BYTES:
            self.problems.append(Problem((), f"it is larger than {MOST_BYTES:,} bytes", line=1))
            return
        try:
            self._read(text)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            self.data = None
            self.problems.append(_unreadable(error))

    def _read(self, text: str) -> None:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                self._walk(node, ())
                if not self.problems:
                    self.data = loader.construct_document(node)
        finally:
            loader.dispose()

    def _walk(self, node: yaml.Node, path: Path) -> None:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if len(path) > DEEPEST:
            raise yaml.MarkedYAMLError(
                problem="it is nested too deeply, or refers to itself", problem_mark=node.start_mark
            )
        if isinstance(node, yaml.MappingNode):
            self._walk_mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            for place, part in enumerate(node.value):
                self._walk(part, (*path, place))

    def _walk_mapping(self, node: yaml.MappingNode, path: Path) -> None:
        seen: dict[str, int] = {}
        for name, value in node.value:
            key, line = str(name.value), name.start_mark.line + 1
            if key in seen:
                message = f"{key!r} stands here twice; the first is in line {seen[key]}"
                self.problems.append(Problem((*path, key), message, "keep one of them", line))
            seen[key] = line
            self.lines[(*path, key)] = line
            self._walk(value, (*path, key))


def _unreadable(error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or "it is no YAML"
    return Problem((), f"cannot be read as YAML: {said}", line=mark.line + 1 if mark is not None else None)


def read_yaml(text: str) -> tuple[Playbook | None, tuple[Problem, ...], dict[Path, int]]:
    """Return the playbook of a text, or everything that is wrong with it, and the line of each part."""
    read = YamlRead(text)
    if read.problems:
        return None, with_lines(read.problems, read.lines), read.lines
    playbook, problems = read_playbook(read.data)
    return playbook, with_lines(problems, read.lines), read.lines


def parse_yaml(text: str, name: str = "document") -> Playbook:
    """Return the playbook of a text; raises PlaybookDocumentError with every problem and its line."""
    playbook, problems, _lines = read_yaml(text)
    if playbook is None:
        raise PlaybookDocumentError(name, problems)
    return playbook


def read_document(path: File) -> Playbook:
    """Read one YAML file; the error names every problem with path, line and hint."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise PlaybookDocumentError(path.name, [Problem((), "it is not written in UTF-8")]) from None
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise PlaybookDocumentError(path.name, [Problem((), reason)]) from error
    return parse_yaml(text, path.name)


class _Dumper(yaml.SafeDumper):
    """Indents lists under their names, and gives long texts lines of their own."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  PyYAML's own signature
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML's own signature
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|"
    elif len(text) > FOLD_AT:
        style = ">"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def write_yaml(playbook: Playbook) -> str:
    """Return a playbook as YAML that reads back as the same: without defaults, comments are not kept."""
    document = plain(playbook)
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def plain(playbook: Playbook) -> dict[str, Any]:
    """Return a playbook as plain data, as short as people write it."""
    said = playbook.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    short: dict[str, Any] = _short(said)
    return short


def _short(part: Any) -> Any:
    if isinstance(part, list):
        return [_short(one) for one in part]
    if not isinstance(part, dict):
        return part
    if set(part) == {"field", "op", "value"}:
        return {"field": part["field"], part["op"]: part["value"]}
    return dict(_shortened(part))


def _shortened(part: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in part.items():
        yield name, value if name in OPAQUE else _short(value)
