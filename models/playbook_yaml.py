"""Playbooks as YAML: read with the line of everything, and written so that people like to read them."""

from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

from domain.playbook import Playbook
from domain.playbook_problems import Path, PlaybookDocumentError, Problem, read_playbook, with_lines
from models.plain_yaml import YamlRead, write_plain

OPAQUE = {"config", "body"}
"""Names under which an author's own data lies, which is written as it is."""


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


def write_yaml(playbook: Playbook) -> str:
    """Return a playbook as YAML that reads back as the same: without defaults, comments are not kept."""
    return write_plain(plain(playbook))


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
