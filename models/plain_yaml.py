"""YAML as it looks: the one reader and the one writer of every document that people write."""

import re
from typing import Any

import yaml

from domain.playbook_problems import Path, Problem

MOST_BYTES = 500_000
MOST_PARTS = 100_000
DEEPEST = 40
FOLD_AT = 80
WIDTH = 100
WHOLE = "tag:yaml.org,2002:int"
PLAIN = {
    "tag:yaml.org,2002:bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "tag:yaml.org,2002:null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    WHOLE: (r"[-+]?[0-9]+", "-+0123456789"),
    "tag:yaml.org,2002:float": (r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?", "-+.0123456789"),
}
"""What is not a text: YAML 1.2's words, without those of 1.1."""


class _Loader(yaml.SafeLoader):
    """Reads `on`, `yes`, `17:00` and `2026-01-01` as texts, as they look."""


class _Dumper(yaml.SafeDumper):
    """Indents lists under their names, and gives long texts lines of their own."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  PyYAML's own signature
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML's own signature
        return True


def _whole_number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    return int(str(loader.construct_scalar(node)))


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|"
    elif len(text) > FOLD_AT:
        style = ">"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _plain_words() -> None:
    """Read by these words alone; quote a text that either version would take for something else."""
    _Loader.yaml_implicit_resolvers = {}
    for tag, (pattern, first) in PLAIN.items():
        for kind in (_Loader, _Dumper):
            kind.add_implicit_resolver(tag, re.compile(f"^(?:{pattern})$"), list(first))
    _Loader.add_constructor(WHOLE, _whole_number)
    _Dumper.add_representer(str, _text)


_plain_words()


class YamlRead:
    """One text as data, with the line of each part and what YAML itself says against it."""

    def __init__(self, text: str) -> None:
        """Read it; a text that cannot be read has no data and says why."""
        self.data: Any = None
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self._parts = 0
        if len(text.encode(errors="replace")) > MOST_BYTES:
            self.problems.append(Problem((), f"it is larger than {MOST_BYTES:,} bytes", line=1))
            return
        try:
            self._read(text)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            self.data = None
            self.problems.append(_unreadable(error))

    def line_of(self, path: Path) -> int:
        """Return the line of the deepest part of a path that is written in the text."""
        found: Path = ()
        for part in path:
            found = (*found, part) if (*found, part) in self.lines else found
        return self.lines.get(found, 1)

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
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise _against(f"it has more than {MOST_PARTS:,} parts", node)
        if len(path) > DEEPEST:
            raise _against("it is nested too deeply, or refers to itself", node)
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


def _against(what: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=what, problem_mark=node.start_mark)


def _unreadable(error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or "it is no YAML"
    return Problem((), f"cannot be read as YAML: {said}", line=mark.line + 1 if mark is not None else None)


def write_plain(document: Any) -> str:
    """Return plain data as YAML that reads back as the same, in the order of the document."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
