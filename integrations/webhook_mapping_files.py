"""Mappings of generic webhooks as files: the same errors as for mappings of imports."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from domain.mapping_check import check
from domain.webhook_mapping import WebhookMapping
from integrations.mapping_files import MappingError, find_mapping


def load_webhook_mapping(name: str) -> WebhookMapping:
    """Return the mapping of a path, or of a name in the library; raises MappingError."""
    path = find_mapping(name)
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise MappingError(file=path.name, problems=f" {error}") from None
    return _checked(path, document)


def _checked(path: Path, document: Any) -> WebhookMapping:
    try:
        mapping = WebhookMapping.model_validate(document)
    except ValidationError as error:
        raise _bad(path, [(tuple(each["loc"]), each["msg"]) for each in error.errors()]) from None
    problems = [(problem.path, problem.reason) for problem in check(mapping.as_import())]
    if problems:
        raise _bad(path, problems)
    return mapping


def _bad(path: Path, problems: Sequence[tuple[tuple[str | int, ...], str]]) -> MappingError:
    shown = (f"\n  {'.'.join(str(part) for part in place)}: {reason}" for place, reason in problems)
    return MappingError(file=path.name, problems="".join(shown))
